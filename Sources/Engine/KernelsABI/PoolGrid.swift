/// How square windows lie on a map: window (y, x) begins at map pixel (y · stride − padding, x · stride −
/// padding), and pixels outside the map are left out.
package struct PoolGrid {
  /// Windows, down.
  package var rows: Int
  /// Windows, across.
  package var columns: Int
  /// Rows of the map.
  package var mapRows: Int
  /// Columns of the map.
  package var mapColumns: Int
  /// Rows and columns of a window.
  package var kernel: Int
  /// Map pixels from one window to the next.
  package var stride: Int
  /// Pixels that windows reach beyond the map, less than `kernel`.
  package var padding: Int

  /// See the properties.
  package init(
    rows: Int, columns: Int, mapRows: Int, mapColumns: Int, kernel: Int, stride: Int, padding: Int
  ) {
    self.rows = rows
    self.columns = columns
    self.mapRows = mapRows
    self.mapColumns = mapColumns
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
  }
}
