import Foundation
import Kernels
import Parallel
import Tensors
import Testing

@testable import Training

/// What NumPy finds (`Golden/make_spectrum.py`).
private struct SpectrumGolden: Decodable, CustomTestStringConvertible {
  let rows: Int
  let columns: Int
  let features: [Float]
  let singular_values: [Double]
  let deviations: [Double]
  let points: [Double]
  let explained: [Double]

  var testDescription: String { "\(rows) × \(columns)" }

  static let all: [SpectrumGolden] = {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden")
    let data = try? Data(contentsOf: folder.appending(path: "spectrum.json"))
    return data.flatMap { try? JSONDecoder().decode([SpectrumGolden].self, from: $0) } ?? []
  }()
}

@Suite("The spectrum of features")
struct FeatureSpectrumTests {
  private func look(
    _ values: [Float], rows: Int, columns: Int, threads: Int = 1
  ) throws -> FeatureSpectrum.Findings? {
    let arena = try Arena()
    let features = try arena.allocate(values.count)
    features.copy(from: values)
    let compute = Compute(team: try ThreadTeam(threads: threads))
    return try FeatureSpectrum(rows: rows, columns: columns, compute: compute, arena: arena)
      .look(at: features)
  }

  @Test(arguments: SpectrumGolden.all)
  fileprivate func `is that of NumPy, with the same bits for any number of threads`(
    golden: SpectrumGolden
  ) throws {
    let found = try #require(try look(golden.features, rows: golden.rows, columns: golden.columns))
    let scale = golden.singular_values[0]
    func expectNear(_ found: [Double], _ expected: [Double], _ tolerance: Double) {
      #expect(found.count == expected.count)
      for (one, other) in zip(found, expected) { #expect(abs(one - other) < tolerance, "\(one) \(other)") }
    }
    // The root of an eigenvalue that is zero has half of the digits.
    expectNear(found.singularValues, golden.singular_values, 1e-6 * scale)
    expectNear(found.deviations, golden.deviations, 1e-9)
    expectNear(found.points.flatMap { [$0.x, $0.y] }, golden.points, 1e-6 * scale)
    expectNear([found.explained.x, found.explained.y], golden.explained, 1e-9)
    for threads in 2...3 {
      #expect(
        try look(golden.features, rows: golden.rows, columns: golden.columns, threads: threads) == found)
    }
  }

  @Test func `there are golden spectra`() { #expect(SpectrumGolden.all.count == 5) }

  @Test func `rows in one point have no place, and what is not finite has none either`() throws {
    let found = try #require(try look(Array(repeating: 0.3, count: 40), rows: 10, columns: 4))
    #expect(found.points == Array(repeating: .zero, count: 10))
    #expect(found.explained == .zero)
    #expect(found.deviations.allSatisfy { $0 == 0 })
    #expect(abs(found.effectiveRank - 1) < 1e-3)
    #expect(try look([1, .nan, 2, 3], rows: 2, columns: 2) == nil)
    #expect(try look([0, 0, 0, 0], rows: 2, columns: 2)?.effectiveRank == 1)
  }
}
