import JobModel

extension TrainSpecification {
  /// Side in pixels of the views that the network sees, for images stored with `storedSide`.
  func viewSide(storedSide: Int) -> Int { imageSize ?? storedSide }
}
