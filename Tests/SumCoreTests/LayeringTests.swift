import Foundation
import Testing

/// The rooms of SumCore are folders, and no compiler guards a folder: who may import what, and who may name whose
/// types, is kept here.
@Suite struct LayeringTests {
    private struct Room {
        var path: String
        var imports: Set<String> = []
        /// The rooms whose types it may name.
        var sees: Set<String> = []
        /// Types of those rooms that it may not name all the same.
        var hidden: Set<String> = []
    }

    /// In the order in which they build on each other.
    private static let rooms = [
        Room(path: "Base", imports: ["FoundationEssentials", "Glibc", "NIOCore"]),
        Room(
            path: "HTTP2", imports: ["CMalloc", "CNghttp2", "Glibc", "NIOCore"], sees: ["Base"]
        ),
        Room(
            path: "GRPC/Wire", imports: ["CZlib", "NIOCore"], sees: ["Base", "HTTP2"],
            hidden: ["HTTP2Session"]),
        Room(
            path: "GRPC/Server", imports: ["NIOCore", "Synchronization", "Tracing"],
            sees: ["Base", "HTTP2", "GRPC/Wire"],
            hidden: ["HTTP2Session"]),
        Room(
            path: "GRPC/Client", imports: ["NIOCore", "Synchronization"],
            sees: ["Base", "HTTP2", "GRPC/Wire"],
            hidden: ["HTTP2Session"]),
        Room(
            path: "GRPC/Callers", imports: ["Synchronization"], sees: ["Base", "GRPC/Wire", "GRPC/Server"]),
        Room(path: "Services/Generated", imports: ["Foundation", "FoundationEssentials", "SwiftProtobuf"]),
        Room(
            path: "Protobuf", imports: ["NIOCore", "SwiftProtobuf"],
            sees: ["Base", "GRPC/Wire", "GRPC/Server", "GRPC/Client", "Services/Generated"]),
        Room(path: "Services/Stubs", sees: ["GRPC/Wire", "GRPC/Server", "Services/Generated", "Protobuf"]),
        Room(
            path: "Services",
            imports: ["FoundationEssentials", "NIOCore", "SwiftProtobuf", "Synchronization"],
            sees: [
                "Base", "HTTP2", "GRPC/Wire", "GRPC/Server", "GRPC/Client", "Services/Generated", "Protobuf",
                "Services/Stubs",
            ],
            hidden: ["HTTP2Session"]),
        Room(path: "Process", imports: ["Glibc", "NIOCore", "SystemPackage"], sees: ["Base"]),
        Room(
            path: "Transport/Limits", imports: ["HeapModule", "NIOCore", "Synchronization"],
            sees: ["Base", "HTTP2", "GRPC/Wire", "GRPC/Server"]),
        Room(
            path: "Transport/Connection", imports: ["DequeModule", "NIOCore"],
            sees: ["Base", "HTTP2", "GRPC/Wire", "GRPC/Server", "GRPC/Client", "Transport/Limits"]),
        Room(
            path: "Transport/Sockets",
            imports: ["Glibc", "NIOCore", "NIOPosix", "Synchronization", "SystemPackage"],
            sees: [
                "Base", "HTTP2", "GRPC/Wire", "GRPC/Server", "GRPC/Client", "Process", "Transport/Limits",
                "Transport/Connection",
            ]),
        Room(
            path: "Transport/Sockets/TLS",
            imports: ["Glibc", "NIOCore", "NIOSSL", "NIOTLS", "Synchronization", "SystemPackage"],
            sees: ["Base", "Process", "Transport/Limits", "Transport/Connection", "Transport/Sockets"]),
        Room(
            path: "Transport/Proxy", imports: ["NIOCore"],
            sees: ["Base", "GRPC/Wire", "Transport/Connection", "Transport/Sockets"]),
        Room(
            path: "Transport/Balancing", imports: ["NIOCore"],
            sees: ["Base", "GRPC/Wire", "GRPC/Client", "Transport/Connection", "Transport/Proxy"]),
        Room(
            path: "Transport/Server",
            imports: ["Glibc", "Logging", "NIOCore", "NIOPosix", "Synchronization", "SystemPackage"],
            sees: [
                "Base", "HTTP2", "GRPC/Wire", "GRPC/Server", "Process", "Transport/Limits",
                "Transport/Connection", "Transport/Sockets", "Transport/Sockets/TLS",
            ]),
        Room(
            path: "Transport/Client",
            imports: ["Dispatch", "NIOCore", "NIOPosix", "SwiftProtobuf", "Synchronization"],
            sees: [
                "Base", "HTTP2", "GRPC/Wire", "GRPC/Client", "Services/Generated", "Protobuf", "Services",
                "Process", "Transport/Limits", "Transport/Connection", "Transport/Balancing",
                "Transport/Sockets", "Transport/Sockets/TLS", "Transport/Proxy",
            ]),
        Room(
            path: "Transport/InProcess", imports: ["NIOCore", "Synchronization"],
            sees: [
                "Base", "GRPC/Server", "Transport/Limits", "Transport/Connection", "Transport/Sockets",
                "Transport/Balancing", "Transport/Server", "Transport/Client",
            ]),
        Room(
            path: "Observers", imports: ["CoreMetrics", "Synchronization", "Tracing"],
            sees: ["Base", "GRPC/Wire", "GRPC/Server", "GRPC/Client", "Services", "Transport/Client"]),
    ]

