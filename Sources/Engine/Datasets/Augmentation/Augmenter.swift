import Recipe
import Tensors

/// Makes views of a dataset's images: planar floats `[3][side][side]`, normalised unless told otherwise.
package struct Augmenter: Sendable {
  private let maker: ViewMaker
  private let mean: SIMD3<Float>
  private let std: SIMD3<Float>

  /// `statistics` normalise the view; `nil` leaves values in [0, 1].
  package init(_ maker: ViewMaker, statistics: ChannelStatistics?) {
    self.maker = maker
    if let statistics {
      mean = SIMD3(Float(statistics.mean[0]), Float(statistics.mean[1]), Float(statistics.mean[2]))
      std = SIMD3(Float(statistics.std[0]), Float(statistics.std[1]), Float(statistics.std[2]))
    } else {
      mean = SIMD3(repeating: 0)
      std = SIMD3(repeating: 1)
    }
  }

  /// Writes the view that `key` names of the image `key.sample` into `output`, `[3][side][side]`.
  package func view(of dataset: ImageDataset, key: ViewKey, into output: Floats, scratch: AugmentationScratch)
  {
    switch maker {
    case .plain: copy(dataset, key.sample, isMirrored: false, into: output)
    case .mirrored: copy(dataset, key.sample, isMirrored: true, into: output)
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
    let side = dataset.side
    let image = PlanarImage(planes: dataset.planes, side: side, storage: scratch.image)
    image.resizedCrop(
      of: dataset.pixels.span, offset: index * dataset.planes * side * side, sourceHeight: side,
      sourceWidth: side,
      box: draw.crop, flips: draw.flips, antialias: recipe.antialias, scratch: scratch)
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

  /// Image `index` as it is or mirrored: `(byte / 255 − mean) / std`, rounded as PyTorch rounds it.
  private func copy(_ dataset: ImageDataset, _ index: Int, isMirrored: Bool, into output: Floats) {
    let side = dataset.side
    let area = side * side
    let pixels = dataset.pixels.span
    for channel in 0..<3 {
      let plane = dataset.planes == 3 ? channel : 0
      let source = (index * dataset.planes + plane) * area
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
