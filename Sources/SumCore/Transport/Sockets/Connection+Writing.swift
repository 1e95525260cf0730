internal import NIOCore

extension Connection {
    /// Writes output for as long as the channel accepts it.
    func write(to context: ChannelHandlerContext) {
        while context.channel.isWritable {
            let mayHaveMore = makeOutput()
            var hasWritten = false
            core.takeOutput {
                hasWritten = true
                context.write(NIOAny($0), promise: nil)
            }
            if hasWritten { context.flush() }
            guard mayHaveMore else { break }
        }
    }
}

extension ConnectionCore {
    /// Notes whether the peer keeps the channel from writing, and how many bytes wait there.
    func noteBlocking(by channel: any Channel) {
        blockedBytes =
            channel.isWritable ? nil : (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }
}
