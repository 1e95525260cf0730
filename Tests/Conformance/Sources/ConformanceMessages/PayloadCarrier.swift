package import SwiftProtobuf

/// A response message of the service.
package protocol PayloadCarrier: Message {
    var payload: ConformancePayload { get set }
}

extension UnaryResponse: PayloadCarrier {}
extension IdempotentUnaryResponse: PayloadCarrier {}
extension ClientStreamResponse: PayloadCarrier {}
extension ServerStreamResponse: PayloadCarrier {}
extension BidiStreamResponse: PayloadCarrier {}

/// Never sent.
extension UnimplementedResponse: PayloadCarrier {
    package var payload: ConformancePayload {
        get { .init() }
        set {}
    }
}
