import HTTP
import Platform

/// An answer that needs nothing any more but to be sent: head serialised, files open.
struct Answer: Sendable {
  var segments: [Segment]
  /// What goes on after the segments, and whether its pieces are framed as chunks.
  var stream: OpenStream?
  var keepsAlive: Bool
  var status: Int

  /// Bytes to be sent, at hand or in a file.
  enum Segment: Sendable {
    case bytes([UInt8])
    case file(File, offset: Int, count: Int)
  }
}

/// A body stream that has been begun.
struct OpenStream: Sendable {
  let body: any BodyStream
  let isChunked: Bool

  /// A piece with its framing.
  func framed(_ piece: [UInt8]) -> [UInt8] {
    isChunked ? ResponseSerializer.chunkHead(count: piece.count) + piece + [0x0D, 0x0A] : piece
  }

  /// What tells the client that the body is complete.
  var ending: [UInt8] { isChunked ? ResponseSerializer.lastChunk : [] }
}
