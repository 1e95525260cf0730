extension String {
    /// The text without leading and trailing spaces.
    var withoutOuterSpaces: String {
        let space = UInt8(ascii: " ")
        guard utf8.first == space || utf8.last == space else { return self }
        let rest = utf8.drop { $0 == space }
        guard let last = rest.lastIndex(where: { $0 != space }) else { return "" }
        return String(self[rest.startIndex...last])
    }
}
