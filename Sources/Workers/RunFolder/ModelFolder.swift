import Logging
import Platform
import Recipe

/// `DATA/models/`: the files of uploaded models, each named by the id of its upload.
///
/// | name | what |
/// |---|---|
/// | `ID.upload` | an upload that has not come to its end |
/// | `ID.safetensors` | the model; with an `ID.upload` next to it, one that may not be registered yet |
/// | `ID.deleted` | a model that is about to go |
///
/// So a daemon that starts can tell from the names and the registry what became of every file, whenever the
/// one before it was killed.
package struct ModelFolder: Sendable {
  private let folder: String

  /// - Parameter data: the data folder; nothing is touched.
  package init(data: String) { folder = "\(data)/models" }

  private static let model = ".safetensors"
  private static let upload = ".upload"
  private static let doomed = ".deleted"

  /// The file of a model.
  package func path(of id: JobID) -> String { "\(folder)/\(id)\(Self.model)" }

  /// Where a model comes in.
  package func uploadPath(of id: JobID) -> String { "\(folder)/\(id)\(Self.upload)" }

  private func doomedPath(of id: JobID) -> String { "\(folder)/\(id)\(Self.doomed)" }

  /// Gives an upload the name of a model as well, durable when this returns.
  package func accept(_ id: JobID) throws(SystemError) {
    try FileSystem.link(uploadPath(of: id), to: path(of: id))
    try FileSystem.syncDirectory(folder)
  }

  /// Takes that name away again.
  package func withdraw(_ id: JobID) throws(SystemError) { try FileSystem.remove(path(of: id)) }

  /// Makes a model ready to go, before its row goes.
  package func doom(_ id: JobID) throws(SystemError) {
    guard FileSystem.exists(path(of: id)) else { return }
    try FileSystem.rename(path(of: id), to: doomedPath(of: id))
    try FileSystem.syncDirectory(folder)
  }

  /// Takes that back.
  package func restore(_ id: JobID) throws(SystemError) {
    guard FileSystem.exists(doomedPath(of: id)) else { return }
    try FileSystem.rename(doomedPath(of: id), to: path(of: id))
  }

  /// Removes the file of a model whose row is gone.
  package func removeDoomed(_ id: JobID) throws(SystemError) {
    if FileSystem.exists(doomedPath(of: id)) { try FileSystem.remove(doomedPath(of: id)) }
  }

  /// Makes the folder, and settles what an earlier daemon has left behind: uploads that did not come to their
  /// end go, and deletions that had begun go on or are taken back, as the registry has it. A whole model that
  /// the registry does not know is kept and reported: the database may be an older copy. To be called before
  /// the first request.
  ///
  /// - Parameter models: those of the registry.
  package func sweep(keeping models: Set<JobID>) throws(SystemError) {
    try FileSystem.makeDirectories(folder)
    let log = Log("models")
    var known: Set<JobID> = []
    for name in try FileSystem.list(folder).sorted(by: Self.uploadsFirst) {
      let stem = name.split(separator: ".", maxSplits: 1).first.map(String.init) ?? ""
      guard let id = JobID(stem) else {
        log.warning("\(folder)/\(name) is not the daemon's, and stays")
        continue
      }
      let isKnown = models.contains(id)
      switch name.dropFirst(stem.count) {
      case Self.upload[...]:
        if !isKnown, FileSystem.exists(path(of: id)) { try FileSystem.remove(path(of: id)) }
        try FileSystem.remove("\(folder)/\(name)")
        log.info("\(folder)/\(name) was left behind and is removed")
      case Self.doomed[...]:
        if isKnown { try restore(id) } else { try removeDoomed(id) }
        if isKnown { known.insert(id) }
      case Self.model[...]:
        if isKnown { known.insert(id) }
        if !isKnown, FileSystem.exists("\(folder)/\(name)") {
          log.warning(
            "\(folder)/\(name) is a model that the database does not know; it is kept, and can be removed if "
              + "nobody needs it")
        }
      default: log.warning("\(folder)/\(name) is not the daemon's, and stays")
      }
    }
    for id in models.subtracting(known).sorted(by: { $0.text < $1.text }) {
      log.warning("\(path(of: id)) is missing: its model can only be deleted")
    }
  }

  private static func uploadsFirst(_ one: String, _ other: String) -> Bool {
    (one.hasSuffix(upload) ? 0 : 1, one) < (other.hasSuffix(upload) ? 0 : 1, other)
  }
}
