import Archives
import Datasets
import Gzip
import Platform
import Recipe

/// Why an import failed. Texts name the file or limit, what is wrong and what helps.
package enum ImportError: Error, CustomStringConvertible {
  /// The file or folder is not there.
  case missingSource(String)
  /// A path leads outside the folders that datasets may lie in, whatever there is.
  case outsideRoots
  /// The archive cannot be read.
  case archive(ArchiveError)
  /// An image cannot be decoded, and `on_bad_image` is `fail`.
  case badImage(path: String, reason: String)
  /// A limit was exceeded: its name, what it allows, and what was found.
  case limit(name: String, allowed: Int, what: String)
  /// No image was found; the first skipped files say why.
  case noImages(skipped: [SkippedFile], count: Int)
  /// There are images, and none is left to train on.
  case noTrainingImages
  /// A file of numbers is not what its format asks for.
  case array(file: String, problem: String)
  /// A file could not be read or written.
  case system(SystemError)
  /// A data file could not be read or unpacked.
  case unreadable(GzipError)

  package var description: String {
    switch self {
    case .missingSource(let path): "\(path) must be an archive, a file of images or a folder"
    case .outsideRoots:
      "the file or folder of an import must lie below one of the roots set by --dataset-root"
    case .archive(let error): error.description
    case .badImage(let path, let reason):
      "\(path): \(reason); with \"on_bad_image\": \"skip\" it is left out"
    case .limit(let name, let allowed, let what): "\(what); the limit \"\(name)\" allows \(allowed)"
    case .noImages(let skipped, let count): Self.noImages(skipped, count)
    case .noTrainingImages: "there are test images and no training images"
    case .array(let file, let problem): "\(file): \(problem)"
    case .system(let error): error.description
    case .unreadable(let error): error.description
    }
  }

  /// The failed system call that caused it; `nil`: another cause.
  package var system: SystemError? {
    switch self {
    case .system(let error), .archive(.cannotOpen(let error)): error
    case .unreadable(.cannotOpen(let error)), .unreadable(.cannotRead(let error, _)): error
    default: nil
    }
  }

  private static func noImages(_ skipped: [SkippedFile], _ count: Int) -> String {
    let start = "there are no images: PNG, JPEG, WebP, .npy, .npz, or the files of CIFAR, MNIST or STL-10"
    guard let first = skipped.first else { return start }
    return "\(start); \(count) \(count == 1 ? "file was" : "files were") left out, the first: \(first.path): "
      + first.reason
  }
}
