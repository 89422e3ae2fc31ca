import RunFolder
import SharedWork

/// What describes images by trained encoders.
package protocol EmbeddingService: Sendable {
  /// What an encoder says of images, or that it will. Returns at once: no image is decoded in this process.
  ///
  /// - Parameter content: is kept until the images have been read.
  func embed(_ order: EmbedOrder, keeping content: any AnyObject & Sendable) -> Asked<EmbedFinding>
  /// The file with the features of a dataset, or that it will be made. Returns at once.
  func bank(_ order: BankOrder) -> Asked<BankFinding>
}
