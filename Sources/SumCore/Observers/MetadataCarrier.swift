internal import Tracing

/// Lets a tracer read the metadata of a request.
struct MetadataExtractor: Extractor {
    func extract(key: String, from metadata: GRPCMetadata) -> String? { metadata.joined(key) }
}

/// Lets a tracer add to the metadata of a request.
struct MetadataInjector: Injector {
    func inject(_ value: String, forKey key: String, into metadata: inout GRPCMetadata) {
        metadata.remove(key)
        // A tracer whose keys or values cannot be sent goes without.
        try? metadata.add(key, value)
    }
}

extension GRPCMetadata {
    /// The values of a key, joined with commas (RFC 9110 section 5.3); nil if there are none.
    func joined(_ key: String) -> String? {
        var joined: String?
        for field in fields where field.key == key {
            joined = joined.map { "\($0),\(field.value)" } ?? field.value
        }
        return joined
    }
}