    /// A file of a room, without comments and literals.
    private struct Source {
        var room: String
        var path: String
        var code: String
    }

    private static func sources() throws -> [Source] {
        try Repository.files(in: "Sources/SumCore", withExtension: "swift").map { path, file in
            Source(
                room: String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)), path: path,
                code: SwiftCode.of(try String(contentsOf: file, encoding: .utf8)))
        }
    }

    @Test("Each file is in a room, and a room sees only rooms that come before it")
    func order() throws {
        let paths = Self.rooms.map(\.path)
        #expect(Set(paths) == Set(try Self.sources().map(\.room)))
        for (index, room) in Self.rooms.enumerated() {
            #expect(room.sees.isSubset(of: paths[..<index]), "\(room.path)")
        }
    }

    @Test("Rooms import only what they may")
    func imports() throws {
        let sources = Dictionary(grouping: try Self.sources(), by: \.room)
        var strays: Set<String> = []
        for room in Self.rooms {
            var used: Set<String> = []
            for source in sources[room.path] ?? [] {
                let imports = source.code.split(separator: "\n").compactMap { line -> String? in
                    let words = SwiftCode.words(of: line)
                    guard let keyword = words.firstIndex(of: "import"), keyword <= 1 else { return nil }
                    return words.last
                }
                used.formUnion(imports)
                strays.formUnion(
                    imports.filter { !room.imports.contains($0) }.map { "\(source.path): \($0)" })
            }
            #expect(room.imports.isSubset(of: used), "\(room.path) may import what it does not")
        }
        #expect(strays == [])
    }

    @Test("Rooms name only types of the rooms they may see")
    func names() throws {
        let sources = try Self.sources()
        var homes: [String: String] = [:]
        for source in sources {
            for type in Self.declaredTypes(in: source.code) {
                // Twice in a room: with and without a trait of the package.
                let home = homes.updateValue(source.room, forKey: type) ?? source.room
                #expect(home == source.room, "\(type) is declared in two rooms")
            }
        }
        #expect(homes.count > 100)
        var strays: Set<String> = []
        for room in Self.rooms where room.path != "Services/Generated" {
            let visible = room.sees.union([room.path])
            for source in sources where source.room == room.path {
                for word in SwiftCode.words(of: source.code) {
                    guard let home = homes[word] else { continue }
                    if !visible.contains(home) || room.hidden.contains(word) {
                        strays.insert("\(source.path): \(word)")
                    }
                }
            }
        }
        #expect(strays == [])
    }

    /// The types at the top level that other files can name.
    private static func declaredTypes(in code: String) -> [String] {
        code.split(separator: "\n").filter { $0.first?.isWhitespace == false }.compactMap { line in
            let words = SwiftCode.words(of: line)
            let keywords: Set = ["struct", "class", "enum", "protocol", "actor", "typealias"]
            guard let keyword = words.firstIndex(where: keywords.contains), keyword + 1 < words.count,
                words.first != "extension",
                Set(words[..<keyword]).isDisjoint(with: ["private", "fileprivate"])
            else { return nil }
            return words[keyword + 1]
        }
    }

    @Test(
        "Connections and policies know no channel, event loop, timer or clock: bytes and time are given to them"
    )
    func withoutIO() throws {
        let types: Set = ["ChannelHandlerContext", "NIOLoopBound", "Scheduled"]
        var strays: Set<String> = []
        for source in try Self.sources()
        where ["Transport/Connection", "Transport/Balancing"].contains(source.room) {
            let file = source.path.split(separator: "/").last ?? ""
            for word in SwiftCode.words(of: source.code)
            where types.contains(word) || word == "Channel" || word.hasPrefix("EventLoop") {
                strays.insert("\(file): \(word)")
            }
            if source.code.contains(".now()") { strays.insert("\(file): .now()") }
        }
        #expect(strays == [])
    }

    @Test("Comments and literals are no code, but what is interpolated is")
    func codeAlone() {
        let source = #"""
            let a = "B \(C("D)").e) // F" /* G /* H */ I */ + J // K
            let l = """
                M "N" \(O) \"""
                """
            """#
        let words = SwiftCode.words(of: SwiftCode.of(source))
        #expect(words == ["let", "a", "C", "J", "let", "l", "O"])
    }
}
