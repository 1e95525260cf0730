import NIOCore
import Testing

@testable import SumCore

/// What is allocated for each call.
@Suite struct CallObjectTests {
    private static func alignment<Value>(_ value: Value) -> Int { MemoryLayout<Value>.alignment }

    @Test(
        "No object of a call needs posix_memalign(3), which Swift calls for an alignment of more than 8 bytes"
    )
    func alignment() {
        let handler = SumNumbersHandler(overflow: .error, context: .sample())
        let objects: [AnyObject] = [
            handler, ServerStream(id: 1, handler: handler, observation: nil),
            ClientStream(handler: OneShotSum(of: [1], maxMessageSize: 1 << 20), expiry: .distantFuture),
        ]
        for object in objects {
            for (label, value) in Mirror(reflecting: object).children {
                #expect(Self.alignment(value) <= 8, "\(type(of: object)).\(label ?? "")")
            }
        }
        // Of OneShotSum, whose lock hides it.
        #expect(MemoryLayout<NumberDecoder>.alignment <= 8)
    }
}
