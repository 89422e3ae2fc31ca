import Crypto
import Platform

/// Moves bytes of a connection, through TLS where it has that.
final class Channel {
  private let socket: Socket
  /// TLS, where the connection has that.
  let session: TLSSession?
  /// What of a file is encrypted at once.
  private static let filePieceBytes = 256 << 10

  init(_ socket: Socket, session: TLSSession? = nil) {
    self.socket = socket
    self.session = session
  }

  /// Whether it is TLS.
  var isSecure: Bool { session != nil }

  /// Reads into the front of a buffer.
  func read(into buffer: inout [UInt8]) -> Socket.Transfer {
    guard let session else { return socket.read(into: &buffer) }
    return transfer(session.read(into: &buffer))
  }

  /// Writes the bytes from an offset on.
  func write(_ bytes: [UInt8], from offset: Int = 0, moreFollows: Bool = false) -> Socket.Transfer {
    guard let session else { return socket.write(bytes, from: offset, moreFollows: moreFollows) }
    return transfer(session.write(bytes, from: offset))
  }

  /// Sends a part of a file: by `sendfile(2)`, or read and encrypted.
  func send(_ file: File, offset: Int, count: Int) -> Socket.Transfer {
    guard let session else { return socket.send(file, offset: offset, count: count) }
    // A file that cannot be read any more ends the connection, as the length has been promised.
    guard let piece = try? file.read(at: offset, countMax: min(count, Channel.filePieceBytes)),
      !piece.isEmpty
    else { return .ended }
    return transfer(session.write(piece, from: 0))
  }

  /// Tells the other end that nothing more will come.
  func shutDownWriting() {
    session?.sendClosing()
    socket.shutDownWriting()
  }

  /// Makes the close drop what the kernel still holds for the other end.
  func resetOnClose() { socket.resetOnClose() }

  private func transfer(_ transfer: TLSSession.Transfer) -> Socket.Transfer {
    switch transfer {
    case .moved(let count): .moved(count)
    case .wouldBlock: .wouldBlock
    case .ended: .ended
    }
  }
}
