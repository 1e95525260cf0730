import SwiftProtobuf
import Testing

@testable import SumCore

@Suite struct DescriptorIndexTests {
    /// `p.proto` imports `q.proto`, which imports it back, and one that nobody has; `other.proto` comes too late.
    private static let index = DescriptorIndex([
        .with { file in
            file.name = "p.proto"
            file.package = "a.b"
            file.dependency = ["q.proto", "missing.proto"]
            file.messageType = [
                .with { message in
                    message.name = "M"
                    message.field = [.with { $0.name = "f" }]
                    message.oneofDecl = [.with { $0.name = "o" }]
                    message.nestedType = [
                        .with { nested in
                            nested.name = "N"
                            nested.enumType = [enumeration("E", "V")]
                        }
                    ]
                    message.extension = [extending(".Q", 7, "x")]
                }
            ]
            file.service = [
                .with { service in
                    service.name = "S"
                    service.method = [.with { $0.name = "Call" }]
                }
            ]
        },
        .with { file in
            file.name = "q.proto"
            file.dependency = ["p.proto"]
            file.messageType = [.with { $0.name = "Q" }]
            file.enumType = [enumeration("T", "W")]
            file.extension = [extending(".Q", 5, "y")]
        },
        .with { file in
            file.name = "other.proto"
            file.package = "a.b"
            file.messageType = [.with { $0.name = "M" }]
            file.extension = [extending(".Q", 5, "z")]
        },
        .with { file in
            file.name = "p.proto"
            file.messageType = [.with { $0.name = "Late" }]
        },
    ])

    private static func enumeration(_ name: String, _ value: String) -> Google_Protobuf_EnumDescriptorProto {
        .with { type in
            type.name = name
            type.value = [.with { $0.name = value }]
        }
    }

    private static func extending(
        _ message: String, _ number: Int32, _ name: String
    ) -> Google_Protobuf_FieldDescriptorProto {
        .with { field in
            (field.extendee, field.number, field.name) = (message, number, name)
        }
    }

    @Test(
        "grpc-V5: full names and their files, the imported ones included",
        arguments: [
            ("a.b.M", ["p.proto", "q.proto"]), ("a.b.M.f", ["p.proto", "q.proto"]),
            ("a.b.M.o", ["p.proto", "q.proto"]), ("a.b.M.N", ["p.proto", "q.proto"]),
            ("a.b.M.N.E", ["p.proto", "q.proto"]), ("a.b.M.N.V", ["p.proto", "q.proto"]),
            ("a.b.M.x", ["p.proto", "q.proto"]), ("a.b.S", ["p.proto", "q.proto"]),
            ("a.b.S.Call", ["p.proto", "q.proto"]), ("Q", ["q.proto", "p.proto"]),
            ("T", ["q.proto", "p.proto"]), ("W", ["q.proto", "p.proto"]), ("y", ["q.proto", "p.proto"]),
            ("a.b.z", ["other.proto"]), ("Late", []), ("M", []), ("a.b", []), ("a.b.M.N.E.V", []), ("", []),
            (".a.b.M", []), ("a.b.S/Call", []),
        ])
    func symbols(_ name: String, _ files: [String]) {
        #expect(Self.index.files(defining: name).map(\.name) == files)
    }

    @Test(
        "grpc-V5: files by name",
        arguments: [
            ("p.proto", ["p.proto", "q.proto"]), ("other.proto", ["other.proto"]), ("missing.proto", []),
            ("", []),
        ])
    func files(_ name: String, _ files: [String]) {
        #expect(Self.index.files(named: name).map(\.name) == files)
    }

    @Test("grpc-V5: extensions by the message they extend, and number")
    func extensions() {
        #expect(Self.index.files(extending: "Q", number: 7).first?.name == "p.proto")
        #expect(Self.index.files(extending: "Q", number: 5).first?.name == "q.proto")
        #expect(Self.index.files(extending: "Q", number: 6).isEmpty)
        #expect(Self.index.files(extending: "a.b.M", number: 7).isEmpty)
        #expect(Self.index.extensionNumbers(of: "Q") == [5, 7])
        #expect(Self.index.extensionNumbers(of: "a.b.M") == [])
        #expect(Self.index.extensionNumbers(of: "a.b.X") == nil)
    }
}
