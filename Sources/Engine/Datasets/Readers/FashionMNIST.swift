/// Fashion-MNIST (Xiao, Rasul and Vollgraf, arXiv:1708.07747) as Debian packages it.
enum FashionMNIST {
  static let classes = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
  ]

  /// The sizes of the dataset, its images padded.
  static let extent = DatasetExtent(
    counts: [.train: 60_000, .test: 10_000], classCount: classes.count, side: 32, planes: 1)

  /// Mean and deviation of the 60,000 training images padded to 32 × 32; a test computes them anew.
  static let statistics = ChannelStatistics(
    mean: Array(repeating: 0.21899983206954657, count: 3), std: Array(repeating: 0.331811372999959, count: 3))

  /// The four files in the folder `root`.
  static func source(root: String) -> IDXFolder {
    IDXFolder(
      folder: root, classes: classes, knownStatistics: statistics,
      hint:
        "install it (apt-get install dataset-fashion-mnist) or set VICREGD_FASHION_MNIST to its folder"
    )
  }
}
