import JSONText
import Recipe
import Testing
import Text

@Suite struct `The field local_views` {
  @Test(arguments: MethodName.allCases)
  func `local views are taken by the methods that can use them`(method: MethodName) throws {
    let spec: JSON = ["method": .string(ByteString(method.rawValue)), "local_views": ["count": 2]]
    let local = LocalViews(count: 2, size: 16, cropScale: 0.05...0.4)
    guard [.vicreg, .barlowTwins, .sigreg].contains(method) else {
      let error = #expect(throws: SpecificationProblems.self) { try TrainSpecification.parse(spec) }
      #expect(error?.problems.map(\.pointer) == ["/local_views"])
      #expect(
        error?.problems.first?.message
          == "must be null, as method is \"\(method.rawValue)\" and only \"vicreg\", \"barlow-twins\", "
          + "\"sigreg\" take local views, got an object")
      return
    }
    let specification = try TrainSpecification.parse(spec)
    #expect(specification.localViews == local)
    #expect(
      specification.json["local_views"] == ["count": 2, "size": 16, "crop_scale": [0.05, 0.4]])
    #expect(try TrainSpecification.parse(specification.json) == specification)
    #expect(try TrainSpecification.parse(["local_views": nil]).localViews == nil)
  }

  @Test func `a blur must fit into the local views`() {
    var recipe = AugmentationRecipe()
    recipe.blurKernel = 17
    var specification = TrainSpecification.preset(.seed)
    specification.augmentation = .random(recipe)
    specification.localViews = LocalViews(size: 8)
    let list = ProblemList()
    specification.check(imageSide: 32, at: "/spec", list)
    #expect(
      list.problems.map { "\($0.pointer) \($0.message)" } == [
        "/spec/augmentation/blur_kernel must be < 16, twice the side of the local views, got 17"
      ])
  }
}
