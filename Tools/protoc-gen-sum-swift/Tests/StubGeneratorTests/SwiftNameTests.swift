import Testing

@testable import StubGenerator

@Suite struct SwiftNameTests {
    @Test(
        "Methods have names as Swift writes them",
        arguments: [
            ("SumNumbers", "sumNumbers"), ("get_foo", "getFoo"), ("GetURL", "getURL"), ("URLOf", "urlOf"),
            ("URL", "url"), ("A", "a"), ("_1", "_1"), ("X1", "x1"), ("H264Stream", "h264Stream"),
            ("__", "_2"), ("already", "already"), ("SCREAMING_CASE", "screamingCASE"),
        ])
    func lowerCamelCase(name: String, expected: String) {
        #expect(SwiftNames.lowerCamelCase(name) == expected)
    }

    @Test("Keywords are in backticks, and names that are taken are changed")
    func members() {
        #expect(
            SwiftNames.members(for: ["Default", "Init", "Self", "Client", "Methods", "Await"])
                == ["`default`", "init_", "self_", "client_", "methods_", "await"])
    }

    @Test("Of methods with the same name in Swift, the first keeps it")
    func clashes() {
        #expect(
            SwiftNames.members(for: ["GetFoo", "getFoo", "get_foo", "GetFoo_2", "In", "in"])
                == ["getFoo", "getFoo_2", "getFoo_3", "getFoo2", "`in`", "in_2"])
    }

    @Test("A service has the prefix of its file, and hides nothing that its stubs need")
    func types() {
        #expect(SwiftNames.type(for: "Greeter", prefix: "Hello_V1_") == "Hello_V1_Greeter")
        #expect(SwiftNames.type(for: "String", prefix: "") == "StringService")
        #expect(SwiftNames.type(for: "class", prefix: "") == "classService")
    }
}
