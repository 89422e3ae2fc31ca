import Datasets
import Platform
import Recipe
import Text

/// A file of numbers that was found: what it is called, and where it can be opened.
struct ArrayFile {
  let path: EntryPath
  let name: ArrayName
  /// The file itself; an archive's was copied into the work folder under a name of our own.
  let location: String
}

/// The images of files of numbers with what is known of them before the first is read.
struct ArrayCollection {
  /// The images of one file.
  struct Part {
    let images: ImageArray
    /// nil: the name does not say.
    var split: DatasetSelection.Split?
    /// One for each image, as the file has them; nil: none.
    var labels: [Int]?
  }

  /// In the natural order of the paths.
  private(set) var parts: [Part] = []
  /// The classes' names; nil: no part has labels.
  private(set) var classes: [ByteString]?
  /// Files that are not used, and why.
  private(set) var unused: [(path: EntryPath, reason: String)] = []
  private let roots: RootFolders?

  /// Opens the files of one family: CIFAR's, STL-10's, IDX or `.npy` files.
  ///
  /// - Parameter roots: below which the files must lie; nil: anywhere.
  init(_ files: [ArrayFile], below roots: RootFolders?) throws(ImportError) {
    self.roots = roots
    let sorted = files.sorted { NaturalOrder.isBefore($0.path.text, $1.path.text) }
    let family = sorted.map(\.name.family).min()
    let chosen = sorted.filter { $0.name.family == family }
    for file in sorted where file.name.family != family {
      unused.append((file.path, "belongs to another dataset than \(chosen[0].path.text.string)"))
    }
    switch family {
    case 0: try addCIFAR(chosen, labelBytes: 1, names: CIFARNames.ten)
    case 1: try addCIFAR(chosen, labelBytes: 2, names: CIFARNames.hundred)
    case 2: try addSTL(chosen)
    default: try addArrays(chosen)
    }
  }

  private func open(_ file: ArrayFile) throws(ImportError) -> NumberFile {
    try NumberFile(path: file.location, name: file.path.text.string, below: roots)
  }

  /// Records of label bytes and `[3][32][32]` (https://www.cs.toronto.edu/~kriz/cifar.html).
  private mutating func addCIFAR(
    _ files: [ArrayFile], labelBytes: Int, names: [String]
  ) throws(ImportError) {
    let recordBytes = labelBytes + 3 * 32 * 32
    for file in files {
      let reader = try open(file)
      var labels: [Int] = []
      while case let record = try reader.takeSome(recordBytes), !record.isEmpty {
        guard record.count == recordBytes, Int(record[labelBytes - 1]) < names.count else {
          throw reader.problem(
            "record \(labels.count) must have \(recordBytes) bytes and a label below \(names.count)")
        }
        labels.append(Int(record[labelBytes - 1]))
      }
      let images = ImageArray(
        try open(file), count: labels.count, height: 32, width: 32, channels: 3, layout: .planar,
        prefixBytes: labelBytes)
      let split: DatasetSelection.Split =
        [.cifarTen(.test), .cifarHundred(.test)].contains(file.name) ? .test : .train
      parts.append(Part(images: images, split: split, labels: labels))
    }
    classes = names.map { ByteString($0) }
  }

  private static let stlNames: [ByteString] = [
    "airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck",
  ]

  /// `[n][3][96 columns][96 rows]` and labels from 1 (https://cs.stanford.edu/~acoates/stl10).
  private mutating func addSTL(_ files: [ArrayFile]) throws(ImportError) {
    let imageBytes = 3 * 96 * 96
    for (part, split) in [(ArrayName.Part.train, DatasetSelection.Split.train), (.test, .test)] {
      guard let file = files.first(where: { $0.name == .stlImages(part) }) else { continue }
      var labels: [Int]?
      if let labelFile = files.first(where: { $0.name == .stlLabels(part) }) {
        let reader = try open(labelFile)
        var found: [Int] = []
        while case let piece = try reader.takeSome(1 << 16), !piece.isEmpty {
          guard piece.allSatisfy({ (1...10).contains($0) }) else {
            throw reader.problem("must have labels from 1 to 10")
          }
          found += piece.map { Int($0) - 1 }
        }
        labels = found
        classes = Self.stlNames
      }
      try addSTL(file, imageBytes: imageBytes, split, labels)
    }
    for file in files where file.name == .stlImages(.unlabelled) {
      if parts.isEmpty {
        try addSTL(file, imageBytes: imageBytes, .train, nil)
      } else {
        unused.append((file.path, "has no labels, and others do; alone it makes an unlabelled dataset"))
      }
    }
  }

