// sources: System/Text/*.swift Jobs/JobModel/*.swift
// sources: System/JSON/*.swift System/JSON/Fields/*.swift Engine/Recipe/*.swift Engine/Recipe/*/*.swift

/// What libFuzzer calls with one input: the bytes of a JSON text, as a request's body or a file holds them.
///
/// It stops the run when a reader traps, or when one of these does not hold:
///  - a value that was read is written and read again as the same value, in the same bytes;
///  - `JSON.members` agrees with `JSON.parse` on what it reads;
///  - a specification that was accepted is accepted again from its own JSON, and is the same;
///  - however many errors an input has, the list of them stays short, and so does each error.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  guard let value = try? JSON.parse(bytes) else { return 0 }
  checkRoundTrip(value)
  checkMembers(value, bytes)
  checkSpecification(value)
  return 0
}

private func checkRoundTrip(_ value: JSON) {
  let text = value.utf8
  guard let again = try? JSON.parse(text) else { preconditionFailure("What was written cannot be read.") }
  precondition(again == value, "What was written is another value.")
  precondition(again.utf8 == text, "What was written is written differently the second time.")
  precondition(value.phrase.utf8.count <= 1_000, "A value is quoted in full.")
}

private func checkMembers(_ value: JSON, _ bytes: [UInt8]) {
  guard let spec = value["spec"], let text = String(validating: bytes, as: UTF8.self) else { return }
  let members = try? JSON.members(["spec"], of: text)
  precondition(members?.first?.value == spec, "A member is read differently from the whole.")
}

private func checkSpecification(_ value: JSON) {
  do {
    let specification = try TrainSpecification.parse(value)
    guard let again = try? TrainSpecification.parse(specification.json) else {
      preconditionFailure("A specification is refused in the form in which it is answered.")
    }
    precondition(again == specification, "A specification changes when it is read again.")
    precondition(specification.jsonText == specification.json.text, "A specification has two texts.")
  } catch {
    check(error)
  }
  do {
    _ = try EvaluateSpecification.parse(value)
  } catch {
    check(error)
  }
}

private func check(_ problems: SpecificationProblems) {
  // One hundred, and one that says how many more there are.
  precondition(problems.problems.count <= 101, "There are too many errors in the list.")
  for (pointer, message) in problems.problems {
    precondition(pointer.utf8.count + message.utf8.count <= 4_000, "An error is too long.")
  }
}
