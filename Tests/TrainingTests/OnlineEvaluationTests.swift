import Kernels
import NeuralNet
import Parallel
import Tensors
import Testing

@testable import Datasets
@testable import Recipe
@testable import Training

@Suite("The online evaluation of a training")
struct OnlineEvaluationTests {
  /// 10 of 40 images are held back: epochs of two batches, 16 and 14.
  private static var specification: TrainSpecification {
    var specification = Tiny.specification
    var online = OnlineSpecification()
    online.holdout = 0.25
    specification.online = online
    return specification
  }

  private func changed(_ change: (inout OnlineSpecification) -> Void) -> TrainSpecification {
    var specification = Self.specification
    var online = OnlineSpecification()
    online.holdout = 0.25
    change(&online)
    specification.online = online
    return specification
  }

  private func encoder(_ state: ResumableState) -> [String: TensorValue] {
    state.file.tensors.filter { $0.key.hasPrefix("encoder.") || $0.key.hasPrefix("projector.") }
  }

  @Test func `evaluates after every epoch, before the state is saved`() throws {
    let recorder = Recorder()
    let training = try Tiny.training(Self.specification)
    #expect(training.stepsTotal == 4)
    _ = try training.run(recorder)
    #expect(
      recorder.reports.map(\.place) == [
        .init(number: 1, step: 2, epoch: 0), .init(number: 2, step: 4, epoch: 1),
      ])
    for report in recorder.reports {
      #expect(report.figures.map(\.name) == ["probe_top1", "knn_top1", "holdout_loss", "holdout_rankme"])
      #expect(report.figures.allSatisfy { $0.value.isFinite })
      let layout = try #require(report.layout)
      #expect(layout.images.count == 10 && layout.points.count == 10 && layout.labels?.count == 10)
      #expect(layout.singularValues.count == 10 && layout.deviations.count == 128)
      #expect(layout.classes.count == 4)
    }
    #expect(recorder.saved.map { $0.file.metadata["evaluated_step"] } == ["2", "4"])

