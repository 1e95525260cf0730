// The physical limit for one stream: the same bytes over loopback TCP, with nothing done to them.
// limit BYTES: a child writes BYTES in 256 KiB pieces, the parent reads them; prints seconds and GB/s.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
  long long total = argc > 1 ? atoll(argv[1]) : 500000000, left = total;
  size_t piece = 256 * 1024;
  char *buffer = malloc(piece);
  memset(buffer, 8, piece);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t n = sizeof a;
  if (bind(listener, (void *)&a, n) || listen(listener, 1) || getsockname(listener, (void *)&a, &n)) return 1;
  pid_t child = fork();
  if (child == 0) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(s, (void *)&a, sizeof a)) _exit(1);
    while (left > 0) {
      ssize_t w = write(s, buffer, left < (long long)piece ? (size_t)left : piece);
      if (w <= 0) _exit(1);
      left -= w;
    }
    _exit(0);
  }
  int s = accept(listener, 0, 0);
  double t0 = now();
  long long got = 0;
  for (ssize_t r; (r = read(s, buffer, piece)) > 0;) got += r;
  double dt = now() - t0;
  waitpid(child, 0, 0);
  printf("bytes %lld seconds %.4f GB_per_s %.3f\n", got, dt, got / dt / 1e9);
  return got == total ? 0 : 1;
}
