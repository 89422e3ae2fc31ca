import KernelsABI

/// Sixteen floats: the channels of a block at one pixel.
typealias Line = SIMD16<Float>

/// Reads 16 floats from anywhere.
@inline(__always)
func line(_ p: In) -> Line { UnsafeRawPointer(p).loadUnaligned(as: Line.self) }

/// Writes 16 floats to anywhere.
@inline(__always)
func setLine(_ value: Line, _ p: Out) { UnsafeMutableRawPointer(p).storeBytes(of: value, as: Line.self) }

/// The sum of the lanes, in pairs.
@inline(__always)
func sum(_ x: Line) -> Float {
  let eight = x.lowHalf + x.highHalf
  let four = eight.lowHalf + eight.highHalf
  let two = four.lowHalf + four.highHalf
  return two[0] + two[1]
}

/// The larger of each lane and zero; not a number stays what it is.
@inline(__always)
func relu(_ x: Register) -> Register { larger(x, Register()) }

/// A place in a grid of some images. A tuple: structs would bring functions that the whole program shares.
typealias Place = (image: Int, row: Int, column: Int)

/// The place of element `index` of all images, each of `rows` × `columns`.
@inline(__always)
func place(_ index: Int, rows: Int, columns: Int) -> Place {
  (index / (rows * columns), index / columns % rows, index % columns)
}

/// Moves to the next element, without a division.
@inline(__always)
func advance(_ place: inout Place, rows: Int, columns: Int) {
  place.column += 1
  guard place.column == columns else { return }
  place.column = 0
  place.row += 1
  guard place.row == rows else { return }
  place.row = 0
  place.image += 1
}
