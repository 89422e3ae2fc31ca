/// How square tiles cover the maps of a Winograd convolution.
///
/// Tile (i, j) of an image produces outputs from (i · outputs, j · outputs). `mapRows` × `mapColumns` is the
/// map that an operation reads or writes; value (y, x) of the grid that the tiles lie on is the map's pixel
/// (y · step + rowOffset, x · step + columnOffset).
package struct TileGrid: Sendable {
  /// Tiles of an image, down.
  package var tileRows: Int
  /// Tiles of an image, across.
  package var tileColumns: Int
  /// Output rows and columns of a tile: 2, 4 or 6.
  package var outputs: Int
  /// Rows and columns of the kernel: 3, or 2 for a phase of a convolution with stride 2.
  package var taps: Int
  /// Rows of the map.
  package var mapRows: Int
  /// Columns of the map.
  package var mapColumns: Int
  /// Floats from one image of the map to the next.
  package var imageStride: Int
  /// Map pixels from one value to the next.
  package var step: Int
  /// Row of the map where tile (0, 0) begins; negative with padding.
  package var rowOffset: Int
  /// Column of the map where tile (0, 0) begins.
  package var columnOffset: Int

  /// See the properties.
  package init(
    tileRows: Int, tileColumns: Int, outputs: Int, taps: Int = 3, mapRows: Int, mapColumns: Int,
    imageStride: Int, step: Int = 1, rowOffset: Int, columnOffset: Int
  ) {
    self.tileRows = tileRows
    self.tileColumns = tileColumns
    self.outputs = outputs
    self.taps = taps
    self.mapRows = mapRows
    self.mapColumns = mapColumns
    self.imageStride = imageStride
    self.step = step
    self.rowOffset = rowOffset
    self.columnOffset = columnOffset
  }
}
