/// A pipeline event that runs an action on the channel's connection.
struct ConnectionAction<C: Connection>: Sendable {
    var body: @Sendable (C) -> Void
}
