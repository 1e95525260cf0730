/// What was read from a set of sources at one time.
struct TLSFiles: Sendable {
    private let contents: [PEMSource: [UInt8]]

    /// Reads all of them. May block.
    init(reading sources: [PEMSource]) throws(TLSConfigurationError) {
        var contents: [PEMSource: [UInt8]] = [:]
        for source in sources { contents[source] = try source.read() }
        self.contents = contents
    }

    /// The bytes of a source; never empty.
    func bytes(of source: PEMSource) throws(TLSConfigurationError) -> [UInt8] {
        guard let bytes = contents[source], !bytes.isEmpty else {
            throw TLSConfigurationError("\(source) is empty")
        }
        return bytes
    }

    /// Tells whether other files have other contents, without keeping keys in memory.
    var fingerprint: Fingerprint {
        Fingerprint(
            hashes: contents.mapValues { bytes in
                var hasher = Hasher()
                hasher.combine(bytes)
                return hasher.finalize()
            })
    }

    struct Fingerprint: Equatable, Sendable {
        fileprivate let hashes: [PEMSource: Int]
    }
}
