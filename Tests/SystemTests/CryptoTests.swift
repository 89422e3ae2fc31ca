import Crypto
import Testing

@Suite struct `SHA-256` {
  // FIPS 180-4 examples, as NIST publishes them.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `digests are the published ones`(text: String, digest: String) {
    #expect(hexadecimal(SHA256.digest(of: Array(text.utf8))) == digest)
  }

  @Test func `pieces give the digest of the whole`() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    for cut in [0, 1, 63, 64, 65, 999, 1000] {
      let hash = SHA256()
      hash.update(bytes[..<cut])
      hash.update(bytes[cut...])
      #expect(hash.finish() == SHA256.digest(of: bytes))
    }
  }
}

@Suite struct `Secure random numbers` {
  @Test func `ids have two digits a byte and do not repeat`() {
    let ids = Set((0..<100).map { _ in SecureRandom.id(byteCount: 8) })
    #expect(ids.count == 100)
    #expect(ids.allSatisfy { $0.count == 16 })
  }
}
