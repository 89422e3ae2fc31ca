import JSONText
import Text

/// The machine that a job's worker ran on, and how it used it.
package struct JobHost: Sendable, Equatable {
  /// The processor's model as the system names it; `nil`: it does not.
  package var cpu: String?
  /// Cores that the worker could keep busy; `nil`: an older worker did not report it, as for the others.
  package var cores: Int?
  /// Threads of the worker's engine.
  package var threads: Int
  /// The instruction set of the kernels; results are the same bits only within one.
  package var isa: String
  /// Bytes of memory that the machine, or the worker's control group, has.
  package var memoryBytes: Int?
  /// The worker's version.
  package var version: String?

  /// Characters of a text that are kept.
  private static let textCharactersMax = 200

  package init(
    cpu: String? = nil, cores: Int? = nil, threads: Int, isa: String, memoryBytes: Int? = nil,
    version: String? = nil
  ) {
    self.cpu = cpu
    self.cores = cores
    self.threads = threads
    self.isa = isa
    self.memoryBytes = memoryBytes
    self.version = version
  }

  /// Every member by name, in the order of lines.
  package var members: [(String, JSON)] {
    [
      ("cpu", .optional(cpu)), ("cores", .optional(cores)), ("threads", .integer(threads)),
      ("isa", .string(isa)), ("memory_bytes", .optional(memoryBytes)), ("version", .optional(version)),
    ]
  }

  /// As clients see it.
  package var json: JSON { .object(Dictionary(uniqueKeysWithValues: members)) }

  /// Reads the members of an object, which may have others; `nil` without `threads` and `isa`. A member that
  /// is outside its range counts as missing.
  package init?(json: JSON) {
    func text(_ key: ByteString) -> String? {
      json[key]?.string?.shown(charactersMax: Self.textCharactersMax)
    }
    guard let threads = json["threads"]?.int(in: RecordedRange.threads), let isa = text("isa") else {
      return nil
    }
    self.init(
      cpu: text("cpu"), cores: json["cores"]?.int(in: RecordedRange.cores), threads: threads, isa: isa,
      memoryBytes: json["memory_bytes"]?.int(in: RecordedRange.bytes), version: text("version"))
  }

  /// What rates are kept by: work takes the same time where these are the same.
  package var rateKey: String { "\(cpu ?? "unknown processor"), \(threads) threads, \(isa)" }
}
