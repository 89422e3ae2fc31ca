import JSONText
import Text

/// What a dataset is at some time, as far as a run depends on it: sizes, classes, statistics, and the digests
/// of the pixels and labels of all images.
///
/// It is taken when a job is queued and at its first start; every later start compares.
package struct DatasetFingerprint: Sendable, Equatable {
  /// All images of one split.
  package struct Split: Sendable, Equatable {
    package var images: Int
    /// SHA-256 of the pixels, in hexadecimal.
    package var pixels: ByteString
    /// SHA-256 of the labels.
    package var labels: ByteString

    package init(images: Int, pixels: ByteString, labels: ByteString) {
      self.images = images
      self.pixels = pixels
      self.labels = labels
    }
  }

  package var classes: Int
  /// SHA-256 of the classes' names in their order.
  package var classNames: ByteString
  /// A view's channels, height and width.
  package var shape: [Int]
  /// Planes of a stored image: 1 or 3.
  package var planes: Int
  /// Of the training split, one number per channel; empty: not known.
  package var mean: [Double]
  package var std: [Double]
  /// The splits that were read.
  package var splits: [DatasetSelection.Split: Split]

  package init(
    classes: Int, classNames: ByteString, shape: [Int], planes: Int, mean: [Double], std: [Double],
    splits: [DatasetSelection.Split: Split]
  ) {
    self.classes = classes
    self.classNames = classNames
    self.shape = shape
    self.planes = planes
    self.mean = mean
    self.std = std
    self.splits = splits
  }
}

extension DatasetFingerprint {
  /// What is different now, for people; empty: nothing. What only one of the two knows is not compared.
  ///
  /// - Parameter then: when `self` was taken: "at the first start".
  package func differences(from now: DatasetFingerprint, then: String) -> [String] {
    var found: [String] = []
    func compare(_ what: String, _ old: String, _ new: String) {
      if ByteString(old) != ByteString(new) { found.append("\(what): \(old) \(then), \(new) now") }
    }
    for name in DatasetSelection.Split.allCases {
      guard let old = splits[name], let new = now.splits[name] else { continue }
      compare("\(name.rawValue) images", "\(old.images)", "\(new.images)")
    }
    compare("classes", "\(classes)", "\(now.classes)")
    compare("shape", Self.text(shape), Self.text(now.shape))
    compare("planes", "\(planes)", "\(now.planes)")
    // Other sizes have other digests as well: nobody has to be told of both.
    if !found.isEmpty { return found }
    if classNames != now.classNames { found.append("the names of the classes differ") }
    for name in DatasetSelection.Split.allCases {
      guard let old = splits[name], let new = now.splits[name] else { continue }
      if old.pixels != new.pixels { found.append("the pixels of the \(name.rawValue) images differ") }
      if old.labels != new.labels { found.append("the labels of the \(name.rawValue) images differ") }
    }
    if found.isEmpty, !Self.areNear(mean + std, now.mean + now.std) {
      found.append("mean and standard deviation of the train images differ")
    }
    return found
  }

  private static func text(_ shape: [Int]) -> String {
    shape.map { "\($0)" }.joined(separator: " × ")
  }

  /// Equal but for the rounding of another version's sum; unknown ones are near to any.
  private static func areNear(_ a: [Double], _ b: [Double]) -> Bool {
    a.isEmpty || b.isEmpty || (a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-9 })
  }
}

extension DatasetFingerprint {
  /// Numbers of images and classes that are believed.
  private static let counts = 0...JSON.exactIntegerMax

  /// As it is recorded.
  package var json: JSON {
    [
      "classes": .integer(classes), "class_names_sha256": .string(classNames),
      "shape": .array(shape.map(JSON.integer)), "planes": .integer(planes),
      "mean": .array(mean.map(JSON.number)), "std": .array(std.map(JSON.number)),
      "splits": .object(
        Dictionary(
          uniqueKeysWithValues: splits.map { name, split in
            let value: JSON = [
              "images": .integer(split.images), "pixels_sha256": .string(split.pixels),
              "labels_sha256": .string(split.labels),
            ]
            return (name.rawValue, value)
          })),
    ]
  }

  /// Reads what was recorded; `nil`: a member is missing, or a number is not one that JSON keeps exactly.
  package init?(json: JSON) {
    guard let classes = json["classes"]?.int(in: Self.counts),
      let classNames = json["class_names_sha256"]?.string,
      let shape = json["shape"]?.array?.compactMap({ $0.int(in: Self.counts) }), shape.count == 3,
      let planes = json["planes"]?.int(in: Self.counts), let mean = json["mean"]?.array,
      let std = json["std"]?.array, let splits = json["splits"]?.object
    else { return nil }
    self.init(
      classes: classes, classNames: classNames, shape: shape, planes: planes,
      mean: mean.compactMap(\.double), std: std.compactMap(\.double), splits: [:])
    for (name, value) in splits {
      guard let name = DatasetSelection.Split(bytes: name),
        let images = value["images"]?.int(in: Self.counts),
        let pixels = value["pixels_sha256"]?.string, let labels = value["labels_sha256"]?.string
      else { return nil }
      self.splits[name] = Split(images: images, pixels: pixels, labels: labels)
    }
  }
}

/// How closely a dataset is looked at.
package enum DatasetDepth: Sendable {
  /// Names, sizes and labels; no pixels.
  case layout
  /// As far as a job depends on it: of files, every image is read; of a generated one the name says it.
  case contents
  /// As `contents`, and mean and standard deviation in any case.
  case statistics
}
