import Images
import Parallel
import Recipe

/// Decodes batches of images on all threads. The result does not depend on how many there are.
///
/// Large images are decoded one after the other, so that memory is bounded by one of them and not by one per
/// thread.
package final class DecodingPool {
  /// An image as it came.
  package enum Input {
    /// The bytes of a file.
    case file([UInt8])
    /// An image of an array.
    case bitmap(Bitmap)
  }

  /// What became of an image: its planes and their number, or why there is none.
  package typealias Output = Result<Planes, ImageError>

  /// `[count][side][side]`.
  package struct Planes: Sendable {
    /// 1 (grey) or 3.
    package let count: Int
    package let bytes: [UInt8]

    /// Three planes, those of a grey image alike.
    package var three: [UInt8] { count == 1 ? bytes + bytes + bytes : bytes }
  }

  private let team: ThreadTeam
  private let side: Int
  private let fit: SquareImage.Fit
  private let pixelsMax: Int

  /// An image with more pixels is decoded alone.
  private static let sharedPixelsMax = 16_000_000

  convenience init(_ specification: ImportSpecification, team: ThreadTeam) {
    let fit: SquareImage.Fit =
      switch specification.fit {
      case .cover: .cover
      case .contain: .contain
      case .stretch: .stretch
      }
    self.init(
      side: specification.side, fit: fit, pixelsMax: specification.limits.pixels, team: team)
  }

  /// - Parameters:
  ///   - side: of the squares that images become.
  ///   - pixelsMax: pixels that an image may have.
  package init(side: Int, fit: SquareImage.Fit, pixelsMax: Int, team: ThreadTeam) {
    self.team = team
    self.side = side
    self.fit = fit
    self.pixelsMax = pixelsMax
  }

  /// Images that a batch should have.
  var batchCount: Int { 16 * team.threads }
  /// Bytes that a batch should have at most, unless a single image has more.
  static let batchBytes = 32 << 20

  /// What a thread writes for one image.
  private final class Slot {
    var output: Output = .failure(.empty)
  }

  /// Decodes and scales images, each by itself.
  package func decode(_ inputs: [Input]) -> [Output] {
    let slots = inputs.map { _ in Slot() }
    let headers = inputs.map(header)
    let isLarge = headers.map { header in
      if case .success(let header) = header {
        header.width * header.height > Self.sharedPixelsMax
      } else {
        false
      }
    }
    team.run(tasks: inputs.count) { index in
      if !isLarge[index] { slots[index].output = decode(inputs[index], headers[index]) }
    }
    for index in inputs.indices where isLarge[index] {
      slots[index].output = decode(inputs[index], headers[index])
    }
    return slots.map(\.output)
  }

  /// The header of a file; nil: an image of an array has none.
  private func header(_ input: Input) -> Result<ImageHeader, ImageError>? {
    guard case .file(let bytes) = input else { return nil }
    do throws(ImageError) {
      return .success(try ImageHeader(bytes, pixelsMax: pixelsMax))
    } catch {
      return .failure(error)
    }
  }

  private func decode(_ input: Input, _ header: Result<ImageHeader, ImageError>?) -> Output {
    do throws(ImageError) {
      let image: SquareImage
      switch input {
      case .file(let bytes):
        guard let header = try header?.get() else { throw .empty }
        image = try SquareImage(decoding: bytes, header, side: side, fit: fit)
      case .bitmap(let bitmap): image = SquareImage(bitmap, side: side, fit: fit)
      }
      let count = image.bitmap.channels
      return .success(Planes(count: count, bytes: image.bitmap.planes(count)))
    } catch {
      return .failure(error)
    }
  }
}
