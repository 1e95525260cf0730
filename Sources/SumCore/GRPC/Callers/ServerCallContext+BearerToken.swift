extension ServerCallContext {
    /// The bearer token in the request's `authorization` (RFC 6750); nil if there is none, if it is malformed, or if the
    /// field occurs twice.
    public var bearerToken: String? {
        var found: Substring?
        for field in metadata.fields where field.key == "authorization" {
            guard found == nil, let token = BearerToken.read(field.value) else { return nil }
            found = token
        }
        return found.map(String.init)
    }
}