  private mutating func addSTL(
    _ file: ArrayFile, imageBytes: Int, _ split: DatasetSelection.Split, _ labels: [Int]?
  ) throws(ImportError) {
    let counter = try open(file)
    while try !counter.takeSome(1 << 20).isEmpty {}
    guard counter.offset % imageBytes == 0, counter.offset > 0 else {
      throw counter.problem("must have images of \(imageBytes) bytes, got \(counter.offset) bytes")
    }
    let images = ImageArray(
      try open(file), count: counter.offset / imageBytes, height: 96, width: 96, channels: 3,
      layout: .planarByColumns)
    if let labels, labels.count != images.count {
      throw counter.problem("has \(images.count) images and \(labels.count) labels")
    }
    parts.append(Part(images: images, split: split, labels: labels))
  }

  /// IDX or `.npy` files: what has three dimensions or more is images, what has one is their labels, of the
  /// same split by the name and of the same number.
  private mutating func addArrays(_ files: [ArrayFile]) throws(ImportError) {
    var images: [(file: ArrayFile, array: NumberArray)] = []
    var labels: [(file: ArrayFile, array: NumberArray)] = []
    for file in files {
      let array = try file.name == .idx ? NumberArray(idx: open(file)) : NumberArray(npy: open(file))
      if array.isImages {
        images.append((file, array))
      } else if array.isLabels {
        labels.append((file, array))
      } else {
        unused.append((file.path, "has the shape \(array.shape): neither images nor labels"))
      }
    }
    let words = images.map { ArrayName.SplitWord($0.file.path) }
    let hasTest = words.contains(.test)
    for ((file, array), word) in zip(images, words) {
      if word == .validation, hasTest {
        unused.append((file.path, "belongs to a validation part, and there is a test part as well"))
        continue
      }
      let fitting = labels.filter {
        ArrayName.SplitWord($0.file.path) == word && $0.array.shape[0] == array.shape[0]
      }
      guard fitting.count <= 1 else {
        let names = fitting.map(\.file.path.text.string).joined(separator: " and ")
        throw array.file.problem("may have one file of labels, got \(names)")
      }
      let isWrong = fitting.isEmpty && labels.contains { ArrayName.SplitWord($0.file.path) == word }
      if isWrong {
        throw array.file.problem("has \(array.shape[0]) images, and its labels have another number")
      }
      let split: DatasetSelection.Split? = word == .none ? nil : word == .train ? .train : .test
      parts.append(
        Part(images: try ImageArray(array), split: split, labels: try fitting.first?.array.labels()))
    }
    try nameClasses()
  }

  /// Labels that are any numbers become indices of their sorted values.
  private mutating func nameClasses() throws(ImportError) {
    let values = Set(parts.flatMap { $0.labels ?? [] }).sorted()
    guard !values.isEmpty else { return }
    let indices = Dictionary(uniqueKeysWithValues: values.enumerated().map { ($1, $0) })
    classes = values.map { ByteString("\($0)") }
    for index in parts.indices { parts[index].labels = parts[index].labels?.compactMap { indices[$0] } }
  }

  /// Numbers of images.
  var count: Int { parts.reduce(0) { $0 + $1.images.count } }
  /// Planes of the stored images: 1 where all are grey.
  var planes: Int { parts.allSatisfy { $0.images.channels == 1 } ? 1 : 3 }

  /// The split of each image, part by part. Where nothing is a test part, a share becomes one.
  func splits(_ specification: ImportSpecification) -> [[DatasetSelection.Split]] {
    var splits = parts.map { part in
      [DatasetSelection.Split](repeating: part.split ?? .train, count: part.images.count)
    }
    if parts.contains(where: { $0.split == .test }) { return splits }
    let labels = parts.flatMap { part in
      (0..<part.images.count).map { index -> Int? in part.labels?[index] }
    }
    let tests = TestShare.chosen(labels: labels, share: specification.testShare, seed: specification.seed)
    var start = 0
    for part in splits.indices {
      for index in splits[part].indices where tests.contains(start + index) { splits[part][index] = .test }
      start += splits[part].count
    }
    return splits
  }
}
