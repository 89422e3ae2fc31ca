/// How the pixels of a grid that an operation walks over map to pixels of a feature map.
///
/// Grid pixel (y, x) of an image lies on map pixel (y · step + rowOffset, x · step + columnOffset). A map
/// pixel is a line of 16 floats; pixels outside the map read as zero.
package struct PixelGrid {
  /// Rows of the grid.
  package var rows: Int
  /// Columns of the grid.
  package var columns: Int
  /// Rows of the map.
  package var mapRows: Int
  /// Columns of the map.
  package var mapColumns: Int
  /// Floats from one image of the map to the next.
  package var imageStride: Int
  /// Map pixels from one grid pixel to the next.
  package var step: Int
  /// Map row of grid row 0.
  package var rowOffset: Int
  /// Map column of grid column 0.
  package var columnOffset: Int

  /// See the properties.
  package init(
    rows: Int, columns: Int, mapRows: Int, mapColumns: Int, imageStride: Int, step: Int = 1,
    rowOffset: Int = 0,
    columnOffset: Int = 0
  ) {
    self.rows = rows
    self.columns = columns
    self.mapRows = mapRows
    self.mapColumns = mapColumns
    self.imageStride = imageStride
    self.step = step
    self.rowOffset = rowOffset
    self.columnOffset = columnOffset
  }
}
