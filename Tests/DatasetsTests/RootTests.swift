import Datasets
import Platform
import Testing

@Suite struct `Datasets below roots` {
  /// The IDX files of `DatasetFiles` in a root, with a second folder outside.
  private struct Place {
    let files: DatasetFiles
    let catalog: DatasetCatalog
    var inside: String { "mnist-idx:\(files.path)/below/digits" }

    init() throws {
      files = try DatasetFiles()
      for folder in ["below/digits", "outside"] { try FileSystem.makeDirectories("\(files.path)/\(folder)") }
      catalog = DatasetCatalog(roots: try RootFolders(["\(files.path)/below"]))
      try write("below/digits")
    }

    func write(_ folder: String) throws {
      for (prefix, count) in [("train", UInt8(2)), ("t10k", 1)] {
        let images =
          [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 8, 0, 0, 0, 8] + [UInt8](repeating: 9, count: 64 * Int(count))
        try AtomicFile.write(images, to: "\(files.path)/\(folder)/\(prefix)-images-idx3-ubyte")
        let labels = [0, 0, 8, 1, 0, 0, 0, count] + [UInt8](repeating: 0, count: Int(count))
        try AtomicFile.write(labels, to: "\(files.path)/\(folder)/\(prefix)-labels-idx1-ubyte")
      }
    }

    func link(_ path: String, to target: String) throws {
      let child = try ChildProcess(
        "/bin/ln", ["-sfn", target, "\(files.path)/\(path)"], logPath: "\(files.path)/ln.txt")
      try #require(try child.wait() == .exited(code: 0))
    }
  }

  @Test func `are opened, and others are refused with one answer whether or not they are there`() throws {
    let place = try Place()
    #expect(try place.catalog.describe(place.inside).counts == [.train: 2, .test: 1])
    #expect(throws: DatasetError.outsideRoots(areSet: false)) {
      try DatasetCatalog(roots: .empty).check(place.inside)
    }
    for format in ["mnist-idx", "cifar10", "cifar100", "cifar100-coarse"] {
      for path in ["outside", "absent", "below/../outside", "below/../absent", "outside\0", ""] {
        #expect(throws: DatasetError.outsideRoots(areSet: true)) {
          try place.catalog.check("\(format):\(place.files.path)/\(path)")
        }
      }
      #expect(throws: DatasetError.outsideRoots(areSet: true)) {
        try place.catalog.check("\(format):below/digits")
      }
    }
    let error = try #require(throws: DatasetError.self) {
      try place.catalog.check("mnist-idx:\(place.files.path)/below/absent")
    }
    guard case .missingFile = error else { return #expect(Bool(false), "\(error)") }
  }

  @Test(arguments: ["there", "absent"])
  func `no link of a file or a folder leads out, whether or not something is there`(target: String) throws {
    let place = try Place()
    try place.write("outside")
    let file = "train-images-idx3-ubyte"
    try FileSystem.remove("\(place.files.path)/below/digits/\(file)")
    try place.link(
      "below/digits/\(file)",
      to: target == "there" ? "\(place.files.path)/outside/\(file)" : "/absent/\(file)"
    )
    #expect(throws: DatasetError.outsideRoots(areSet: true)) { try place.catalog.check(place.inside) }
    try place.link("below/linked", to: target == "there" ? "../outside" : "../absent")
    #expect(throws: DatasetError.outsideRoots(areSet: true)) {
      try place.catalog.check("mnist-idx:\(place.files.path)/below/linked")
    }
  }

  @Test func `the variables of a process say the same`() throws {
    let place = try Place()
    let variables = DatasetCatalog.environment(
      fashionMNISTRoot: "/absent",
      roots: try RootFolders(["\(place.files.path)/below", "\(place.files.path)"]))
    let catalog = DatasetCatalog(environment: variables)
    #expect(try catalog.describe(place.inside).counts[.train] == 2)
    let none = DatasetCatalog(environment: [:])
    #expect(throws: DatasetError.outsideRoots(areSet: false)) { try none.check(place.inside) }
    let gone = DatasetCatalog(environment: ["VICREGD_DATASET_ROOT": "/absent/root"])
    #expect(throws: DatasetError.outsideRoots(areSet: false)) { try gone.check(place.inside) }
  }

  @Test func `are located without being opened, and are another one when a file has changed`() throws {
    let place = try Place()
    let source = try place.catalog.locate(place.inside)
    #expect(source.files.count == 4)
    #expect(try place.catalog.locate(place.inside + "/../digits/") == source)
    try place.write("below/digits")
    #expect(try place.catalog.locate(place.inside) != source)
    #expect(try place.catalog.locate("synthetic").files.isEmpty)
  }
}
