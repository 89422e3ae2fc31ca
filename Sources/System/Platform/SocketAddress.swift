import Glibc

/// An IPv4 or IPv6 address with a port, in the kernel's layout.
struct SocketAddress {
  private var storage = sockaddr_storage()
  private var byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)

  init() {}

  /// - Throws: `SystemError` with `EINVAL` for a text that is no address.
  init(host: String, port: Int) throws(SystemError) {
    guard (0...65_535).contains(port) else {
      throw SystemError(operation: "use the port of", subject: "\(host):\(port)", errno: EINVAL)
    }
    let text = host == "localhost" ? "127.0.0.1" : host
    var four = sockaddr_in()
    var six = sockaddr_in6()
    if inet_pton(AF_INET, text, &four.sin_addr) == 1 {
      four.sin_family = sa_family_t(AF_INET)
      four.sin_port = in_port_t(port).bigEndian
      withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: four, as: sockaddr_in.self) }
      byteCount = socklen_t(MemoryLayout<sockaddr_in>.size)
    } else if inet_pton(AF_INET6, text, &six.sin6_addr) == 1 {
      six.sin6_family = sa_family_t(AF_INET6)
      six.sin6_port = in_port_t(port).bigEndian
      withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: six, as: sockaddr_in6.self) }
      byteCount = socklen_t(MemoryLayout<sockaddr_in6>.size)
    } else {
      throw SystemError(operation: "read the IP address", subject: host, errno: EINVAL)
    }
  }

  /// The address that a socket is bound to.
  init(localOf descriptor: Int32) {
    withMutablePointer { _ = getsockname(descriptor, $0, $1) }
  }

  var family: Int32 { Int32(storage.ss_family) }

  var port: Int {
    withUnsafeBytes(of: storage) { bytes in
      let port =
        family == AF_INET6
        ? bytes.load(as: sockaddr_in6.self).sin6_port : bytes.load(as: sockaddr_in.self).sin_port
      return Int(in_port_t(bigEndian: port))
    }
  }

  /// The address as text, without the port.
  var host: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
      guard let start = text.baseAddress else { return "" }
      let isKnown = withUnsafeBytes(of: storage) { bytes in
        if family == AF_INET6 {
          var address = bytes.load(as: sockaddr_in6.self).sin6_addr
          return inet_ntop(AF_INET6, &address, start, socklen_t(text.count)) != nil
        }
        var address = bytes.load(as: sockaddr_in.self).sin_addr
        return inet_ntop(AF_INET, &address, start, socklen_t(text.count)) != nil
      }
      return isKnown ? String(cString: start) : ""
    }
  }

  /// Lends the address to a call that reads it.
  mutating func withPointer<Result>(
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    let count = byteCount
    return withUnsafePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, count) }
    }
  }

  /// Lends the whole storage to a call that writes an address into it.
  mutating func withMutablePointer<Result>(
    _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
  ) -> Result {
    byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &byteCount) { count in
      withUnsafeMutablePointer(to: &storage) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, count) }
      }
    }
  }
}
