import Recipe
import Text

/// What a file of numbers is by its name alone.
enum ArrayName: Equatable {
  case cifarTen(DatasetSelection.Split)
  case cifarHundred(DatasetSelection.Split)
  case stlImages(Part)
  case stlLabels(Part)
  case idx
  case npy

  /// The parts of STL-10.
  enum Part: Equatable {
    case train, test, unlabelled
  }

  /// What the name of a file says; nil: it is not one of these files.
  init?(_ name: ByteString) {
    let lower = name.lowercasedASCII
    let plain = lower.hasSuffix(".gz") ? ByteString(decoding: lower.bytes.dropLast(3)) : lower
    if let known = Self.known[plain] {
      self = known
    } else if plain.hasSuffix(".npy") {
      self = .npy
    } else if plain.string.contains(/[-.]idx[1-4](-|$)/) {
      self = .idx
    } else {
      return nil
    }
  }

  private static let known: [ByteString: ArrayName] = {
    var names: [ByteString: ArrayName] = [
      "test_batch.bin": .cifarTen(.test), "train.bin": .cifarHundred(.train),
      "test.bin": .cifarHundred(.test), "train_x.bin": .stlImages(.train), "train_y.bin": .stlLabels(.train),
      "test_x.bin": .stlImages(.test), "test_y.bin": .stlLabels(.test),
      "unlabeled_x.bin": .stlImages(.unlabelled),
    ]
    for batch in 1...5 { names[ByteString("data_batch_\(batch).bin")] = .cifarTen(.train) }
    return names
  }()

  /// Which family it belongs to; the files of one dataset are of one family.
  var family: Int {
    switch self {
    case .cifarTen: 0
    case .cifarHundred: 1
    case .stlImages, .stlLabels: 2
    case .idx: 3
    case .npy: 4
    }
  }

  /// The split that a file's name speaks of.
  enum SplitWord: Int {
    case train, test, validation, none

    init(_ path: EntryPath) {
      let name = path.name.lowercasedASCII.string
      self =
        name.contains("train")
        ? .train
        : name.contains("test") || name.contains("t10k") ? .test : name.contains("val") ? .validation : .none
    }
  }
}
