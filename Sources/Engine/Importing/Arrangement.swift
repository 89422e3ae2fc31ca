import Recipe
import Tensors
import Text

/// Which class and which split each image belongs to, found from the paths alone: the same for any order in
/// which the images came.
///
///     train/CLASS/…, test/CLASS/… (or val/)     labelled and split already
///     train/…, test/…                           unlabelled and split already
///     train/CLASS/… alone                       as CLASS/…
///     CLASS/…                                   labelled; a share of each class becomes the test split
///     images in one folder                      unlabelled
///
/// Folders that all images lie in are passed over, and folders below a class mean nothing.
struct Arrangement {
  /// Where an image goes.
  struct Place: Equatable {
    /// Its place among the paths that were given.
    let index: Int
    let split: DatasetSelection.Split
    let label: Int?
  }

  /// The images that are kept, in order: training first, each split in the natural order of the paths.
  var places: [Place] = []
  /// The classes' names in natural order; nil: unlabelled.
  var classes: [ByteString]?
  /// Images that have no place, and why.
  var strays: [(index: Int, reason: String)] = []

  private static let trainNames: Set<ByteString> = ["train", "training"]
  private static let testNames: Set<ByteString> = ["test", "testing"]
  private static let validationNames: Set<ByteString> = ["val", "valid", "validation"]

  /// Arranges images by their paths.
  ///
  /// - Parameter testShare: of images that are not split already; nil: the default.
  init(_ paths: [EntryPath], testShare: Double?, seed: UInt64) {
    let texts = paths.map { Array($0.text.bytes) }
    let order = paths.indices.sorted { (one: Int, other: Int) in
      texts[one] == texts[other] ? one > other : NaturalOrder.isBefore(texts[one], texts[other])
    }
    var kept: [Int] = []
    for index in order {
      // In an archive that has a path twice, the later entry replaces the one before.
      if let last = kept.last, texts[last] == texts[index] {
        strays.append((index, "a later entry has the same path"))
      } else {
        kept.append(index)
      }
    }
    let shared = Self.sharedFolders(kept.map { paths[$0] })
    // A split and a class: what lies deeper means nothing.
    let folders = kept.map { Array(paths[$0].folders.dropFirst(shared).prefix(2)) }
    let splits = Self.splits(folders)
    arrange(kept, folders, splits)
    if !places.contains(where: { $0.split == .test }) { divide(share: testShare, seed: seed) }
    // Stable: the order of the paths stays within a split.
    places = DatasetSelection.Split.allCases.flatMap { split in places.filter { $0.split == split } }
  }

  /// How many folders from the front all images lie in, up to one that names a split.
  private static func sharedFolders(_ paths: [EntryPath]) -> Int {
    guard let first = paths.first else { return 0 }
    var count = 0
    var prefix: [UInt8] = []
    for name in first.folders {
      if trainNames.contains(name.lowercasedASCII) || testNames.contains(name.lowercasedASCII) { break }
      prefix += Array(name.bytes) + [EntryPath.slash]
      guard paths.allSatisfy({ $0.text.bytes.starts(with: prefix) }) else { break }
      count += 1
    }
    return count
  }

  /// The split of each image by its first folder, where every image has such a folder and some train; the
  /// inner nil: a part that is not used, since there is a test part as well.
  private static func splits(_ folders: [[ByteString]]) -> [DatasetSelection.Split?]? {
    let names = folders.map { $0.first?.lowercasedASCII }
    let hasTest = names.contains { $0.map(testNames.contains) ?? false }
    var splits: [DatasetSelection.Split?] = []
    for name in names {
      guard let name else { return nil }
      if trainNames.contains(name) {
        splits.append(.train)
      } else if testNames.contains(name) {
        splits.append(.test)
      } else if validationNames.contains(name) {
        splits.append(hasTest ? nil : .test)
      } else {
        return nil
      }
    }
    // Without a training part the names are those of classes.
    guard splits.contains(.train) else { return nil }
    return splits
  }

  private mutating func arrange(
    _ kept: [Int], _ folders: [[ByteString]], _ splits: [DatasetSelection.Split?]?
  ) {
    let classFolder = splits == nil ? 0 : 1
    func className(_ position: Int) -> ByteString? {
      let names = folders[position].dropFirst(classFolder)
      return names.first
    }
    let used = kept.indices.filter { splits == nil || splits?[$0] != nil }
    let names = Set(used.compactMap(className))
    let isLabelled = !names.isEmpty
    let sorted = names.sorted(by: NaturalOrder.isBefore)
    let labels = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0) })
    classes = isLabelled ? sorted : nil
    for position in kept.indices {
      let index = kept[position]
      let split: DatasetSelection.Split
      if let splits {
        guard let known = splits[position] else {
          strays.append((index, "belongs to a validation part, and there is a test part as well"))
          continue
        }
        split = known
      } else {
        split = .train
      }
      let name = className(position)
      if isLabelled, name == nil {
        strays.append((index, "lies in no class folder, and other images do"))
        continue
      }
      places.append(Place(index: index, split: split, label: name.flatMap { labels[$0] }))
    }
  }

  /// Moves a share of the images, of each class by itself, to the test split.
  private mutating func divide(share: Double?, seed: UInt64) {
    let tests = TestShare.chosen(labels: places.map(\.label), share: share, seed: seed)
    for index in places.indices where tests.contains(index) {
      places[index] = Place(index: places[index].index, split: .test, label: places[index].label)
    }
  }
}

/// Chooses test images, the same share of each class.
enum TestShare {
  /// What the random numbers are for, so that no other use of the seed has the same.
  private static let purpose: UInt64 = 0x7465_7374

  /// The places of the chosen images: of each class with two images or more at least one, and never all.
  ///
  /// - Parameters:
  ///   - labels: one for each image; nil: without a class, which counts as one class.
  ///   - share: nil: `ImportSpecification.labelledShare` of labelled images, none of others.
  static func chosen(labels: [Int?], share: Double?, seed: UInt64) -> Set<Int> {
    var members: [Int: [Int]] = [:]
    for (place, label) in labels.enumerated() { members[label ?? -1, default: []].append(place) }
    var chosen: Set<Int> = []
    for (label, places) in members {
      let share = share ?? (label < 0 ? 0 : ImportSpecification.labelledShare)
      guard share > 0, places.count > 1 else { continue }
      let rounded = Int((share * Double(places.count)).rounded())
      let count = min(max(rounded, 1), places.count - 1)
      var random = CounterRandom(seed: seed, purpose, UInt64(label + 1))
      // The first `count` of a shuffle (Fisher and Yates, Knuth's Algorithm P).
      var shuffled = places
      for place in 0..<count {
        shuffled.swapAt(place, Int.random(in: place..<places.count, using: &random))
      }
      chosen.formUnion(shuffled[..<count])
    }
    return chosen
  }
}
