import CProgram
import SumCore

/// How the program was built. sum-server has a link to this file.
enum BuildFacts {
    /// What `--version` prints.
    static func summary(of tool: String) -> String {
        let commit = unsafe sum_commit().map { unsafe String(cString: $0) }
        var notes: [String] = []
        if let commit, !commit.isEmpty { notes.append(commit) }
        if !Version.hasTLS { notes.append("without TLS") }
        let version = Version.current + (Version.isReleased ? "" : "-dev")
        return "\(tool) \(version)" + (notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))")
    }

    /// The answer to `--version --verbose`; nil if something else is asked.
    static func answer(_ words: [String], of tool: String) -> String? {
        guard words.contains("--version"), words.contains("--verbose") || words.contains("-v") else {
            return nil
        }
        // Sound because the C library's version is a constant.
        let glibc = unsafe String(cString: gnu_get_libc_version())
        let linkage =
            sum_is_static()
            ? """
            statically linked: names are looked up in files and DNS only, without other modules of nsswitch.conf(5), and \
            /proc must be mounted
            """
            : "linked with the libraries of the system"
        return """
            \(summary(of: tool))
            nghttp2 \(Version.nghttp2), glibc \(glibc)
            \(linkage)
            """
    }
}
