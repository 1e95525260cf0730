#include <gnu/libc-version.h>

// The variables of environ(7). Swift 6 cannot name `environ`, since any thread might change it.
static inline char **sum_environment(void) {
    extern char **environ;
    return environ;
}

// The commit that the program was built from. scripts/build-release links it in; null in other builds.
static inline const char *sum_commit(void) {
    extern const char sum_commit_text[] __attribute__((weak));
    return sum_commit_text;
}

// Whether the C library is part of the program, as scripts/link-tools links it.
static inline _Bool sum_is_static(void) {
    extern const char sum_static_mark[] __attribute__((weak));
    return sum_static_mark != 0;
}
