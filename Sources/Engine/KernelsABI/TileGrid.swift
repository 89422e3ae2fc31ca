/// How square tiles cover the maps of a Winograd convolution.
///
/// Tile (i, j) of an image produces output pixels from (i · outputs, j · outputs). `mapRows` × `mapColumns`
/// is the map that an operation reads or writes; the tile's first pixel of it is (i · outputs + offset, j ·
/// outputs + offset).
package struct TileGrid {
  /// Tiles of an image, down.
  package var tileRows: Int
  /// Tiles of an image, across.
  package var tileColumns: Int
  /// Output rows and columns of a tile: 2, 4 or 6.
  package var outputs: Int
  /// Rows of the map.
  package var mapRows: Int
  /// Columns of the map.
  package var mapColumns: Int
  /// Floats from one image of the map to the next.
  package var imageStride: Int
  /// Row and column of the map where tile (0, 0) begins; negative with padding.
  package var offset: Int

  /// See the properties.
  package init(
    tileRows: Int, tileColumns: Int, outputs: Int, mapRows: Int, mapColumns: Int, imageStride: Int,
    offset: Int
  ) {
    self.tileRows = tileRows
    self.tileColumns = tileColumns
    self.outputs = outputs
    self.mapRows = mapRows
    self.mapColumns = mapColumns
    self.imageStride = imageStride
    self.offset = offset
  }
}
