import Testing

@testable import SumCore

@Suite struct GRPCRequestHeadTests {
    private func request(changing name: String? = nil, to value: String? = nil) -> [HTTP2Field] {
        Sample.request.filter { $0.name != name } + (value.map { [HTTP2Field(name ?? "", $0)] } ?? [])
    }

    private func rejection(_ fields: [HTTP2Field]) -> GRPCRequestHead.Rejection? {
        do {
            _ = try GRPCRequestHead(received: fields)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "grpc-R1, grpc-R2, grpc-R3, grpc-R8: pseudo-headers, then the timeout, then the call, then metadata")
    func fields() throws {
        var metadata = GRPCMetadata()
        try metadata.add("k", "v")
        let request = GRPCRequestHead(
            path: "/s/m", authority: "localhost:1", timeout: .seconds(1), userAgent: "ua", metadata: metadata)
        #expect(
            request.fields().map { "\($0.name): \($0.value)" } == [
                ":method: POST", ":scheme: http", ":path: /s/m", ":authority: localhost:1",
                "grpc-timeout: 1000000u",
                "te: trailers", "content-type: application/grpc", "user-agent: ua",
                "grpc-accept-encoding: identity,deflate,gzip", "k: v",
            ])
        #expect(try GRPCRequestHead(received: request.fields()) == request)
    }

    @Test(
        "grpc-S1, abuse-G12: a content-type other than gRPC's",
        arguments: ["text/plain", "application/grpcfoo", "application/grpc-web", ""])
    func contentType(_ value: String) {
        #expect(rejection(request(changing: "content-type", to: value))?.httpStatus == 415)
    }

    @Test("grpc-S1: no content-type")
    func noContentType() {
        #expect(rejection(request(changing: "content-type"))?.httpStatus == 415)
    }

    @Test(
        "abuse-G12: gRPC's content-types",
        arguments: [
            "application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8",
            "APPLICATION/GRPC", "application/grpc;\u{301}",
        ])
    func goodContentType(_ value: String) {
        #expect(rejection(request(changing: "content-type", to: value)) == nil)
    }

    @Test("grpc-S4: another codec")
    func codec() {
        #expect(
            rejection(request(changing: "content-type", to: "application/grpc+json"))?.status.code
                == .unimplemented)
    }

    @Test("grpc-S2, abuse-G11: another HTTP method", arguments: ["GET", "PUT"])
    func verb(_ verb: String) {
        let rejection = rejection(request(changing: ":method", to: verb))
        #expect(rejection?.httpStatus == 405)
        #expect(rejection?.status.code == .internalError)
    }

    @Test("grpc-S5: an unknown compression is reported with the supported ones")
    func encoding() {
        let rejection = rejection(request(changing: "grpc-encoding", to: "br"))
        #expect(rejection?.status.code == .unimplemented)
        #expect(rejection?.status.message.contains("br") == true)
        #expect(rejection?.fields == [HTTP2Field("grpc-accept-encoding", "identity,deflate,gzip")])
    }

    @Test("grpc-S12, abuse-D2: a malformed timeout")
    func timeout() {
        let rejection = rejection(request(changing: "grpc-timeout", to: "5x"))
        #expect(rejection?.httpStatus == 400)
        #expect(rejection?.status.code == .internalError)
    }

    @Test(
        "grpc-S17, abuse-G16: binary metadata that is not base64",
        arguments: ["!", "QQ=", "Q", "QQ,=", "QQ==QQ", "Q\u{e9}"])
    func badBase64(_ value: String) {
        let rejection = rejection(request(changing: "x-bin", to: value))
        #expect(rejection?.httpStatus == 400)
        #expect(rejection?.status.code == .internalError)
        #expect(rejection?.status.message.contains("'x-bin'") == true)
    }

    @Test(
        "grpc-S17, grpc-R10: valid binary metadata",
        arguments: ["", "QQ", "QQ==", "QUI", "QUJD,QQ==", "QQ, QQ"])
    func goodBase64(_ value: String) throws {
        let request = try GRPCRequestHead(received: request(changing: "x-bin", to: value))
        #expect(request.metadata.bytes("x-bin").first == Base64.decode(value.prefix { $0 != "," }))
        #expect(request.metadata.bytes("x-bin").count == (value.contains(",") ? 2 : 1))
    }

    @Test("grpc-S20, grpc-S21, grpc-S22: host instead of :authority, no te, unusual metadata")
    func tolerated() throws {
        let fields = Sample.request.filter { $0.name != "te" && $0.name != ":authority" }
        let request = try GRPCRequestHead(
            received: fields + [HTTP2Field("host", "h"), HTTP2Field("x", "é\u{7f}")])
        #expect(request.authority == "h")
        #expect(request.metadata["x"] == ["é\u{7f}"])
    }
}
