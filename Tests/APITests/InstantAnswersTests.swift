import HTTP
import Platform
import Testing
import Text

@testable import API

@Suite struct `Answers from a loop's thread` {
  private let fixture: APIFixture

  /// Time stands still: what time changes is told apart in `EstimateTests`.
  init() throws { fixture = try APIFixture { 1_790_000_000_000 } }

  private func request(_ target: String) -> Request {
    let parts = ByteString(target).split(0x3F)
    var request = Request(method: .get, segments: parts[0].split(0x2F))
    if parts.count > 1 {
      let sides = parts[1].split(0x3D)
      request.query = [(name: sides[0], value: sides[1])]
    }
    request.target = ByteString(target)
    return request
  }

  @Test(arguments: ["/jobs", "/jobs?limit=1", "/jobs?state=queued"])
  func `are lists of jobs that nothing was written since`(target: String) throws {
    _ = try fixture.post(#"{"kind":"train"}"#)
    #expect(fixture.router.instantResponse(to: request(target)) == nil)
    let whole = fixture.router.respond(to: request(target))
    let kept = try #require(fixture.router.instantResponse(to: request(target)))
    #expect(kept.response.text == whole.text && kept.response.compressedForm != nil)
    #expect(kept.isCurrent())
    // What is asked for again shares one compressed form.
    #expect(fixture.router.respond(to: request(target)).compressedForm === kept.response.compressedForm)
    _ = try fixture.post(#"{"kind":"train"}"#)
    #expect(!kept.isCurrent())
    #expect(fixture.router.instantResponse(to: request(target)) == nil)
    #expect(fixture.router.respond(to: request("/jobs")).json["jobs"]?.array?.count == 2)
  }

  @Test func `are not lists that must not be asked for`() {
    for _ in 0..<2 { #expect(fixture.router.respond(to: request("/jobs?limit=0")).status == 422) }
    #expect(fixture.router.instantResponse(to: request("/jobs?limit=0")) == nil)
  }

  @Test func `are the health of the process, and of the store as it was a moment ago`() throws {
    #expect(fixture.router.instantResponse(to: request("/healthz"))?.response.json["status"] == "ok")
    #expect(fixture.router.instantResponse(to: request("/readyz")) == nil)
    _ = try fixture.post(#"{"kind":"train"}"#)
    let looked = fixture.router.respond(to: request("/readyz"))
    #expect(looked.json["jobs"]?["queued"] == 1)
    // A machine that is slow may have let the second go by.
    if let kept = fixture.router.instantResponse(to: request("/readyz")) {
      #expect(kept.response.text == looked.text && !kept.isCurrent())
    }
  }

  @Test func `are 503 that says what is short, and 200 again afterwards`() throws {
    fixture.control.lack("job x: cannot open events.jsonl: Too many open files")
    let short = fixture.router.respond(to: request("/readyz"))
    #expect(short.status == 503)
    #expect(short.headers["Content-Type"] == "application/problem+json")
    #expect(short.headers["Retry-After"] == "2")
    #expect(short.json["detail"]?.string?.string.contains("Too many open files") == true)
    // A machine that is slow may have let the second go by.
    if let kept = fixture.router.instantResponse(to: request("/readyz")) {
      #expect(kept.response.status == 503)
    }
    fixture.control.lack(nil)
    #expect(fixture.router.respond(to: request("/readyz")).status == 200)
  }
}