    var rarely = changed { $0.everyEpochs = 2 }
    rarely.epochs = 3
    let other = Recorder()
    _ = try Tiny.training(rarely).run(other)
    #expect(other.reports.map(\.place.step) == [4, 6])
    #expect(other.reports.map(\.place.number) == [1, 2])
  }

  @Test func `held-back images are drawn by the seed, and never trained on`() throws {
    var specification = OnlineSpecification()
    specification.holdout = 0.3
    let split = OnlineSplit(specification, count: 1_000, seed: 5)
    #expect(split.heldBack.count == 300 && split.bank.count == 500)
    #expect((split.heldBack + split.trained).sorted() == Array(0..<1_000))
    #expect(Set(split.bank).isSubset(of: split.trained))
    #expect(split.heldBack == split.heldBack.sorted() && split.bank == split.bank.sorted())
    #expect(OnlineSplit(specification, count: 1_000, seed: 5) == split)
    #expect(OnlineSplit(specification, count: 1_000, seed: 6).heldBack != split.heldBack)
    #expect(OnlineSplit.bankCount(specification, trained: 58_800) == 3_675)
    #expect(OnlineSplit.bankCount(specification, trained: 1_000_000) == 10_000)
    let order = EpochOrder(
      images: split.trained, batchSize: 64, shuffle: true, dropLast: false, seed: 1, epoch: 3)
    #expect((0..<order.batches).flatMap { order.batch($0) }.sorted() == split.trained)
  }

  @Test(arguments: ["vicreg", "byol", "supervised", "sigreg"])
  func `probe and neighbours change no bit of the encoder`(method: String) throws {
    func end(_ change: (inout OnlineSpecification) -> Void) throws -> ResumableState {
      var specification = changed(change)
      specification.adopt(try #require(MethodName(rawValue: method)))
      specification.projector.widths = [32, 32]
      specification.predictor?.widths = [32, 32]
      let recorder = Recorder()
      _ = try Tiny.training(specification).run(recorder)
      return try #require(recorder.saved.last)
    }
    let without = try end {
      $0.probe = false
      $0.knn = false
      $0.everyEpochs = 100
    }
    let with = try end { _ in }
    #expect(encoder(with) == encoder(without))
    #expect(with.file.tensors["online.probe.weight"]?.shape == [4, 128])
    let others = with.file.tensors.filter { !$0.key.contains("online.probe") }
    #expect(others == without.file.tensors)
  }

  @Test func `gives the same bits for any number of threads`() throws {
    func run(threads: Int) throws -> (bytes: [UInt8], reports: [OnlineReport]) {
      let recorder = Recorder()
      _ = try Tiny.training(Self.specification, threads: threads).run(recorder)
      return (try Tiny.bytes(#require(recorder.saved.last)), recorder.reports)
    }
    let one = try run(threads: 1)
    for threads in 2...3 {
      let other = try run(threads: threads)
      #expect(other.bytes == one.bytes && other.reports == one.reports)
    }
  }

  @Test(arguments: 0..<14)
  func `goes on bit for bit, stopped anywhere, also within an evaluation`(question: Int) throws {
    let whole = Recorder()
    _ = try Tiny.training(Self.specification).run(whole)
    let first = Recorder(stop: (step: question, request: .yield))
    let interrupted = try Tiny.training(Self.specification)
    guard case .stopped(.yield) = try interrupted.run(first) else {
      #expect(first.reports == whole.reports)
      return
    }
    let second = Recorder()
    let state = try first.saved.last.map { try Checkpoint($0.file) }
    _ = try Tiny.training(Self.specification, resumingFrom: state).run(second)
    #expect(first.reports + second.reports == whole.reports)
    #expect(try Tiny.bytes(#require(second.saved.last)) == Tiny.bytes(#require(whole.saved.last)))
    // What is saved in the middle is what an undisturbed run saves there, once it has been evaluated.
    let saved = Dictionary((first.saved + second.saved).map { ($0.step, $0) }, uniquingKeysWith: { $1 })
    #expect(saved[2] == whole.saved.first)
  }

  @Test func `its figures are those of the saved encoder`() throws {
    let recorder = Recorder()
    let specification = Self.specification
    _ = try Tiny.training(specification).run(recorder)
    let checkpoint = try Checkpoint(#require(recorder.saved.last).file)
    let report = try #require(recorder.reports.last)
    let layout = try #require(report.layout)
    let dataset = try Tiny.open()
    let team = try ThreadTeam(threads: 1)

    // The features of the images themselves, by the encoder in eval mode.
    let encoder = try EncoderInference(
      specification.encoder, imageSide: 16, batchSize: 40, team: team, layer: .pooled)
    try (encoder.parameters.map { StoredTensor($0) } + encoder.buffers.map { StoredTensor($0) })
      .load(checkpoint.tensors, strictly: false)
    let plain = try BatchLoader(dataset: dataset, views: [.plain], seed: 0, team: team)
    plain.load(ArraySlice(0..<40), epoch: 0, into: encoder.input)
    let values = encoder.features(count: 40).array
    let rows = (0..<40).map { Array(values[$0 * 128..<($0 + 1) * 128]) }

    let classes = try dataset.requireLabels()
    #expect(layout.labels == layout.images.map { classes[$0] })
    let column = layout.images.map { Double(rows[$0][5]) }
    let mean = column.reduce(0, +) / 10
    let deviation = (column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 9).squareRoot()
    #expect(abs(layout.deviations[5] - deviation) < 1e-4 * deviation)

    func unit(_ row: [Float]) -> [Double] {
      let length = row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      return row.map { Double($0) / length }
    }
    let bank = (0..<40).filter { !layout.images.contains($0) }
    let vote = NeighbourVote(labels: bank.map { classes[$0] }, classes: 4, temperature: 0.07)
    let hits = layout.images.filter { image in
      let query = unit(rows[image])
      let ranked = bank.enumerated().map { place, other in
        (index: place, similarity: Float(zip(query, unit(rows[other])).reduce(0) { $0 + $1.0 * $1.1 }))
      }.sorted { $0.similarity > $1.similarity }
      return vote.ranking(Array(ranked.prefix(20)), label: classes[image]).rank == 0
    }
    #expect(report["knn_top1"] == Double(hits.count) / 10)

    let weight = try #require(checkpoint.tensors["online.probe.weight"]),
      bias = try #require(checkpoint.tensors["online.probe.bias"])
    guard case .float32(let w) = weight.elements, case .float32(let b) = bias.elements else {
      Issue.record("the probe is not of floats")
      return
    }
    let right = layout.images.filter { image in
      let scores = (0..<4).map { c in
        var score = b[c]
        for (place, value) in rows[image].enumerated() { score += w[c * 128 + place] * value }
        return score
      }
      return scores.indices.max { scores[$0] < scores[$1] } == classes[image]
    }
    #expect(report["probe_top1"] == Double(right.count) / 10)

    // The loss of a step on the views of the held-back images.
    let model = try PretrainingModel(
      ModelConfiguration(specification, classes: 4), imageSide: 16, batchSize: 16, team: team,
      convolutions: specification.convolution)
    let state = model.parameters.map { StoredTensor($0) } + model.buffers.map { StoredTensor($0) }
    try state.load(checkpoint.tensors, strictly: false)
    let loader = try BatchLoader(
      dataset: dataset, groups: specification.viewGroups(storedSide: 16), seed: specification.seed, team: team
    )
    let views = try Arena().allocate(loader.viewFloats(10))
    loader.load(layout.images[...], epoch: 0, into: views)
    #expect(report["holdout_loss"] == model.step(views, count: 10))
  }

  @Test func `images without labels have no probe and no neighbours`() throws {
    let known = try Tiny.open()
    let dataset = ImageDataset(
      name: known.name, split: known.split, classes: [], side: known.side, planes: known.planes,
      images: known.images, labels: nil, statistics: known.statistics, whole: known.whole)
    let recorder = Recorder()
    _ = try Pretraining(Self.specification, dataset: dataset, threads: 1).run(recorder)
    let report = try #require(recorder.reports.last)
    #expect(report.figures.map(\.name) == ["holdout_loss", "holdout_rankme"])
    #expect(report.layout?.labels == nil && report.layout?.classes == [])
    #expect(recorder.saved.last?.file.tensors.keys.contains { $0.contains("online") } == false)
  }

  @Test func `a part that is too small is an error`() throws {
    #expect(throws: TrainingError.tooFewHeldBack(dataset: Tiny.dataset, count: 40, heldBack: 1)) {
      try Tiny.training(changed { $0.holdout = 0.02 })
    }
  }

  @Test func `the sheet shows the views of step 1`() throws {
    let sheet = try Tiny.training(Self.specification).viewSheet()
    // Sixteen rows of an image and two views, two pixels between them.
    #expect(sheet.width == 3 * 18 - 2 && sheet.height == 16 * 18 - 2)
    #expect(sheet.pixels.count == 3 * sheet.width * sheet.height)
    let dataset = try Tiny.open()
    let split = OnlineSplit(try #require(Self.specification.online), count: 40, seed: 11)
    let first = EpochOrder(
      images: split.trained, batchSize: 16, shuffle: true, dropLast: false, seed: 11, epoch: 0
    ).batch(0)
    let image = dataset.images.withImage(first[first.startIndex + 2]) { span in
      (0..<span.count).map { span[$0] }
    }
    let area = 16 * 16
    for (row, column) in [(0, 0), (7, 15), (15, 3)] {
      let pixel = 3 * ((2 * 18 + row) * sheet.width + column)
      let expected = (0..<3).map { image[(dataset.planes == 3 ? $0 : 0) * area + row * 16 + column] }
      #expect(Array(sheet.pixels[pixel..<pixel + 3]) == expected)
    }
  }
}

@Suite("The files of online evaluations")
struct LayoutFilesTests {
  private func layout(_ value: Double) -> FeatureLayout {
    FeatureLayout(
      singularValues: [value, 1.23456789e-5], deviations: [0.5, 0], images: [3, 8, 9], labels: [1, 0, 1],
      classes: ["a", "b"], points: [[1, -2], [0.125, 0], [3, 4.00000049]], explained: [0.75, 0.25])
  }

  private func place(_ number: Int) -> OnlineReport.Place {
    OnlineReport.Place(number: number, step: 10 * number, epoch: number - 1)
  }

  private func numbers(_ files: LayoutFiles) -> [Int] {
    files.spectrum["rows"]?.array?.compactMap { $0["evaluation"]?.int } ?? []
  }

  @Test func `a spectrum has a row for each evaluation, and a projection the last one`() {
    var files = LayoutFiles()
    files.add(layout(7.123456789), at: place(1))
    files.add(layout(8), at: place(2))
    #expect(
      files.spectrum["rows"]?.array?.first == [
        "evaluation": 1, "step": 10, "epoch": 0, "singular_values": [7.12346, 1.23457e-5],
        "standard_deviations": [0.5, 0],
      ])
    #expect(numbers(files) == [1, 2])
    #expect(
      LayoutFiles.projection(layout(1), at: place(2)) == [
        "step": 20, "epoch": 1, "explained_variance": [0.75, 0.25], "classes": ["a", "b"],
        "indices": [3, 8, 9], "labels": [1, 0, 1], "points": [[1, -2], [0.125, 0], [3, 4]],
      ])
  }

  @Test func `rows go on after a resume, without repeating any`() {
    var files = LayoutFiles()
    for number in 1...5 { files.add(layout(Double(number)), at: place(number)) }
    var resumed = LayoutFiles(after: files.spectrum)
    #expect(resumed.spectrum == files.spectrum)
    // The attempt goes on after the third.
    resumed.add(layout(4), at: place(4))
    #expect(numbers(resumed) == [1, 2, 3, 4])
    #expect(numbers(LayoutFiles(after: ["rows": [[:], 3, ["evaluation": 1]]])) == [])
  }

  @Test func `the number of rows is bounded, and the same with and without a resume`() {
    var (files, resumed) = (LayoutFiles(), LayoutFiles())
    for number in 1...1_000 {
      files.add(layout(1), at: place(number))
      resumed.add(layout(1), at: place(number))
      if number % 7 == 0 { resumed = LayoutFiles(after: resumed.spectrum) }
      #expect(numbers(files).count <= 65)
    }
    #expect(numbers(files).first == 1 && numbers(files).last == 1_000)
    #expect(numbers(files).dropLast().allSatisfy { ($0 - 1) % 16 == 0 })
    #expect(resumed.spectrum == files.spectrum)
  }
}
