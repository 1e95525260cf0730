/* Loaded into sum-server under valgrind, which does not survive how dispatch_main gives the main thread up. Here the
   thread stays and runs the main queue, as a run loop of CoreFoundation would. */

#include <poll.h>
#include <stdint.h>
#include <unistd.h>

int _dispatch_get_main_queue_handle_4CF(void);
void _dispatch_main_queue_callback_4CF(void *message);

void dispatch_main(void) {
    struct pollfd queue = {.fd = _dispatch_get_main_queue_handle_4CF(), .events = POLLIN};
    for (;;) {
        uint64_t count;
        if (poll(&queue, 1, -1) == 1 && read(queue.fd, &count, sizeof count) > 0)
            _dispatch_main_queue_callback_4CF(NULL);
    }
}
