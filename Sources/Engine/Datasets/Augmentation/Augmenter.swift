import Recipe
import TensorElements
import Tensors

/// Makes views of a dataset's images: planar floats `[3][side][side]`, normalised unless told otherwise.
///
/// The side of the views is their own: images of another side are resized.
package struct Augmenter: Sendable {
  private let maker: ViewMaker
  /// Of the views, in pixels.
  private let side: Int
  private let mean: SIMD3<Float>
  private let std: SIMD3<Float>

  /// Views of `side` × `side` pixels. `statistics` normalise them; `nil` leaves values in [0, 1].
  package init(_ maker: ViewMaker, side: Int, statistics: ChannelStatistics?) {
    self.maker = maker
    self.side = side
    if let statistics {
      mean = SIMD3(Float(statistics.mean[0]), Float(statistics.mean[1]), Float(statistics.mean[2]))
      std = SIMD3(Float(statistics.std[0]), Float(statistics.std[1]), Float(statistics.std[2]))
    } else {
      mean = SIMD3(repeating: 0)
      std = SIMD3(repeating: 1)
    }
  }

  /// Writes the view that `key` names of the image `key.sample` into `output`, `[3][side][side]`; `scratch`
  /// is made for views of this side out of the dataset's images.
  package func view(of dataset: ImageDataset, key: ViewKey, into output: Floats, scratch: AugmentationScratch)
  {
    switch maker {
    case .plain: copy(dataset, key.sample, isMirrored: false, into: output, scratch: scratch)
    case .mirrored: copy(dataset, key.sample, isMirrored: true, into: output, scratch: scratch)
    case .random(let recipe, let branch):
      let draw = AugmentationDraw(
        recipe: recipe, branch: branch, height: dataset.side, width: dataset.side, key: key)
      apply(draw, recipe, to: dataset, key.sample, into: output, scratch: scratch)
    }
  }

  /// Applies drawn parameters to image `index` of `dataset`; the probabilities and ranges of `recipe` play no
  /// part.
  func apply(
    _ draw: AugmentationDraw, _ recipe: AugmentationRecipe, to dataset: ImageDataset, _ index: Int,
    into output: Floats, scratch: AugmentationScratch
  ) {
    let image = resizedCrop(
      of: dataset, index, box: draw.crop, flips: draw.flips, antialias: recipe.antialias, scratch: scratch)
    if let shift = draw.shift {
      // The image is flipped already: so is the move.
      image.shift(rows: shift.rows, columns: draw.flips ? -shift.columns : shift.columns)
    }
    if let color = draw.color { image.apply(color) }
    if draw.isGray { image.makeGray() }
    if let sigma = draw.blurSigma { image.blur(size: recipe.blurKernel, sigma: sigma, scratch: scratch) }
    finish(image, threshold: draw.solarizes ? Float(recipe.solarizeThreshold) : .infinity, into: output)
  }

  /// Inverts the values from `threshold` on, normalises, and packs the planes.
  private func finish(_ image: PlanarImage, threshold: Float, into output: Floats) {
    let side = image.side
    let whole = side / Pixels.scalarCount * Pixels.scalarCount
    for channel in 0..<3 {
      let source = image.planes == 3 ? channel * image.planeCount : 0
      let mean = self.mean[channel]
      let factor = 1 / std[channel]
      for row in 0..<side {
        let from = source + row * image.stride
        let to = (channel * side + row) * side
        for column in Swift.stride(from: 0, to: image.stride, by: Pixels.scalarCount) {
          var values = image.storage.vector8(at: from + column)
          values.replace(with: 1 - values, where: values .>= threshold)
          values = (values - mean) * factor
          if column < whole {
            output.setVector8(values, at: to + column)
          } else {
            for rest in column..<side { output[to + rest] = values[rest - column] }
          }
        }
      }
    }
  }

  /// A part of image `index`, resized to the side of the views.
  private func resizedCrop(
    of dataset: ImageDataset, _ index: Int, box: AugmentationDraw.Box, flips: Bool, antialias: Bool,
    scratch: AugmentationScratch
  ) -> PlanarImage {
    let image = PlanarImage(planes: dataset.planes, side: side, storage: scratch.image)
    dataset.images.withImage(index) { pixels in
      image.resizedCrop(
        of: pixels, offset: 0, sourceHeight: dataset.side, sourceWidth: dataset.side, box: box, flips: flips,
        antialias: antialias, scratch: scratch)
    }
    return image
  }

  /// The whole of image `index`, unchanged or mirrored. If views have another side, it is resized like
  /// torchvision's `Resize`, whose default is a triangle filter.
  private func copy(
    _ dataset: ImageDataset, _ index: Int, isMirrored: Bool, into output: Floats,
    scratch: AugmentationScratch
  ) {
    guard dataset.side != side else {
      dataset.images.withImage(index) { pixels in
        copyPixels(pixels, dataset, isMirrored: isMirrored, into: output)
      }
      return
    }
    let box = AugmentationDraw.Box(top: 0, left: 0, height: dataset.side, width: dataset.side)
    let image = resizedCrop(
      of: dataset, index, box: box, flips: isMirrored, antialias: true, scratch: scratch)
    finish(image, threshold: .infinity, into: output)
  }

  /// An image, unchanged or mirrored: `(byte / 255 − mean) / std`, rounded as PyTorch rounds it.
  private func copyPixels(
    _ pixels: Span<UInt8>, _ dataset: ImageDataset, isMirrored: Bool, into output: Floats
  ) {
    let side = dataset.side
    let area = side * side
    for channel in 0..<3 {
      let plane = dataset.planes == 3 ? channel : 0
      let source = plane * area
      let mean = self.mean[channel]
      let std = self.std[channel]
      for row in 0..<side {
        let from = source + row * side
        let to = channel * area + row * side
        for column in 0..<side {
          let byte = pixels[from + (isMirrored ? side - 1 - column : column)]
          output[to + column] = (Float(byte) / 255 - mean) / std
        }
      }
    }
  }
}

extension PlanarImage {
  /// Applies the colour changes in the order drawn.
  func apply(_ color: AugmentationDraw.ColorDraw) {
    for position in 0..<4 {
      switch AugmentationDraw.ColorOperation(rawValue: color.order[position]) {
      case .brightness: if let factor = color.brightness { adjustBrightness(factor) }
      case .contrast: if let factor = color.contrast { adjustContrast(factor) }
      case .saturation: if let factor = color.saturation { adjustSaturation(factor) }
      case .hue: if let shift = color.hue { adjustHue(shift) }
      case nil: preconditionFailure("an order lists the four colour operations")
      }
    }
  }
}
