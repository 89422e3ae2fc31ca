import Parallel
import Recipe
import Tensors
import Testing

@testable import Datasets

@Suite struct `Local views` {
  private static let local = LocalViews(count: 3, size: 11, cropScale: 0.05...0.4)
  private static let indices = Array(0..<13)
  private static let globalFloats = 2 * 13 * 3 * 16 * 16

  private func batch(_ groups: [ViewGroup], threads: Int = 1) throws -> [Float] {
    let loader = try BatchLoader(
      dataset: DatasetCatalog().open("synthetic:side=16,count=40", split: .train), groups: groups, seed: 9,
      team: ThreadTeam(threads: threads))
    let output = try Arena().allocate(loader.viewFloats(Self.indices.count))
    loader.load(Self.indices[...], epoch: 2, into: output)
    return output.array
  }

  private func groups(_ augmentation: AugmentationSpecification, local: LocalViews? = local) -> [ViewGroup] {
    var specification = TrainSpecification.preset(.seed)
    specification.augmentation = augmentation
    specification.localViews = local
    return specification.viewGroups(storedSide: 16)
  }

  @Test func `follow the global ones, which they do not change, with any number of threads`() throws {
    let augmentation = AugmentationSpecification.random(.seed)
    let globals = try batch(groups(augmentation, local: nil))
    let all = try batch(groups(augmentation))
    #expect(globals.count == Self.globalFloats)
    #expect(all.count == Self.globalFloats + 3 * 13 * 3 * 11 * 11)
    #expect(Array(all.prefix(Self.globalFloats)) == globals)
    for threads in [2, 3] { #expect(try batch(groups(augmentation), threads: threads) == all) }
  }

  @Test func `are small crops, each drawn on its own`() throws {
    var recipe = AugmentationRecipe.cropAndFlip()
    recipe.cropPadding = 4
    let makers = AugmentationSpecification.random(recipe).localViews(Self.local)
    #expect(makers.count == 3)
    for maker in makers {
      guard case .random(let own, _) = maker else {
        Issue.record("a local view is a random one")
        continue
      }
      #expect(own.cropScale == 0.05...0.4 && own.cropPadding == nil)
      for sample in 0..<50 {
        let key = ViewKey(seed: 1, epoch: 0, sample: sample, view: 2)
        let crop = AugmentationDraw(recipe: own, height: 32, width: 32, key: key).crop
        #expect(crop.height * crop.width <= 460)
      }
    }
    let all = try batch(groups(.random(recipe)))
    let views = (0..<3).map { view in
      Array(all[(Self.globalFloats + view * 13 * 363)..<(Self.globalFloats + (view + 1) * 13 * 363)])
    }
    #expect(views[0] != views[1] && views[1] != views[2] && views[0] != views[2])
  }

  @Test func `are without randomness the whole image at their size, and its mirror image`() throws {
    let all = try batch(groups(.mirror))
    let resized = try batch([ViewGroup([.plain, .mirrored, .plain], side: 11)])
    #expect(Array(all.suffix(resized.count)) == resized)
  }
}
