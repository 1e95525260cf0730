import Foundation

/// What a program needs to be compiled against the modules of the tests.
enum ModuleMaps {
    /// Those of the C modules below SumCore: some in the dependencies' sources, some made by the build.
    static let all: [URL] = {
        let checkouts = subfolders(Repository.root.appending(path: ".build/checkouts"))
            .flatMap { subfolders($0.appending(path: "Sources")) }.map { $0.appending(path: "include") }
        let folders =
            subfolders(Tool.directory) + checkouts + subfolders(Repository.root.appending(path: "Sources"))
        return folders.map { $0.appending(path: "module.modulemap") }
            .filter { FileManager.default.fileExists(atPath: $0.path) }
    }()

    private static func subfolders(_ folder: URL) -> [URL] {
        (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    }
}
