import JSONText

extension MethodName {
  /// Every method, in the order in which people read them.
  package static let types: [any MethodSpecification.Type] = [
    VICReg.self, BarlowTwins.self, SimCLR.self, BYOL.self, SimSiam.self, SIGReg.self, Supervised.self,
  ]
}

/// What is minimised: a method with its constants.
package struct LossSpecification: JSONRecord, Equatable {
  /// The constants, whose type says which method it is.
  package var constants: any MethodSpecification

  /// The default values are those of the `seed` recipe.
  package init(_ constants: any MethodSpecification = VICReg()) { self.constants = constants }

  /// The method. In JSON it is a member of the specification, next to `loss`. Another one begins with its
  /// own constants.
  package var method: MethodName {
    get { type(of: constants).name }
    set { if newValue != method { constants = newValue.type.standard } }
  }

  package static func == (one: Self, other: Self) -> Bool { one.constants.equals(other.constants) }

  package static let fields = Fields<Self> { MethodName.types.flatMap { members(of: $0) } }

  /// The members of a method, which belong to the object where the method is that one.
  private static func members<Constants: MethodSpecification>(of type: Constants.Type) -> [Field<Self>] {
    Constants.fields.within(\.[ConstantsOf<Constants>()]).map { field in
      field.when("method is \"\(Constants.name.rawValue)\"") { $0.method == Constants.name }
    }
  }

  /// Names the type of constants in a key path.
  private struct ConstantsOf<Constants: MethodSpecification>: Hashable, Sendable {}

  /// The constants as those of a method; of another method than the chosen one those that it begins with,
  /// and they cannot be changed.
  private subscript<Constants: MethodSpecification>(_: ConstantsOf<Constants>) -> Constants {
    get { constants as? Constants ?? .standard }
    set { if constants is Constants { constants = newValue } }
  }
}
