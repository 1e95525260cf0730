import NIOCore
import Testing

@testable import SumCore

@Suite struct TokenBucketTests {
    @Test("A bucket allows its burst, and then its rate")
    func bucket() {
        var bucket = TokenBucket(burst: 10, perSecond: 2, now: at(0))
        #expect(bucket.take(10, at: at(0)) == true)
        #expect(bucket.take(1, at: at(0.4)) == false)
        bucket = TokenBucket(burst: 10, perSecond: 2, now: at(0))
        #expect(bucket.take(10, at: at(0)) == true)
        #expect(bucket.take(1, at: at(0.5)) == true)
        #expect(bucket.take(10, at: at(1000)) == true)
        #expect(bucket.take(1, at: at(1000)) == false)
    }

    @Test("Tokens added to a bucket fill it up to its burst")
    func giving() {
        var bucket = TokenBucket(burst: 10, perSecond: 0, now: at(0))
        bucket.give(100)
        #expect(bucket.take(10, at: at(0)) == true)
        bucket.give(3)
        #expect(bucket.take(3, at: at(0)) == true)
        #expect(bucket.take(1, at: at(0)) == false)
    }

    @Test("Time that runs backwards and large numbers do no harm")
    func extremes() {
        var bucket = TokenBucket(burst: .max, perSecond: .max, now: at(5))
        #expect(bucket.take(.max, at: at(0)) == true)
        bucket.give(.max)
        #expect(bucket.take(.max, at: .distantFuture) == true)
    }
}
