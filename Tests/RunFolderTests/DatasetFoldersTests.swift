import Platform
import Recipe
import RunFolder
import Testing

@Suite("The folders of datasets")
struct DatasetFoldersTests {
  @Test func `a sweep removes what was left behind, and no dataset that is only unknown`() throws {
    let data = "\(FileSystem.temporaryDirectory)/vicregd-datasets-\(UInt64.random(in: 0 ... .max))"
    let folders = DatasetFolders(data: data)
    try folders.create()
    // A folder left behind in the temporary one harms nobody.
    defer { try? FileSystem.removeTree(data) }
    let ids = (1...4).map { JobID(unixMilliseconds: UInt64($0), random: 0) }
    let (known, importing, unknown, doomed) = (ids[0], ids[1], ids[2], ids[3])
    for id in [known, unknown] { try FileSystem.makeDirectories(folders.path(of: id)) }
    try FileSystem.makeDirectories("\(folders.path(of: doomed)).deleted")
    for id in ids { try AtomicFile.write([1], to: folders.uploadPath(of: id)) }
    try folders.sweep(keeping: [known, importing], archivesOf: [importing])
    #expect(try FileSystem.list("\(data)/datasets").sorted() == ["\(known)", "\(unknown)"].sorted())
    #expect(try FileSystem.list("\(data)/uploads") == ["\(importing)"])
    try folders.remove(known)
    #expect(try FileSystem.list("\(data)/datasets") == ["\(unknown)"])
  }
}
