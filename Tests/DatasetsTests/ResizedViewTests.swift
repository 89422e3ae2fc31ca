import Foundation
import Parallel
import Tensors
import Testing

@testable import Datasets

/// Views of another side than the stored images, against torchvision (`Golden/make_resized.py`).
@Suite struct `Views of their own size` {
  private struct Golden: Decodable {
    struct Case: Decodable {
      let planes, side, target: Int
      let plain, mirrored: [Float]
    }
    let mean, std: [Double]
    let cases: [Case]
  }

  private func golden() throws -> Golden {
    let file = AugmentationGolden.folder.appending(path: "resized.json")
    return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
  }

  private func dataset(_ c: Golden.Case, _ golden: Golden, images: Int = 1) -> ImageDataset {
    let count = c.planes * c.side * c.side
    let pixels = (0..<images * count).map { index in
      let i = index % count
      return UInt8((i * i * 7 + i * 13) % 256)
    }
    return ImageDataset(
      name: "made", split: .train, classes: ["any"], side: c.side, planes: c.planes, pixels: pixels,
      labels: Array(repeating: 0, count: images),
      statistics: ChannelStatistics(mean: golden.mean, std: golden.std))
  }

  @Test func `a whole image is resized and normalised as by torchvision`() throws {
    let golden = try golden()
    for c in golden.cases {
      let loader = try BatchLoader(
        dataset: dataset(c, golden), views: [.plain, .mirrored], side: c.target, seed: 0,
        team: ThreadTeam(threads: 2))
      let output = try Arena(reservedBytes: 1 << 20).allocate(loader.viewFloats(1))
      loader.load([0], epoch: 0, into: output)
      #expect(output.count == 2 * 3 * c.target * c.target)
      let worst = zip(output.array, c.plain + c.mirrored).map { abs($0 - $1) }.max() ?? .infinity
      #expect(worst <= 4e-6, "\(c.side) to \(c.target): \(worst)")
    }
  }

  @Test func `random views have the side that was asked for, whatever the threads`() throws {
    let golden = try golden()
    let c = golden.cases[0]
    for side in [7, 16, 33] {
      let runs = try [1, 3].map { threads in
        let loader = try BatchLoader(
          dataset: dataset(c, golden, images: 5), views: [.random(.seed), .random(.seed)], side: side,
          seed: 4, team: ThreadTeam(threads: threads))
        let output = try Arena(reservedBytes: 1 << 20).allocate(loader.viewFloats(5))
        loader.load([0, 1, 2, 3, 4], epoch: 1, into: output)
        return output.array
      }
      #expect(runs[0].count == 2 * 5 * 3 * side * side)
      #expect(runs[0] == runs[1])
      #expect(runs[0].allSatisfy { $0.isFinite } && Set(runs[0]).count > side * side)
    }
  }
}
