import KernelsABI

/// Rows of accumulators in registers: the inside of every matrix product.
///
/// A tile has `rows` rows of one or two registers. In each step a number of each row is multiplied by a row
/// of B. The accumulators are nested tuples, not structs: the compiler writes copy functions for structs that
/// are shared by the whole program, whatever instruction set they were compiled for.
protocol Tile {
  /// The accumulators.
  associatedtype Sums
  /// Rows of the tile.
  static var rows: Int { get }
  /// All accumulators zero.
  static var zero: Sums { get }
  /// Adds `a[row · stride] · (b0, b1)` to each row; `stride` is a constant at every call.
  static func step(_ sums: inout Sums, _ a: In, stride: Int, _ b0: In, _ b1: In)
  /// Where each row begins.
  associatedtype Starts
  /// Asks for the start of each row in turn.
  static func starts(_ next: () -> In) -> Starts
  /// Adds `start[offset] · (b0, b1)` to each row.
  static func step(_ sums: inout Sums, _ starts: Starts, offset: Int, _ b0: In, _ b1: In)
  /// Adds the accumulators to `c0[row · 16]` and `c1[row · 16]`.
  static func add(_ sums: Sums, _ c0: Out, _ c1: Out)
  /// Writes the accumulators to `c0[row · 16]` and `c1[row · 16]`.
  static func store(_ sums: Sums, _ c0: Out, _ c1: Out)
}

/// Writes the accumulators to `c0[row · 16]` and `c1[row · 16]`, or adds them to what is there.
///
/// A sum that is continued begins at zero and is added at its end: rounding errors grow with the length of
/// one sum, not of all.
@inline(__always)
func finish<T: Tile>(_: T.Type, _ sums: T.Sums, _ c0: Out, _ c1: Out, _ accumulate: Bool) {
  if accumulate { T.add(sums, c0, c1) } else { T.store(sums, c0, c1) }
}

/// One row of two registers.
enum WideRow: Tile {
  @inline(__always)
  static var rows: Int { 1 }

  @inline(__always)
  static var zero: (Register, Register) { (Register(), Register()) }

  @inline(__always)
  static func step(_ sums: inout (Register, Register), _ a: In, stride: Int, _ b0: In, _ b1: In) {
    let x = Register(repeating: a.pointee)
    sums.0 = multiplyAdd(x, register(b0), sums.0)
    sums.1 = multiplyAdd(x, register(b1), sums.1)
  }

  @inline(__always)
  static func starts(_ next: () -> In) -> In { next() }

  @inline(__always)
  static func step(
    _ sums: inout (Register, Register), _ starts: In, offset: Int, _ b0: In, _ b1: In
  ) { step(&sums, starts + offset, stride: 0, b0, b1) }

  @inline(__always)
  static func add(_ sums: (Register, Register), _ c0: Out, _ c1: Out) {
    setRegister(register(c0) + sums.0, c0)
    setRegister(register(c1) + sums.1, c1)
  }

  @inline(__always)
  static func store(_ sums: (Register, Register), _ c0: Out, _ c1: Out) {
    setRegister(sums.0, c0)
    setRegister(sums.1, c1)
  }
}

/// One row of one register; `b1` and `c1` are not used.
enum NarrowRow: Tile {
  @inline(__always)
  static var rows: Int { 1 }

  @inline(__always)
  static var zero: Register { Register() }

  @inline(__always)
  static func step(_ sums: inout Register, _ a: In, stride: Int, _ b0: In, _ b1: In) {
    sums = multiplyAdd(Register(repeating: a.pointee), register(b0), sums)
  }

  @inline(__always)
  static func starts(_ next: () -> In) -> In { next() }

  @inline(__always)
  static func step(_ sums: inout Register, _ starts: In, offset: Int, _ b0: In, _ b1: In) {
    step(&sums, starts + offset, stride: 0, b0, b1)
  }

  @inline(__always)
  static func add(_ sums: Register, _ c0: Out, _ c1: Out) { setRegister(register(c0) + sums, c0) }

  @inline(__always)
  static func store(_ sums: Register, _ c0: Out, _ c1: Out) { setRegister(sums, c0) }
}

/// One row of four registers, whose operands and results lie at equal distances: as far apart as `b0` and
/// `b1`, `c0` and `c1` are.
enum QuadRow: Tile {
  @inline(__always)
  static var rows: Int { 1 }

  @inline(__always)
  static var zero: (WideRow.Sums, WideRow.Sums) { (WideRow.zero, WideRow.zero) }

