import NeuralNet
import Tensors

/// What a classifier sees of an image: the frozen encoder's features, or the pixels themselves.
enum FeatureSource {
  /// `[n][3][S][S]` → `[n][D]`.
  case encoder(EncoderInference)
  /// `[n][3][S][S]` as `[n][3·S·S]`: images and features are one memory.
  case pixels(Floats, featureCount: Int)

  /// Numbers that describe an image, D.
  var featureCount: Int {
    switch self {
    case .encoder(let encoder): encoder.featureCount
    case .pixels(_, let count): count
    }
  }

  /// Where the next images go, planar `[n][3][S][S]`.
  var input: Floats {
    switch self {
    case .encoder(let encoder): encoder.input
    case .pixels(let memory, _): memory
    }
  }

  /// The features of the first `count` images of `input`, row-major `[count][D]`; valid until the next images
  /// come.
  func features(count: Int) -> Floats {
    switch self {
    case .encoder(let encoder): encoder.features(count: count)
    case .pixels(let memory, let featureCount): memory.slice(0, count * featureCount)
    }
  }
}
