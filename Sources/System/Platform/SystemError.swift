import Glibc

/// A system call that failed: what was tried, on what, and why the kernel refused.
package struct SystemError: Error, Equatable, CustomStringConvertible {
  /// The call or the purpose, in a word or two: `open`, `rename`.
  package let operation: String
  /// The path, address or process that it was tried on.
  package let subject: String
  /// The error number as `errno(3)` lists it.
  package let errno: Int32
  /// What was wrong where this program, and not the kernel, refused; `nil`: the error number says it.
  package let detail: String?

  package init(operation: String, subject: String, errno: Int32, detail: String? = nil) {
    self.operation = operation
    self.subject = subject
    self.errno = errno
    self.detail = detail
  }

  /// Takes the calling thread's `errno`; call it directly after the failed call.
  package static func last(_ operation: String, _ subject: String) -> SystemError {
    SystemError(operation: operation, subject: subject, errno: Glibc.errno)
  }

  /// A file has more bytes than are read of it (`EFBIG`).
  package static func tooLarge(_ operation: String, _ subject: String, _ detail: String) -> SystemError {
    SystemError(operation: operation, subject: subject, errno: EFBIG, detail: detail)
  }

  /// The detail, or the kernel's sentence for the error number.
  package var cause: String {
    if let detail { return detail }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let start = buffer.baseAddress, strerror_r(errno, start, buffer.count) == 0 else {
        return "error \(errno)"
      }
      return String(cString: start)
    }
  }

  /// Whether the file or folder was not there.
  package var isNotFound: Bool { errno == ENOENT }

  /// Whether the name stands for something that is not a regular file, or is a link that is not followed.
  package var isNotRegular: Bool { detail != nil && errno != EFBIG }

  /// Whether this process or machine has no descriptor left.
  package var isExhausted: Bool { errno == EMFILE || errno == ENFILE }

  /// Whether it may work later without anybody's doing: memory, processes, threads or descriptors are short,
  /// or a program that is being installed is still open for writing (`ETXTBSY`).
  package var passesByItself: Bool { isExhausted || [EAGAIN, ENOMEM, ETXTBSY].contains(errno) }

  /// Whether the file system gives a file no second name there, though it may hold a copy.
  package var isLinkRefused: Bool {
    errno == EXDEV || errno == EPERM || errno == EMLINK || errno == EOPNOTSUPP || errno == ENOSYS
  }

  /// Whether the file system or the quota is full.
  package var isDiskFull: Bool { errno == ENOSPC || errno == EDQUOT }

  package var description: String { "cannot \(operation) \(subject): \(cause)" }
}

/// Repeats a call that answers −1 while a signal handler interrupted it (`EINTR`).
///
/// - Throws: `SystemError` with the last `errno` when the call fails otherwise.
@discardableResult
func retrying<Result: SignedInteger>(
  _ operation: String, _ subject: String, _ call: () -> Result
) throws(SystemError) -> Result {
  while true {
    let result = call()
    if result != -1 { return result }
    if Glibc.errno != EINTR { throw SystemError.last(operation, subject) }
  }
}
