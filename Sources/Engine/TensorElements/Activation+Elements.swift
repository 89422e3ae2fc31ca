import Tensors

extension Activation {
  /// One element; slow, for tests and small things.
  package subscript(image: Int, channel: Int, row: Int, column: Int) -> Float {
    get { storage[offset(image, channel, row, column)] }
    nonmutating set { storage[offset(image, channel, row, column)] = newValue }
  }

  private func offset(_ image: Int, _ channel: Int, _ row: Int, _ column: Int) -> Int {
    precondition(
      channel >= 0 && channel < channels && row >= 0 && row < height && column >= 0 && column < width
        && image >= 0 && image < images, "position out of range")
    let lanes = Activation.lanes
    let block = (image * blocks + channel / lanes) * pixels
    return (block + row * width + column) * lanes + channel % lanes
  }
}
