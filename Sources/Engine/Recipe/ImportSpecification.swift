import JSONText
import Text

/// Everything that determines an import, resolved: which images become a dataset, and how. The JSON form is
/// the `spec` of an `import` job.
///
/// The same files and the same specification give the same dataset, bit by bit.
package struct ImportSpecification: JSONRecord, Hashable {
  /// How an image that is not square becomes one.
  package enum Fit: String, Sendable, CaseIterable {
    /// The shorter side is scaled to `side`, and the middle is kept.
    case cover
    /// The longer side is scaled to `side`, and the rest is black.
    case contain
    /// Both sides are scaled to `side`.
    case stretch
  }

  /// What is done about an image that cannot be decoded.
  package enum OnBadImage: String, Sendable, CaseIterable {
    /// The import fails.
    case fail
    /// The image is left out and listed with the reason.
    case skip
  }

  /// The name of the dataset.
  package var name: ByteString
  /// The file or folder on the server.
  package var path: ByteString
  /// Height and width of the stored images.
  package var side: Int
  package var fit: Fit
  /// The share of each class that becomes the test split where the images are not split already; `nil`:
  /// `labelledShare` of labelled images, none of unlabelled ones.
  package var testShare: Double?
  /// Chooses the test images.
  package var seed: UInt64
  package var onBadImage: OnBadImage
  package var limits: ImportLimits

  /// The share of labelled images that becomes the test split if none is given.
  package static let labelledShare = 0.1
  /// Characters of a dataset's name.
  package static let nameCharactersMax = 64

  package init(
    name: ByteString, path: ByteString, side: Int = 64, fit: Fit = .cover, testShare: Double? = nil,
    seed: UInt64 = 0, onBadImage: OnBadImage = .fail, limits: ImportLimits = ImportLimits()
  ) {
    self.name = name
    self.path = path
    self.side = side
    self.fit = fit
    self.testShare = testShare
    self.seed = seed
    self.onBadImage = onBadImage
    self.limits = limits
  }

  package static let fields = Fields<Self> {
    Field("name", \.name, .datasetName, "The name of the dataset.")
      .required(nameRequirement).withoutDefault()
    Field(
      "path", \.path, .line(charactersMax: 4096),
      "An archive, a file of images, or a folder, on the server."
    ).required("must be the path of a file or folder on the server").withoutDefault()
    Field("side", \.side, .integer(16...256), "Height and width of the stored images, in pixels.")
    Field(
      "fit", \.fit, .choice,
      "cover: the shorter side is scaled to side and the middle is kept; contain: the longer side is scaled "
        + "to side and the rest is black; stretch: both are scaled to side.")
    Field(
      "test_share", \.testShare, .numberOrNull(.closed(0, 0.9)),
      "The share of each class that becomes the test split where the images are not split already; null: "
        + "\(labelledShare) of labelled images, none of unlabelled ones.")
    Field("seed", \.seed, .seed, "Chooses the test images.")
    Field(
      "on_bad_image", \.onBadImage, .choice,
      "fail: an image that cannot be decoded fails the import; skip: it is left out and listed.")
    Field("limits", \.limits, .record, "What the import may take at most.")
  }

  /// Reads a `spec`; `name` and `path` are required, all else has defaults.
  ///
  /// - Parameters:
  ///   - limits: the limits where the `spec` has none.
  ///   - places: where keys belong that are in a wrong place.
  package static func parse(
    _ json: JSON, at pointer: String = "", limits: ImportLimits = ImportLimits(),
    places: KeyPlaces = ImportSpecification.places
  ) throws(SpecificationProblems) -> ImportSpecification {
    let problems = ProblemList()
    let specification = read(json, at: pointer, limits: limits, problems, places: places)
    try problems.check()
    return specification
  }

  /// As `parse`; what is wrong is noted in the list and has its default in the result.
  package static func read(
    _ json: JSON, at pointer: String, limits: ImportLimits = ImportLimits(), _ problems: ProblemList,
    places: KeyPlaces = ImportSpecification.places
  ) -> ImportSpecification {
    let reader = ObjectReader(json, at: pointer, problems, places: places)
    var result = template
    result.limits = limits
    result.read(reader)
    reader.finish()
    return result
  }

  /// What is read on top of; name and path must be given.
  private static let template = ImportSpecification(name: "", path: "")

  /// What a `spec` may be, as a JSON Schema.
  package static let schema = schema(defaults: template)
  /// What the resolved `spec` of an answer may be, as a JSON Schema.
  package static let resolvedSchema = schema(defaults: nil)

  private static func schema(defaults: ImportSpecification?) -> JSON {
    guard case .object(var members) = fields.schema(defaults: defaults) else { return .null }
    members["required"] = ["name", "path"]
    return .object(members)
  }

  /// Where the keys of a `spec` belong.
  package static let places = KeyPlaces(resolvedSchema, name: "spec")

  /// Whether a text may be the name of a dataset: letters, digits, `.`, `_` and `-` of ASCII, a letter or
  /// digit first. So it can be a folder's name and a part of a URL.
  package static func isName(_ text: ByteString) -> Bool {
    guard let first = text.bytes.first, text.count <= nameCharactersMax else { return false }
    return isLetterOrDigit(first)
      && text.allSatisfy { isLetterOrDigit($0) || [0x2D, 0x2E, 0x5F].contains($0) }
  }

  /// What is said of a text that is not the name of a dataset.
  package static let nameRequirement =
    "must be 1 to \(nameCharactersMax) letters, digits, \".\", \"_\" and \"-\", a letter or digit first"

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
}

extension Form where Value == ByteString {
  /// The name of an imported dataset.
  fileprivate static var datasetName: Form {
    Form(
      schema: [
        "type": "string", "minLength": 1, "maxLength": .integer(ImportSpecification.nameCharactersMax),
        "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
      ],
      requirement: { _ in ImportSpecification.nameRequirement },
      parse: { $0.string.flatMap { ImportSpecification.isName($0) ? $0 : nil } }, json: { .string($0) })
  }
}
