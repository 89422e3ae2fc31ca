import Logging
import Platform
import Recipe

/// Where imported datasets and uploaded archives lie in a data folder. A dataset's folder has the id of its
/// import job as its name and appears whole, by a rename.
package struct DatasetFolders: Sendable {
  private let data: String

  /// - Parameter data: the data folder; nothing is touched.
  package init(data: String) { self.data = data }

  private var root: String { "\(data)/datasets" }
  private var uploads: String { "\(data)/uploads" }

  /// The folder of a dataset.
  package func path(of id: JobID) -> String { "\(root)/\(id)" }

  /// The archive that was uploaded for an import.
  package func uploadPath(of id: JobID) -> String { "\(uploads)/\(id)" }

  /// Makes the folders that everything is in.
  package func create() throws(SystemError) {
    try FileSystem.makeDirectories(root)
    try FileSystem.makeDirectories(uploads)
  }

  /// Removes a dataset with its archive, whatever there is of them. First its folder gets a name that `sweep`
  /// knows, so that a daemon that is killed here goes on at its next start.
  package func remove(_ id: JobID) throws(SystemError) {
    let path = path(of: id)
    let doomed = path + Self.doomedSuffix
    if FileSystem.exists(path) { try FileSystem.rename(path, to: doomed) }
    try FileSystem.removeTree(doomed)
    try FileSystem.removeTree(uploadPath(of: id))
  }

  private static let doomedSuffix = ".deleted"

  /// Removes what nobody needs: what a daemon or worker that was killed has left behind. A whole dataset that
  /// the database does not know is kept and reported: the database may be an older copy. To be called before
  /// the first request.
  ///
  /// - Parameters:
  ///   - datasets: whose folders stay.
  ///   - imports: whose archives stay, as they are not imported yet.
  package func sweep(keeping datasets: Set<JobID>, archivesOf imports: Set<JobID>) throws(SystemError) {
    for (folder, kept) in [(root, datasets), (uploads, imports)] {
      for name in try FileSystem.list(folder) {
        if let id = JobID(name), kept.contains(id) { continue }
        if folder == root, JobID(name) != nil {
          Log("datasets").warning(
            "\(folder)/\(name) is a dataset that the database does not know; it is kept, and can be removed "
              + "if nobody needs it")
          continue
        }
        do throws(SystemError) {
          try FileSystem.removeTree("\(folder)/\(name)")
          Log("datasets").info("\(folder)/\(name) was left behind and is removed")
        } catch {
          // It is in nobody's way: the next start tries again.
          Log("datasets").warning("\(folder)/\(name) was left behind and cannot be removed: \(error)")
        }
      }
    }
  }
}
