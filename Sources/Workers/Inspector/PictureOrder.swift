import Datasets
import JSONText
import Recipe
import Text

/// Which images of a dataset are to be shown; to the process that draws them it is passed as words.
struct PictureOrder: Sendable, Hashable {
  let name: String
  let split: DatasetSelection.Split
  let choice: PictureChoice

  /// The split, what is wanted with its number, a class or `all`, and the name.
  var arguments: [String] {
    switch choice {
    case .one(let index): ["image", split.rawValue, "\(index)", "all", name]
    case .sample(let count, let label):
      ["sample", split.rawValue, "\(count)", label.map(String.init) ?? "all", name]
    }
  }

  init(name: String, split: DatasetSelection.Split, choice: PictureChoice) {
    self.name = name
    self.split = split
    self.choice = choice
  }

  /// Reads what `arguments` gave; nil: it is none.
  init?(_ arguments: ArraySlice<String>) {
    let words = Array(arguments)
    guard words.count == 5, let split = DatasetSelection.Split(bytes: ByteString(words[1])),
      let number = Int(words[2]), number >= 0
    else { return nil }
    switch ByteString(words[0]) {
    case "image": choice = .one(index: number)
    case "sample": choice = .sample(count: number, label: Int(words[3]))
    default: return nil
    }
    self.split = split
    name = words[4]
  }

  /// Reads what `draw` gave.
  func finding(_ output: [UInt8]) -> PictureFinding {
    if output.isEmpty { return .success(nil) }
    // What is not JSON is the picture.
    guard let json = try? JSON.parse(output), case .failure(let problem)? = Inspector.finding(of: json) else {
      return .success(output)
    }
    return .failure(problem)
  }

  /// What a process prints for it: a PNG, nothing where there is no such image, or a problem as `json(of:)`
  /// has it.
  func draw(from catalog: DatasetCatalog) throws -> [UInt8] {
    let stored: StoredImages
    do {
      stored = try catalog.images(name, split, choice)
    } catch {
      return Array((json(of: .failure(DatasetProblem(error))).text + "\n").utf8)
    }
    return stored.images.isEmpty ? [] : try stored.sheet()
  }
}
