import Platform

/// What a connection has to send, in order. It holds what one answer or one piece of a stream has, no more.
struct OutputQueue {
  private var segments: [Answer.Segment] = []
  /// More of a file is not sent at once, so that its connection does not hold up others.
  private static let fileStepBytesMax = 256 << 10
  /// Bytes of the first segment that have been sent.
  private var sentOfFirst = 0

  var isEmpty: Bool { segments.isEmpty }

  /// Whether there is more to send than a page, a script or a page of the list of jobs has.
  var isLarge: Bool {
    switch first {
    case nil: false
    case .bytes(let bytes)?: bytes.count - sentOfFirst > OutputQueue.smallBytesMax
    case .file(_, _, let count)?: count - sentOfFirst > OutputQueue.smallBytesMax
    }
  }

  private static let smallBytesMax = 128 << 10

  /// What is sent next.
  var first: Answer.Segment? { segments.first }

  /// Adds a segment; an empty one is nothing to send.
  mutating func append(_ segment: Answer.Segment) {
    switch segment {
    case .bytes(let bytes) where bytes.isEmpty: break
    case .file(_, _, count: 0): break
    default: segments.append(segment)
    }
  }

  /// Forgets everything.
  mutating func removeAll() { segments = [] }

  /// Sends as much of the first segment as the socket takes at once.
  mutating func send(to channel: Channel) -> Socket.Transfer {
    guard let first = segments.first else { return .wouldBlock }
    let transfer: Socket.Transfer
    let count: Int
    switch first {
    case .bytes(let bytes):
      count = bytes.count
      transfer = channel.write(bytes, from: sentOfFirst, moreFollows: segments.count > 1)
    case .file(let file, let offset, let fileCount):
      count = fileCount
      let step = min(fileCount - sentOfFirst, OutputQueue.fileStepBytesMax)
      transfer = channel.send(file, offset: offset + sentOfFirst, count: step)
    }
    if case .moved(let moved) = transfer {
      sentOfFirst += moved
      if sentOfFirst == count {
        segments.removeFirst()
        sentOfFirst = 0
      }
    }
    return transfer
  }
}
