/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/bell.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int bell_init(struct bell *bell)
{
	atomic_init(&bell->asleep, false);
	bell->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return bell->fd < 0 ? -errno : 0;
}

void bell_deinit(struct bell *bell)
{
	if (bell->fd >= 0)
		close(bell->fd);
	bell->fd = -1;
}

void bell_ring_always(struct bell *bell)
{
	uint64_t one = 1;
	ssize_t written = write(bell->fd, &one, sizeof one);
	(void)written; /* full: it is rung already */
}

/*
 * Both sides exchange the same flag, so one comes first. If the ringer is second it sees the
 * sleeper and rings; if the sleeper is second, its exchange synchronises with the ringer's
 * (acquire, release) and its second look sees what was published before the ring.
 */
void bell_ring(struct bell *bell)
{
	if (atomic_exchange_explicit(&bell->asleep, false, memory_order_acq_rel))
		bell_ring_always(bell);
}

static void wait_fd(struct bell *bell, int timeout_ms)
{
	struct pollfd p = {.fd = bell->fd, .events = POLLIN};
	uint64_t count;
	if (poll(&p, 1, timeout_ms) > 0) {
		ssize_t got = read(bell->fd, &count, sizeof count);
		(void)got;
	}
}

void bell_sleep(struct bell *bell, int timeout_ms, bool (*anything)(void *context), void *context)
{
	atomic_exchange_explicit(&bell->asleep, true, memory_order_acq_rel);
	if (anything == NULL || !anything(context))
		wait_fd(bell, timeout_ms);
	atomic_store_explicit(&bell->asleep, false, memory_order_relaxed);
}

void bell_pause(struct bell *bell, int timeout_ms)
{
	wait_fd(bell, timeout_ms);
}
