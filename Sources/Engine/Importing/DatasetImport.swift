import Datasets
import Parallel
import Platform
import Recipe
import Text

/// Turns an archive, a file or a folder of images into a packed dataset.
///
///     let work = DatasetImport(
///       specification, source: "/data/pets.zip", work: "…/work", result: "…/datasets/pets", threads: 4)
///     let outcome = try work.run(observer)  // .finished(dataset), or .stopped
///
/// Everything is written below the work folder, which is emptied first, so a run that was killed starts over;
/// one rename puts the dataset under its name. A run that was killed after the rename finds the dataset there
/// and is done. The work folder and the result must lie in one file system.
package struct DatasetImport: Sendable {
  private let specification: ImportSpecification
  private let source: String
  private let roots: RootFolders?
  private let work: String
  private let result: String
  private let threads: Int

  /// - Parameters:
  ///   - source: the file or folder; the specification's `path`, or where an upload lies, which no error
  ///     names.
  ///   - roots: below which everything that is read must lie; nil: anywhere.
  ///   - work: a folder of this import alone.
  ///   - result: the folder that the dataset will be.
  package init(
    _ specification: ImportSpecification, source: String, roots: RootFolders? = nil, work: String,
    result: String, threads: Int
  ) {
    self.specification = specification
    self.source = source
    self.roots = roots
    self.work = work
    self.result = result
    self.threads = threads
  }

  /// Runs the import to its end, or until the observer asks to stop.
  ///
  /// - Throws: `ImportError`, and what the observer throws.
  package func run(_ observer: any ImportObserver) throws -> ImportOutcome {
    // The rename may have been the last thing that a run before did.
    if let dataset = try? PackedDataset.read(folder: result) { return .finished(dataset) }
    do {
      return .finished(try importAll(observer))
    } catch is ImportSession.Stopped {
      // What is left behind there is emptied by the next run as well.
      try? FileSystem.removeTree(work)
      return .stopped
    } catch let error as SystemError {
      throw ImportError.system(error)
    } catch let error as DatasetError {
      throw ImportError.array(file: sourceName, problem: error.description)
    }
  }

  private func importAll(_ observer: any ImportObserver) throws -> PackedDataset {
    try FileSystem.removeTree(work)
    try FileSystem.makeDirectories(work)
    let session = ImportSession(
      specification, work: work, roots: roots, team: try ThreadTeam(threads: threads), observer)
    let dataset: PackedDataset
    do {
      dataset = try read(session)
    } catch let stop as ImportSession.Stopped {
      throw stop
    } catch {
      // What was left out may be why.
      try observer.finish(skipped: session.skipped.files, count: session.skipped.count)
      throw error
    }
    try observer.finish(skipped: session.skipped.files, count: session.skipped.count)
    let above = FileSystem.parent(of: result)
    try FileSystem.makeDirectories(above)
    try FileSystem.syncDirectory(session.packedFolder)
    try FileSystem.rename(session.packedFolder, to: result)
    try FileSystem.syncDirectory(above)
    try FileSystem.removeTree(work)
    return dataset
  }

  private func read(_ session: ImportSession) throws -> PackedDataset {
    let place: String
    switch roots?.place(of: source) {
    case .inside(let path)?: place = path
    case nil: place = source
    case .missing?: throw ImportError.missingSource(sourceName)
    case .outside?: throw ImportError.outsideRoots
    }
    let limits = specification.limits
    switch FileKind(path: place, links: .followed) {
    case .folder?:
      return try EntryImport(session, FolderSource(path: place, roots: roots, limits: limits)).run()
    case .regular?:
      let file = try File(place, .read)
      let magic = try file.read(at: 0, countMax: Self.npyMagic.count)
      if magic == Self.npyMagic {
        let array = ArrayFile(path: EntryPath(text: "images.npy"), name: .npy, location: place)
        return try ArrayImport(session).run([array])
      }
      return try EntryImport(
        session,
        ArchiveSource(path: place, name: sourceName, roots: roots, limits: limits)
      ).run()
    default: throw ImportError.missingSource(sourceName)
    }
  }

  /// What errors call the source: its path, or for an upload, which has no path of the user's, its dataset.
  private var sourceName: String {
    ByteString(source) == specification.path
      ? source : "the file uploaded for dataset \"\(specification.name.shown)\""
  }

  /// How a `.npy` file begins.
  private static let npyMagic: [UInt8] = [0x93] + Array("NUMPY".utf8)
}
