import Foundation

/// The certificates of the tests, made by `Tests/Certificates/make` once for each run.
public enum TestCertificates {
    private static let script = URL(filePath: #filePath).appending(path: "../../Certificates/make")
        .standardizedFileURL

    private static let folder: Result<URL, any Error> = Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sum-certificates-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let make = Process()
        make.executableURL = script
        make.arguments = [folder.path]
        try make.run()
        make.waitUntilExit()
        guard make.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
        atexit { try? FileManager.default.removeItem(at: TestCertificates.folder.get()) }
        return folder
    }

    /// The path of one of their files, such as `good.pem`.
    public static func path(_ file: String) throws -> String {
        try folder.get().appending(path: file).path
    }
}
