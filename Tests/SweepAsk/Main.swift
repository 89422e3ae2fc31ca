import JSONText
import Platform
import Sweeps
import Text

/// Asks a searcher for configurations, for the comparison with other programs: JSON lines in, JSON lines out.
///
/// First `{"space": {…}, "searcher": "tpe", "seed": 0}`, then `{"ask": NUMBER}`, which is answered by
/// `{"parameters": {…}}` or `{"exhausted": true}`, and `{"tell": NUMBER, "value": 1.5}`. `{"rows": […]}`
/// answers importances: `{"importances": {…}}`.
@main
enum Main {
  static func main() throws {
    var session: AskSession?
    while let line = readLine() {
      let message = try JSON.parse(line)
      if message["space"] != nil {
        session = try AskSession(message)
      } else if let answer = try session?.answer(message) {
        StandardStream.output.write(answer.text + "\n")
      }
    }
  }
}
