import Text

/// Turns configurations into feature vectors for the Gaussian process.
///
/// A number is its place in the unit interval, a choice one feature per value (one-hot, scaled so that two
/// different values are at distance 1). A parameter that is not active stands in the middle: 0.5, or zero for
/// every value. Between a configuration and its features stand coordinates, one in [0, 1] for every
/// parameter, active or not.
struct GaussianEncoding: Sendable {
  let space: SearchSpace
  /// Which parameter each feature belongs to.
  let groups: [Int]
  let axes: [Axis]

  /// How a parameter becomes features.
  struct Axis: Sendable {
    /// The features from `first` on: one, or one per value of a choice.
    var first: Int
    var isChoice: Bool
    /// How many values; nil: any number.
    var count: Int?
    /// Earlier parameters, and the places of their values that make this one active.
    var conditions: [(parameter: Int, places: Set<Int>)]

    /// Coordinate of value `place`.
    func coordinate(_ place: Int) -> Double { (Double(place) + 0.5) / Double(count ?? 1) }

    /// Value that a coordinate stands for.
    func place(_ coordinate: Double) -> Int {
      let count = count ?? 1
      return max(0, min(count - 1, Int(coordinate * Double(count))))
    }
  }

  init(_ space: SearchSpace) {
    self.space = space
    let places = Dictionary(
      space.parameters.enumerated().map { ($0.element.pointer, $0.offset) }, uniquingKeysWith: { $1 })
    var groups: [Int] = []
    var axes: [Axis] = []
    for (index, parameter) in space.parameters.enumerated() {
      let isChoice = if case .choice = parameter.domain { true } else { false }
      let count = parameter.domain.count
      let conditions = parameter.conditions.compactMap { condition in
        places[condition.pointer].map { other in
          (other, Set(condition.values.compactMap(space.parameters[other].domain.index)))
        }
      }
      axes.append(Axis(first: groups.count, isChoice: isChoice, count: count, conditions: conditions))
      groups += Array(repeating: index, count: isChoice ? count ?? 1 : 1)
    }
    self.groups = groups
    self.axes = axes
  }

  /// Coordinates of a configuration; 0.5 for parameters that are not active.
  func coordinates(_ configuration: Configuration) -> [Double] {
    space.units(of: configuration).map { $0 ?? 0.5 }
  }

  /// The configuration at some coordinates.
  func configuration(_ coordinates: [Double]) -> Configuration { space.configuration(atUnits: coordinates) }

  /// Which parameters are active at some coordinates.
  func active(_ coordinates: [Double]) -> [Bool] {
    var result: [Bool] = []
    for axis in axes {
      result.append(
        axis.conditions.allSatisfy { condition in
          let place = axes[condition.parameter].place(coordinates[condition.parameter])
          return result[condition.parameter] && condition.places.contains(place)
        })
    }
    return result
  }

  /// Moves the coordinates of parameters with single values to the middle of their value's part.
  func snapped(_ coordinates: [Double]) -> [Double] {
    zip(axes, coordinates).map { axis, coordinate in
      axis.count == nil ? coordinate : axis.coordinate(axis.place(coordinate))
    }
  }

  /// The features at some coordinates.
  func features(_ coordinates: [Double]) -> [Double] {
    let active = active(coordinates)
    var result = Array(repeating: 0.0, count: groups.count)
    for (index, axis) in axes.enumerated() {
      if !axis.isChoice {
        let place = axis.count == nil ? coordinates[index] : axis.coordinate(axis.place(coordinates[index]))
        result[axis.first] = active[index] ? place : 0.5
      } else if active[index] {
        result[axis.first + axis.place(coordinates[index])] = 0.5.squareRoot()
      }
    }
    return result
  }
}
