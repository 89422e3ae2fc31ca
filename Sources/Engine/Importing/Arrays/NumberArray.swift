/// The header of an array of numbers, and its content from front to end: an IDX file or a `.npy` file.
struct NumberArray {
  /// What one number is.
  struct Element: Equatable {
    let bytes: Int
    let isSigned: Bool
    let isBigEndian: Bool

    static let byte = Element(bytes: 1, isSigned: false, isBigEndian: true)
  }

  let file: NumberFile
  let shape: [Int]
  /// nil: numbers that are not whole.
  let element: Element?
  /// How the file names its numbers.
  let elementName: String

  /// The largest extent that is believed.
  private static let extentMax = 1 << 31
  /// Bytes of the longest header of a `.npy` file.
  private static let headerBytesMax = 1 << 16

  /// Whether it holds images: bytes in three or four dimensions.
  var isImages: Bool { shape.count >= 3 }
  /// Whether it holds one number for each image.
  var isLabels: Bool { shape.count == 1 || shape.count == 2 && shape[1] == 1 }

  /// Numbers for each index of the first dimension.
  var itemCount: Int { shape.dropFirst().reduce(1, *) }

  /// Reads the header of an IDX file (http://yann.lecun.com/exdb/mnist, "the IDX file format").
  init(idx file: NumberFile) throws(ImportError) {
    self.file = file
    let magic = try file.take(4, "the magic number")
    let types: [UInt8: (String, Element?)] = [
      0x08: ("uint8", .byte), 0x09: ("int8", Element(bytes: 1, isSigned: true, isBigEndian: true)),
      0x0B: ("int16", Element(bytes: 2, isSigned: true, isBigEndian: true)),
      0x0C: ("int32", Element(bytes: 4, isSigned: true, isBigEndian: true)), 0x0D: ("float32", nil),
      0x0E: ("float64", nil),
    ]
    guard magic[0] == 0, magic[1] == 0, let type = types[magic[2]], (1...4).contains(magic[3]) else {
      throw file.problem("must begin with 0 0, a type and 1 to 4 dimensions, got \(magic)")
    }
    (elementName, element) = type
    var shape: [Int] = []
    for _ in 0..<magic[3] { shape.append(try file.takeNumber("a dimension")) }
    self.shape = shape
    try check()
  }

  /// Reads the header of a `.npy` file (NumPy's `numpy.lib.format`, versions 1 to 3).
  init(npy file: NumberFile) throws(ImportError) {
    self.file = file
    let magic = try file.take(8, "the magic number")
    guard magic.starts(with: [0x93] + Array("NUMPY".utf8)), (1...3).contains(magic[6]) else {
      throw file.problem("must begin with the magic number of a .npy file")
    }
    let sizeBytes = magic[6] == 1 ? 2 : 4
    let size = try file.take(sizeBytes, "the size of the header").reversed().reduce(0) { $0 << 8 | Int($1) }
    guard size <= Self.headerBytesMax else { throw file.problem("says a header of \(size) bytes") }
    let header = NPYHeader(try file.take(size, "the header"))
    guard let header, !header.isFortranOrder || header.shape.count < 2 else {
      throw file.problem("must have a header with descr, fortran_order False and shape")
    }
    shape = header.shape
    elementName = header.type
    element = header.element
    try check()
  }

  private func check() throws(ImportError) {
    guard !shape.isEmpty, shape.count <= 4, shape.allSatisfy({ (1...Self.extentMax).contains($0) }) else {
      throw file.problem("must have 1 to 4 dimensions of at least 1, got \(shape)")
    }
    // Products of four such extents do not fit.
    var count = 1
    for extent in shape.dropFirst() {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= Self.extentMax else {
        throw file.problem("has too large a shape: \(shape)")
      }
      count = product
    }
    if let element { try file.expectRoom(for: shape[0], each: count * element.bytes, "items") }
  }

  /// All numbers of an array of labels, in order.
  func labels() throws(ImportError) -> [Int] {
    guard let element else { throw file.problem("labels must be whole numbers, got \(elementName)") }
    var labels: [Int] = []
    while labels.count < shape[0] {
      let count = min(shape[0] - labels.count, 1 << 16)
      let bytes = try file.take(count * element.bytes, "labels")
      for start in stride(from: 0, to: bytes.count, by: element.bytes) {
        let part = bytes[start..<(start + element.bytes)]
        let ordered = element.isBigEndian ? Array(part) : part.reversed()
        var value = ordered.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if element.isSigned, ordered[0] & 0x80 != 0, element.bytes < 8 {
          value |= .max << (8 * element.bytes)
        }
        labels.append(Int(truncatingIfNeeded: value))
      }
    }
    return labels
  }
}

/// The dictionary in a `.npy` file: `{'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }`.
private struct NPYHeader {
  let type: String
  let isFortranOrder: Bool
  let shape: [Int]

  init?(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self),
      let type = text.firstMatch(of: /'descr'\s*:\s*'([^']{1,16})'/)?.1,
      let order = text.firstMatch(of: /'fortran_order'\s*:\s*(True|False)/)?.1,
      let shape = text.firstMatch(of: /'shape'\s*:\s*\(([0-9, ]*)\)/)?.1
    else { return nil }
    self.type = String(type)
    isFortranOrder = order == "True"
    let numbers = shape.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
    self.shape = numbers.compactMap { Int($0) }
    if self.shape.count != numbers.count { return nil }
  }

  /// Unsigned and signed whole numbers, and booleans, of up to eight bytes.
  var element: NumberArray.Element? {
    guard let match = type.wholeMatch(of: /([<>|=])([iub])([1248])/), let bytes = Int(match.3) else {
      return nil
    }
    return NumberArray.Element(bytes: bytes, isSigned: match.2 == "i", isBigEndian: match.1 == ">")
  }
}
