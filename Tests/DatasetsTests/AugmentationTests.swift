import Tensors
import Testing

@testable import Datasets

/// Every operation with given parameters against torchvision on photographs, garments and a palette.
@Suite struct AugmentationTests {
  /// Largest absolute difference allowed, in units of the value range [0, 1].
  private let tolerance: Float = 1e-4

  private func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).map { abs($0 - $1) }.max() ?? 0
  }

  private func picture(_ golden: AugmentationGolden.Case) throws -> AugmentationGolden.Picture {
    try #require(try AugmentationGolden.table.get().images[golden.image])
  }

  /// Memory for one view of `side` of the picture, and any blur.
  private func scratch(_ picture: AugmentationGolden.Picture, side: Int) throws -> AugmentationScratch {
    let extent = max(picture.height, picture.width)
    let bytes = AugmentationScratch.reservedBytes(side: side, extentMax: extent, blurKernel: 23)
    return try AugmentationScratch(
      side: side, extentMax: extent, blurKernel: 23, arena: Arena(reservedBytes: bytes))
  }

  /// The three channels of an image without the padding of its rows.
  private func channels(_ image: PlanarImage) -> [Float] {
    (0..<3).flatMap { channel in
      (0..<image.side).flatMap { row in
        (0..<image.side).map { column in
          image.storage[(channel % image.planes * image.side + row) * image.stride + column]
        }
      }
    }
  }

  /// The whole picture as floats, which must be square.
  private func whole(
    _ picture: AugmentationGolden.Picture, _ scratch: AugmentationScratch
  ) throws -> PlanarImage {
    let image = PlanarImage(planes: picture.planes, side: picture.height, storage: scratch.image)
    let box = AugmentationDraw.Box(top: 0, left: 0, height: picture.height, width: picture.width)
    let pixels = try AugmentationGolden.pixels(picture)
    image.resizedCrop(
      of: pixels.span, offset: 0, sourceHeight: picture.height, sourceWidth: picture.width, box: box,
      flips: false, antialias: false, scratch: scratch)
    return image
  }

  @Test func `there are golden numbers`() {
    #expect(AugmentationGolden.cases("crop", "hue", "view").count > 30)
  }

  @Test(arguments: AugmentationGolden.cases("crop"))
  func `crops, resizes and flips as torchvision`(_ golden: AugmentationGolden.Case) throws {
    let picture = try picture(golden)
    let scratch = try scratch(picture, side: golden.side)
    let image = PlanarImage(planes: picture.planes, side: golden.side, storage: scratch.image)
    let pixels = try AugmentationGolden.pixels(picture)
    image.resizedCrop(
      of: pixels.span, offset: 0, sourceHeight: picture.height, sourceWidth: picture.width, box: golden.box,
      flips: golden.integer("flip") == 1, antialias: golden.integer("antialias") == 1, scratch: scratch)
    #expect(largestDifference(channels(image), try AugmentationGolden.expected(golden)) <= tolerance)
  }

  @Test(arguments: AugmentationGolden.cases("brightness", "contrast", "saturation", "hue", "gray"))
  func `changes colours as torchvision`(_ golden: AugmentationGolden.Case) throws {
    let picture = try picture(golden)
    let image = try whole(picture, try scratch(picture, side: golden.side))
    let value = golden.float("value")
    var draw = AugmentationDraw.ColorDraw(order: SIMD4(3, 1, 0, 2))
    switch golden.operation {
    case "brightness": draw.brightness = value
    case "contrast": draw.contrast = value
    case "saturation": draw.saturation = value
    case "hue": draw.hue = value
    default: image.makeGray()
    }
    image.apply(draw)
    #expect(largestDifference(channels(image), try AugmentationGolden.expected(golden)) <= tolerance)
  }

  @Test(arguments: AugmentationGolden.cases("blur"))
  func `blurs as torchvision`(_ golden: AugmentationGolden.Case) throws {
    let picture = try picture(golden)
    let scratch = try scratch(picture, side: golden.side)
    let image = try whole(picture, scratch)
    image.blur(size: golden.integer("size"), sigma: try #require(golden.float("sigma")), scratch: scratch)
    #expect(largestDifference(channels(image), try AugmentationGolden.expected(golden)) <= tolerance)
  }

  @Test(arguments: AugmentationGolden.cases("view", "plain", "mirrored"))
  func `makes whole views as torchvision`(_ golden: AugmentationGolden.Case) throws {
    let table = try AugmentationGolden.table.get()
    let picture = try picture(golden)
    let dataset = ImageDataset(
      name: golden.image, split: .train, classes: ["any"], side: picture.height, planes: picture.planes,
      pixels: try AugmentationGolden.pixels(picture), labels: [0],
      statistics: ChannelStatistics(mean: table.mean, std: table.std))
    let scratch = try scratch(picture, side: golden.side)
    let output = try Arena(reservedBytes: 1 << 20).allocate(3 * golden.side * golden.side)
    if golden.operation == "view" {
      let augmenter = Augmenter(.random(.seed), side: golden.side, statistics: dataset.statistics)
      augmenter.apply(draw(golden), .seed, to: dataset, 0, into: output, scratch: scratch)
    } else {
      let augmenter = Augmenter(
        golden.operation == "plain" ? .plain : .mirrored, side: golden.side, statistics: dataset.statistics)
      let key = ViewKey(seed: 0, epoch: 0, sample: 0, view: 0)
      augmenter.view(of: dataset, key: key, into: output, scratch: scratch)
      #expect(output.array == (try AugmentationGolden.expected(golden)))
    }
    // The deviations of about 1/4 magnify differences fourfold.
    #expect(largestDifference(output.array, try AugmentationGolden.expected(golden)) <= 4 * tolerance)
  }

  private func draw(_ golden: AugmentationGolden.Case) -> AugmentationDraw {
    var color: AugmentationDraw.ColorDraw?
    if golden.parameters["order0"] != nil {
      let order = (0..<4).map { UInt8(golden.integer("order\($0)")) }
      color = AugmentationDraw.ColorDraw(
        order: SIMD4(order), brightness: golden.float("brightness"), contrast: golden.float("contrast"),
        saturation: golden.float("saturation"), hue: golden.float("hue"))
    }
    return AugmentationDraw(
      crop: golden.box, flips: golden.integer("flip") == 1, color: color, isGray: golden.integer("gray") == 1,
      blurSigma: golden.float("sigma"), solarizes: golden.integer("solarize") == 1)
  }
}
