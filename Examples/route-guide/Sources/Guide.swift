import Glibc
import SumCore
import SwiftProtobuf
import Synchronization

typealias Point = Routes_V1_Point
typealias Sight = Routes_V1_Sight
typealias Note = Routes_V1_Note

/// The service, with a method of each kind.
final class Guide: Routes_V1_Guide.Service {
    private let sights: [Sight]
    /// The newest notes: so many that whoever leaves them cannot fill the memory.
    private let notes = Mutex<[Note]>([])
    private static let noteLimit = 1000

    init(_ sights: [(name: String, east: Int32, north: Int32)]) {
        self.sights = sights.map { sight in
            .with {
                $0.name = sight.name
                $0.at = Point(east: sight.east, north: sight.north)
            }
        }
    }

    /// One request, one response.
    func find(request: Point, call: AsyncServerCall) async throws -> Sight {
        guard let sight = sights.first(where: { $0.at == request }) else {
            throw GRPCStatus(code: .notFound, message: "nothing to see at \(request.east), \(request.north)")
        }
        return sight
    }

    /// One request, any number of responses. `send` waits while the client does not keep up.
    func list(
        request: Routes_V1_Area, responses: GRPCResponses<Sight>, call: AsyncServerCall
    ) async throws {
        for sight in sights where request.contains(sight.at) { try await responses.send(sight) }
    }

    /// Any number of requests, one response.
    func measure(requests: GRPCRequests<Point>, call: AsyncServerCall) async throws -> Routes_V1_Walk {
        var walk = Routes_V1_Walk()
        var last: Point?
        for try await point in requests {
            walk.points += 1
            if sights.contains(where: { $0.at == point }) { walk.sights += 1 }
            if let last { walk.metres += last.distance(to: point) }
            last = point
        }
        return walk
    }

    /// Any number of both, in any order.
    func leave(
        requests: GRPCRequests<Note>, responses: GRPCResponses<Note>, call: AsyncServerCall
    ) async throws {
        for try await note in requests {
            let earlier = notes.withLock { notes in
                let earlier = notes.filter { $0.at == note.at }
                if notes.count == Self.noteLimit { notes.removeFirst() }
                notes.append(note)
                return earlier
            }
            for note in earlier { try await responses.send(note) }
        }
    }
}

extension Routes_V1_Point {
    init(east: Int32, north: Int32) {
        self.init()
        (self.east, self.north) = (east, north)
    }

    func distance(to other: Point) -> Double {
        hypot(Double(other.east) - Double(east), Double(other.north) - Double(north))
    }
}

extension Routes_V1_Area {
    func contains(_ point: Point) -> Bool {
        point.east >= low.east && point.east <= high.east && point.north >= low.north
            && point.north <= high.north
    }
}
