import Platform
import TensorElements
import Tensors

/// Eight neighbouring pixels of a plane.
typealias Pixels = SIMD8<Float>

/// A float image in scratch memory while it is changed: `[planes][side][stride]`.
///
/// One plane stands for three equal ones: every operation keeps equal planes equal.
struct PlanarImage {
  /// 1 or 3.
  let planes: Int
  let side: Int
  /// Floats from row to row: `side` rounded up to whole vectors. What lies beyond `side` has no meaning.
  let stride: Int
  let storage: Floats

  init(planes: Int, side: Int, storage: Floats) {
    self.planes = planes
    self.side = side
    stride = Self.stride(side: side)
    planeCount = side * stride
    self.storage = storage.slice(0, planes * planeCount)
  }

  /// Floats from row to row for images of `side` columns.
  static func stride(side: Int) -> Int {
    (side + Pixels.scalarCount - 1) / Pixels.scalarCount * Pixels.scalarCount
  }

  /// Floats of one plane.
  let planeCount: Int
}

/// Memory for making views, one a thread: views made with it one after the other allocate nothing.
package struct AugmentationScratch: Sendable {
  /// The image that is changed, three planes.
  let image: Floats
  /// Rows between the two passes of a resize or blur.
  let rows: Floats
  /// One row with its reflected borders.
  let line: Floats
  let columnTaps: ResizeTaps
  let rowTaps: ResizeTaps
  let kernel: Floats

  /// For views of `side` × `side` pixels out of images of at most `extentMax` rows and columns, and blurs of
  /// at most `blurKernel` pixels.
  package init(side: Int, extentMax: Int, blurKernel: Int, arena: Arena) throws(SystemError) {
    let stride = PlanarImage.stride(side: side)
    image = try arena.allocate(3 * side * stride)
    rows = try arena.allocate(max(side, extentMax) * stride)
    line = try arena.allocate(stride + 2 * blurKernel)
    columnTaps = try ResizeTaps(outputs: side, inputsMax: extentMax, arena: arena)
    rowTaps = try ResizeTaps(outputs: side, inputsMax: extentMax, arena: arena)
    kernel = try arena.allocate(max(blurKernel, 1))
  }

  /// Bytes of address space that one scratch needs at most.
  package static func reservedBytes(side: Int, extentMax: Int, blurKernel: Int) -> Int {
    let stride = PlanarImage.stride(side: side)
    let images = (3 * side + max(side, extentMax)) * stride
    let floats = images + stride + 3 * blurKernel + 2 * side * (extentMax + 1)
    // Each of the eight allocations may be rounded up to a cache line.
    return floats * MemoryLayout<Float>.stride + 8 * 64
  }
}

extension PlanarImage {
  /// Moves the image, in place: its first pixel is then that of this row and column, and what comes from
  /// outside of it is black.
  func shift(rows: Int, columns: Int) {
    // In this order each pixel is read before it is written.
    func place(_ index: Int, _ offset: Int) -> Int { offset >= 0 ? index : side - 1 - index }
    for plane in 0..<planes {
      for index in 0..<side {
        let row = place(index, rows)
        let to = plane * planeCount + row * stride
        let from = to + rows * stride + columns
        let isInside = (0..<side).contains(row + rows)
        for index in 0..<side {
          let column = place(index, columns)
          storage[to + column] =
            isInside && (0..<side).contains(column + columns) ? storage[from + column] : 0
        }
      }
    }
  }
}
