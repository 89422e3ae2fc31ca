import Datasets
import Parallel
import Recipe
import TensorElements
import Tensors

/// A picture of what a training sees: a row for each image, the image first and then its views, as they are
/// before normalisation, white between them.
package struct ViewSheet: Sendable, Equatable {
  /// Images at most.
  static let rowsMax = 16
  /// The same of large images.
  private static let largeRowsMax = 8
  private static let largeSide = 96
  private static let gap = 2

  package let width: Int
  package let height: Int
  /// Red, green and blue of each pixel, `[height][width][3]`.
  package let pixels: [UInt8]

  /// How many images there are on a sheet of views of that side.
  private static func rows(_ images: Int, side: Int) -> Int {
    min(images, side > largeSide ? largeRowsMax : rowsMax)
  }

  /// Bytes of the pixels of a training's sheet at most.
  static func byteCount(_ specification: TrainSpecification, storedSide: Int) -> Int {
    let groups = specification.viewGroups(storedSide: storedSide)
    let side = groups.map(\.side).max() ?? storedSide
    let columns = 1 + groups.reduce(0) { $0 + $1.makers.count }
    return 3 * extent(columns, side) * extent(rows(rowsMax, side: side), side)
  }

  private static func extent(_ cells: Int, _ side: Int) -> Int { cells * (side + gap) - gap }

  /// Of the first of `images`, positions in the dataset, as a training sees them in epoch 0.
  init(
    _ specification: TrainSpecification, of dataset: ImageDataset, _ images: [Int], team: ThreadTeam
  ) throws {
    let groups = specification.viewGroups(storedSide: dataset.side)
    let cell = groups.map(\.side).max() ?? dataset.side
    let shown = images.prefix(Self.rows(images.count, side: cell))
    width = Self.extent(1 + groups.reduce(0) { $0 + $1.makers.count }, cell)
    height = Self.extent(shown.count, cell)
    var pixels = [UInt8](repeating: 255, count: 3 * width * height)
    var column = 0
    let arena = try Arena()
    // The image has a loader of its own, as a view's random numbers depend on the number of the view.
    for groups in [[ViewGroup([.plain], side: groups[0].side)], groups] {
      let loader = try BatchLoader(
        dataset: dataset, groups: groups, normalizes: false, seed: specification.seed, team: team)
      let floats = try arena.allocate(loader.viewFloats(shown.count))
      loader.load(shown, epoch: 0, into: floats)
      var start = 0
      for group in groups {
        for _ in group.makers {
          for row in shown.indices {
            let view = floats.slice(start, group.viewSize)
            Self.draw(
              view, side: group.side, into: &pixels, width: width,
              at: (row * (cell + Self.gap), column * (cell + Self.gap)))
            start += group.viewSize
          }
          column += 1
        }
      }
    }
    self.pixels = pixels
  }

  /// Draws planar values in [0, 1].
  private static func draw(
    _ view: Floats, side: Int, into pixels: inout [UInt8], width: Int, at place: (row: Int, column: Int)
  ) {
    for row in 0..<side {
      for column in 0..<side {
        let target = 3 * ((place.row + row) * width + place.column + column)
        for channel in 0..<3 {
          let value = view[(channel * side + row) * side + column]
          pixels[target + channel] = UInt8(min(max(value * 255, 0), 255).rounded())
        }
      }
    }
  }
}
