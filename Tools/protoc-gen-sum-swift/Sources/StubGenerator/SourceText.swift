/// Lines of Swift.
struct SourceText {
    private var lines: [String] = []
    private var depth = 0

    var text: String { lines.map { "\($0)\n" }.joined() }

    /// Adds lines, which may be indented among themselves.
    mutating func add(_ text: String) {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            lines.append(line.isEmpty ? "" : String(repeating: "    ", count: depth) + line)
        }
    }

    mutating func addBlank() {
        if lines.last?.isEmpty == false { lines.append("") }
    }

    /// Adds a declaration, its members, and the closing brace.
    mutating func addBlock(_ head: String, _ members: (inout SourceText) -> Void) {
        add("\(head) {")
        depth += 1
        members(&self)
        depth -= 1
        if lines.last == "" { lines.removeLast() }
        add("}")
    }
}
