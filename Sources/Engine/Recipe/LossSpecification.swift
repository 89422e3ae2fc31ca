import JSONText

/// What is minimised: a method, and the constants of each method, of which those of the chosen one count.
package struct LossSpecification: JSONRecord, Equatable {
  /// The method whose constants are used. In JSON it is a member of the specification, next to `loss`.
  package var method: MethodName
  package var vicreg: VICReg
  package var barlowTwins = BarlowTwins()
  package var simclr = SimCLR()
  package var byol = BYOL()
  package var simsiam = SimSiam()
  package var sigreg = SIGReg()
  package var supervised = Supervised()

  /// The default values are those of the `seed` recipe.
  package init(method: MethodName = .vicreg, vicreg: VICReg = VICReg()) {
    self.method = method
    self.vicreg = vicreg
  }

  /// The constants that count.
  package var constants: any MethodSpecification {
    switch method {
    case .vicreg: vicreg
    case .barlowTwins: barlowTwins
    case .simclr: simclr
    case .byol: byol
    case .simsiam: simsiam
    case .sigreg: sigreg
    case .supervised: supervised
    }
  }

  package static let fields = Fields<Self> {
    members(of: \.vicreg)
    members(of: \.barlowTwins)
    members(of: \.simclr)
    members(of: \.byol)
    members(of: \.simsiam)
    members(of: \.sigreg)
    members(of: \.supervised)
  }

  /// The members of a method, which belong to the object where the method is that one.
  private static func members<Constants: MethodSpecification>(
    of path: any WritableKeyPath<Self, Constants> & Sendable
  ) -> [Field<Self>] {
    Constants.fields.within(path).map { field in
      field.when("method is \"\(Constants.name.rawValue)\"") { $0.method == Constants.name }
    }
  }
}
