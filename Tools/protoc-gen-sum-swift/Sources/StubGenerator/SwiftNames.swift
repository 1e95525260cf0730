internal import SwiftProtobufPluginLibrary

/// Names in Swift for what protos name.
enum SwiftNames {
    private static let keywords =
        swiftKeywordsUsedInDeclarations.union(swiftKeywordsUsedInStatements)
        .union(swiftKeywordsUsedInExpressionsAndTypes)

    /// Names that mean something else after a dot, even in backticks, and those of the stubs' own members.
    private static let takenMembers: Set<String> = ["init", "self", "client", "methods"]

    /// Types that the stubs name, and that would be hidden.
    private static let takenTypes =
        swiftCommonTypes.union(keywords).union(["Protocol", "Sendable", "SumCore", "Swift", "Type"])

    /// One name for each method of a service, in backticks where Swift asks for them. Of two methods with the same
    /// name in Swift, the later one gets a number, so that a method added at the end renames no other.
    static func members(for methods: [String]) -> [String] {
        var used = takenMembers
        return methods.map { method in
            let base = lowerCamelCase(method)
            var name = takenMembers.contains(base) ? "\(base)_" : base
            var number = 2
            while !used.insert(name).inserted {
                name = "\(base)_\(number)"
                number += 1
            }
            return keywords.contains(name) ? "`\(name)`" : name
        }
    }

    /// The name of the type for a service.
    static func type(for service: String, prefix: String) -> String {
        let name = prefix + service
        return takenTypes.contains(name) ? "\(name)Service" : name
    }

    /// `GetURL` and `get_url` become `getURL` and `getUrl`, and `URLOf` becomes `urlOf`.
    static func lowerCamelCase(_ name: String) -> String {
        let words = name.split(separator: "_")
        let rest = words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        guard let first = words.first else { return "_\(name.count)" }
        let capitals = first.prefix { $0.isUppercase }
        // The last of several capitals begins the next word.
        let endsWord = capitals.count > 1 && first.dropFirst(capitals.count).first?.isLetter == true
        let lowered = capitals.count - (endsWord ? 1 : 0)
        let camel = first.prefix(lowered).lowercased() + first.dropFirst(lowered) + rest
        return camel.first?.isNumber == true ? "_\(camel)" : camel
    }
}
