/// Finds libc behind the back of the import rule: Foundation re-exports it.
enum LibcCalls {
  /// Functions that only libc has under these names; mathematics is free.
  private static let names: Set<String> = [
    "malloc", "calloc", "realloc", "posix_memalign", "memcpy", "memmove", "memset", "mmap", "munmap",
    "madvise",
    "fopen", "fclose", "fwrite", "fread", "fflush", "fsync", "fdatasync", "flock", "lseek", "ftruncate",
    "unlink",
    "mkdir", "rmdir", "opendir", "readdir", "getenv", "setenv", "unsetenv", "fork", "execv", "execve",
    "posix_spawn", "waitpid", "getpid", "sigaction", "pthread_create", "pthread_join", "usleep", "nanosleep",
    "clock_gettime", "gettimeofday", "setsockopt", "getsockname", "epoll_create1", "epoll_wait", "sysconf",
    "strerror", "errno", "exit", "abort", "atexit", "isatty", "setpriority", "setvbuf", "mkdtemp",
  ]

  /// Places in `file` that call libc by name, or qualify a call with its module.
  static func problems(in file: SourceFile) -> [String] {
    let text = SwiftText(file.text)
    guard text.imports.contains(where: { $0.module.hasPrefix("Foundation") || $0.module == "Glibc" }) else {
      return []
    }
    return text.lines.enumerated().flatMap { index, line in
      calls(in: line).map { "\(file.path):\(index + 1): calls libc's \($0)" }
    }
  }

  private static func calls(in line: String) -> [String] {
    var found: [String] = []
    var word = ""
    var before: Character = " "
    for character in line + " " {
      if character.isLetter || character.isNumber || character == "_" {
        word.append(character)
        continue
      }
      let isCall = character == "(" || word == "errno"
      if isCall, before != ".", !line.contains("func \(word)"), names.contains(word) { found.append(word) }
      if word == "Glibc" || word == "Darwin", character == "." { found.append("\(word).") }
      if !word.isEmpty || character != " " { before = character }
      word = ""
    }
    return found
  }
}
