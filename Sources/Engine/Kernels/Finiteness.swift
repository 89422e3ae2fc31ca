import Tensors

/// How many of some values are finite, and how large those are.
package struct Finiteness: Sendable, Equatable {
  /// Values that were looked at.
  package var count = 0
  /// Those that are infinite or NaN.
  package var notFinite = 0
  /// The largest magnitude of the others; 0 if there are none.
  package var largest: Float = 0

  /// `count` values, of which `notFinite` are not finite.
  package init(count: Int = 0, notFinite: Int = 0) {
    self.count = count
    self.notFinite = notFinite
  }

  fileprivate mutating func take(_ value: Float) {
    count += 1
    if value.isFinite { largest = max(largest, abs(value)) } else { notFinite += 1 }
  }
}

extension Compute {
  /// Looks at every value, on the calling thread: for the diagnosis of a step, not for its course.
  ///
  /// Reference: `the layer with a weight that is not finite is named`
  package func finiteness(of floats: Floats) -> Finiteness {
    var found = Finiteness()
    for index in 0..<floats.count { found.take(floats.pointer[index]) }
    return found
  }

  /// The same for the channels in use of `map`.
  ///
  /// `map` is `[N, C, H, W]`; lanes beyond C are not read.
  ///
  /// Reference: `the layer with a weight that is not finite is named`
  package func finiteness(of map: Activation) -> Finiteness {
    var found = Finiteness()
    let lanes = Activation.lanes
    for line in 0..<map.images * map.blocks * map.pixels {
      let block = line / map.pixels % map.blocks
      for lane in 0..<min(lanes, map.channels - block * lanes) {
        found.take(map.storage.pointer[line * lanes + lane])
      }
    }
    return found
  }
}
