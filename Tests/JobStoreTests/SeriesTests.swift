import Testing

@testable import JobStore

@Suite struct SeriesTests {
  private func curve(_ count: Int) -> [SeriesPoint] {
    (0..<count).map { SeriesPoint(step: $0 * 10, value: Double(($0 * 7919) % 1009)) }
  }

  @Test func `a short curve stays whole`() {
    #expect(thin(curve(50), to: 50) == curve(50))
    #expect(thin([], to: 4) == [])
  }

  @Test(arguments: [4, 5, 10, 100, 999])
  func `keeps ends and extremes within the limit`(limit: Int) throws {
    let points = curve(1000)
    let thinned = thin(points, to: limit)
    #expect(thinned.count <= limit)
    #expect(thinned.first == points.first)
    #expect(thinned.last == points.last)
    #expect(thinned.map(\.step) == thinned.map(\.step).sorted())
    #expect(thinned.map(\.value).max() == points.map(\.value).max())
    #expect(thinned.map(\.value).min() == points.map(\.value).min())
  }

  @Test func `a curve that grows keeps the points it had`() {
    let before = thin(curve(1001), to: 200)
    let after = thin(curve(1010), to: 200)
    let stable = before.dropLast(3)
    #expect(Array(after.prefix(stable.count)) == Array(stable))
  }

  @Test func `a constant curve needs one point a bucket`() {
    let flat = (0..<100).map { SeriesPoint(step: $0, value: 1) }
    #expect(thin(flat, to: 20).count <= 11)
  }

  @Test(arguments: [4, 5, 7, 100])
  func `far and disordered steps are thinned like near ones`(limit: Int) {
    let steps: [[Int]] = [
      [0, 1, 2, 3, .max - 1, .max], [.max, 0, .max, 0, 5, 7, 1], [.min, -1, 0, 1, .max],
      [.min, .max, .min, .max, 0], (0..<64).map { 1 << min($0, 62) }, [Int](repeating: .max, count: 200),
      (0..<300).map { ($0 * 7919) % 1009 },
    ]
    for steps in steps {
      let points = steps.enumerated().map { SeriesPoint(step: $1, value: Double($0 % 17)) }
      let thinned = thin(points, to: limit)
      // A curve of both signs, which no run has, may need one bucket more.
      #expect(thinned.count <= max(limit, 6))
      if points.count > limit { #expect(thinned.map(\.step) == thinned.map(\.step).sorted()) }
    }
  }
}
