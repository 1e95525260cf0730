import Foundation
import NIOSSL
import ScriptedPeers
import Testing

@testable import SumCore

/// What is wrong with files is said before anybody connects.
@Suite struct TLSFilesTests {
    private static func read(_ file: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: try TestCertificates.path(file))))
    }

    private func failure(_ certificate: PEMSource, _ key: PEMSource, _ passphrase: PEMSource? = nil)
        -> String?
    {
        do {
            _ = try ServerTLS(
                .init(identity: TLSIdentity(certificate: certificate, key: key, passphrase: passphrase)))
            return nil
        } catch {
            return "\(error)"
        }
    }

    private func file(_ name: String) throws -> PEMSource { .file(try TestCertificates.path(name)) }

    @Test(
        "Certificates and keys that belong together are loaded",
        arguments: [("good.pem", "good-key.pem"), ("chain.pem", "chain-key.pem"), ("rsa.pem", "rsa-key.pem")])
    func good(_ certificate: String, _ key: String) throws {
        #expect(failure(try file(certificate), try file(key)) == nil)
        #expect(failure(.bytes(try Self.read(certificate)), .bytes(try Self.read(key))) == nil)
        #expect(failure(try file("good.pem"), try file("encrypted-key.pem"), try file("passphrase")) == nil)
    }

    @Test("A missing file, an empty one and a folder are named with the reason")
    func unreadable() throws {
        let key = try file("good-key.pem")
        #expect(
            failure(.file("/nowhere/c.pem"), key) == "cannot read /nowhere/c.pem: No such file or directory")
        #expect(failure(.file("/"), key) == "cannot read /: Is a directory")
        #expect(failure(.file("/dev/null"), key) == "/dev/null is empty")
        #expect(failure(try file("good.pem"), .file("/dev/null")) == "/dev/null is empty")
    }

    @Test("tls-T4: certificate, key, passphrase and chain are told apart")
    func faults() throws {
        let (good, key) = (try file("good.pem"), try file("good-key.pem"))
        #expect(failure(key, key) == "\(key) has no certificate in PEM")
        #expect(failure(good, good) == "\(good) has no private key in PEM")
        #expect(
            failure(good, try file("rsa-key.pem"))
                == "the key in \(try file("rsa-key.pem")) does not belong to the certificate in \(good)")
        let encrypted = try file("encrypted-key.pem")
        #expect(
            failure(good, encrypted) == "the key in \(encrypted) is encrypted, and no passphrase is given")
        #expect(
            failure(good, encrypted, try file("wrong-passphrase"))
                == "the key in \(encrypted) cannot be decrypted: is it the passphrase of this key?")
        for passphrase in ["\n", "caf\u{e9}\n", String(repeating: "a", count: 2000)] {
            let words = failure(good, encrypted, .bytes(Array(passphrase.utf8)))
            #expect(words?.contains("is not a passphrase") == true)
        }
        let wrongOrder = try Self.read("middle-ca.pem") + Self.read("leaf.pem")
        #expect(failure(.bytes(wrongOrder), try file("leaf-key.pem"))?.contains("are no chain") == true)
    }

    @Test("A file that ends too early is refused, wherever it ends")
    func cut() throws {
        let (chain, key) = (try Self.read("chain.pem"), try Self.read("chain-key.pem"))
        let whole = chain.count - 1
        for length in stride(from: 0, to: whole, by: 13) {
            let words = failure(.bytes(Array(chain.prefix(length))), .bytes(key))
            // Cut between its blocks, a chain is a shorter chain.
            let isBetween = (chain.prefix(length).split(separator: UInt8(ascii: "\n")).last).map {
                $0.starts(with: "-----END CERTIFICATE-----".utf8)
            }
            #expect(words != nil || isBetween == true, "\(length) of \(whole)")
        }
        for length in stride(from: 0, to: key.count - 30, by: 7) {
            #expect(failure(.bytes(chain), .bytes(Array(key.prefix(length)))) != nil)
        }
    }

    @Test("A certificate warns a week before it expires, and after")
    func warnings() throws {
        let facts = CertificateFacts(
            identities: [], notBefore: TLSDate(seconds: 1000), notAfter: TLSDate(seconds: 10_000_000))
        #expect(
            facts.warning(at: TLSDate(seconds: 999), of: "c.pem")?.contains("is not valid before") == true)
        #expect(facts.warning(at: TLSDate(seconds: 1000), of: "c.pem") == nil)
        #expect(facts.warning(at: TLSDate(seconds: 9_500_000), of: "c.pem")?.contains("expires on") == true)
        #expect(facts.warning(at: TLSDate(seconds: 10_000_001), of: "c.pem")?.contains("expired on") == true)
    }

    @Test("tls-R1: files are read again only if they have changed, and a fault changes nothing")
    func reload() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sum-reload-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (certificate, key) = (folder.appending(path: "c.pem"), folder.appending(path: "k.pem"))
        func put(_ name: String, _ keyName: String) throws {
            try Data(Self.read("\(name).pem")).write(to: certificate)
            try Data(Self.read("\(keyName)-key.pem")).write(to: key)
        }
        try put("good", "good")
        let tls = try ServerTLS(
            .init(identity: TLSIdentity(certificate: .file(certificate.path), key: .file(key.path))))
        #expect(try !tls.reload())
        // A new certificate whose key has not been written yet, one that has expired, one without the CA it had.
        try put("rsa", "good")
        #expect(throws: TLSConfigurationError.self) { try tls.reload() }
        try put("expired", "expired")
        #expect(throws: TLSConfigurationError.self) { try tls.reload() }
        #expect(tls.warning == nil)
        try put("chain", "chain")
        #expect(try tls.reload())
        #expect(try !tls.reload())
        try put("leaf", "leaf")
        #expect(throws: TLSConfigurationError.self) { try tls.reload() }
        try put("chain", "chain")
        #expect(try !tls.reload())
        try FileManager.default.removeItem(at: key)
        #expect(throws: TLSConfigurationError.self) { try tls.reload() }
    }

    @Test("tls-R1: a context, with its sessions, is used for twelve hours")
    func lifetime() throws {
        let sources = [try file("good.pem")]
        let start = ContinuousClock.now
        let context = try TLSContext(sources, at: start) { _ throws(TLSConfigurationError) in
            TLSContext.Made(context: try TLSSettings.context(.makeClientConfiguration(), nil))
        }
        func reload(after hours: Int) throws -> (hasChanged: Bool, isNew: Bool) {
            let before = context.current.context
            let hasChanged = try context.reload(at: start + .seconds(3600 * hours))
            return (hasChanged, context.current.context !== before)
        }
        for (hours, isNew) in [(11, false), (12, true), (23, false), (24, true)] {
            #expect(try reload(after: hours) == (false, isNew))
        }
    }

    @Test("tls-R1: what came from a pipe is read once")
    func pipe() throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Self.read("good-key.pem"))
        try pipe.fileHandleForWriting.close()
        let key = PEMSource.file("/proc/self/fd/\(pipe.fileHandleForReading.fileDescriptor)")
        let tls = try ServerTLS(.init(identity: TLSIdentity(certificate: try file("good.pem"), key: key)))
        // Reading it again would find nothing, and say so.
        #expect(try tls.reload() == false)
        withExtendedLifetime(pipe) {}
    }
}