  @inline(__always)
  static func step(_ sums: inout (WideRow.Sums, WideRow.Sums), _ a: In, stride: Int, _ b0: In, _ b1: In) {
    WideRow.step(&sums.0, a, stride: stride, b0, b1)
    WideRow.step(&sums.1, a, stride: stride, b0 + 2 * (b1 - b0), b0 + 3 * (b1 - b0))
  }

  @inline(__always)
  static func starts(_ next: () -> In) -> In { next() }

  @inline(__always)
  static func step(
    _ sums: inout (WideRow.Sums, WideRow.Sums), _ starts: In, offset: Int, _ b0: In, _ b1: In
  ) { step(&sums, starts + offset, stride: 0, b0, b1) }

  @inline(__always)
  static func add(_ sums: (WideRow.Sums, WideRow.Sums), _ c0: Out, _ c1: Out) {
    WideRow.add(sums.0, c0, c1)
    WideRow.add(sums.1, c0 + 2 * (c1 - c0), c0 + 3 * (c1 - c0))
  }

  @inline(__always)
  static func store(_ sums: (WideRow.Sums, WideRow.Sums), _ c0: Out, _ c1: Out) {
    WideRow.store(sums.0, c0, c1)
    WideRow.store(sums.1, c0 + 2 * (c1 - c0), c0 + 3 * (c1 - c0))
  }
}

/// One tile on top of another.
enum Stack<Upper: Tile, Lower: Tile>: Tile {
  @inline(__always)
  static var rows: Int { Upper.rows + Lower.rows }

  @inline(__always)
  static var zero: (Upper.Sums, Lower.Sums) { (Upper.zero, Lower.zero) }

  @inline(__always)
  static func step(_ sums: inout (Upper.Sums, Lower.Sums), _ a: In, stride: Int, _ b0: In, _ b1: In) {
    Upper.step(&sums.0, a, stride: stride, b0, b1)
    Lower.step(&sums.1, a + Upper.rows * stride, stride: stride, b0, b1)
  }

  @inline(__always)
  static func starts(_ next: () -> In) -> (Upper.Starts, Lower.Starts) {
    let upper = Upper.starts(next)
    return (upper, Lower.starts(next))
  }

  @inline(__always)
  static func step(
    _ sums: inout (Upper.Sums, Lower.Sums), _ starts: (Upper.Starts, Lower.Starts), offset: Int, _ b0: In,
    _ b1: In
  ) {
    Upper.step(&sums.0, starts.0, offset: offset, b0, b1)
    Lower.step(&sums.1, starts.1, offset: offset, b0, b1)
  }

  @inline(__always)
  static func add(_ sums: (Upper.Sums, Lower.Sums), _ c0: Out, _ c1: Out) {
    Upper.add(sums.0, c0, c1)
    Lower.add(sums.1, c0 + Upper.rows * 16, c1 + Upper.rows * 16)
  }

  @inline(__always)
  static func store(_ sums: (Upper.Sums, Lower.Sums), _ c0: Out, _ c1: Out) {
    Upper.store(sums.0, c0, c1)
    Lower.store(sums.1, c0 + Upper.rows * 16, c1 + Upper.rows * 16)
  }
}

/// Two rows of two registers.
typealias TwoRows = Stack<WideRow, WideRow>
/// Four rows of two registers.
typealias FourRows = Stack<TwoRows, TwoRows>
/// Four rows of one register.
typealias FourNarrowRows = Stack<Stack<NarrowRow, NarrowRow>, Stack<NarrowRow, NarrowRow>>
/// Twelve rows of one register.
typealias TwelveNarrowRows = Stack<FourNarrowRows, Stack<FourNarrowRows, FourNarrowRows>>

/// Four rows of four registers.
typealias FourQuadRows = Stack<Stack<QuadRow, QuadRow>, Stack<QuadRow, QuadRow>>
/// Six rows of four registers: 24 accumulators. It needs the fewest instructions of all tiles that fit 32
/// registers, which counts most where another thread shares the core.
typealias SixQuadRows = Stack<FourQuadRows, Stack<QuadRow, QuadRow>>

/// Reads one register from anywhere.
@inline(__always)
func register(_ p: In) -> Register { UnsafeRawPointer(p).loadUnaligned(as: Register.self) }

/// Writes one register to anywhere.
@inline(__always)
func setRegister(_ value: Register, _ p: Out) {
  UnsafeMutableRawPointer(p).storeBytes(of: value, as: Register.self)
}
