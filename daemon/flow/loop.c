/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 256 };
static const int64_t tick_ns = LOOP_TICK_MS * INT64_C(1000000);

/* One watched descriptor. The serial tells this watch from an earlier one of the same number, whose
 * events may still stand in the batch being handled. */
struct watch {
	loop_ready_fn ready; /* NULL: not watched */
	void *context;
	uint32_t serial;
};

struct ticker {
	loop_tick_fn tick;
	void *context;
};

struct tickers {
	struct ticker *at;
	size_t n;
};

struct loop {
	int epoll_fd, stop_fd;
	atomic_bool stopping;
	struct gate gate;
	struct watch *watches; /* by descriptor */
	size_t n_watches;
	struct tickers on_tick, on_batch;
	uint32_t serial;
	int64_t now_ns, next_tick_ns;
};

static int64_t boottime_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void stop_ready(void *context, uint32_t events)
{
	(void)context, (void)events;
}

int loop_new(struct loop **out)
{
	struct loop *loop = calloc(1, sizeof *loop);
	if (loop == NULL)
		return -ENOMEM;
	int failed = gate_init(&loop->gate);
	if (failed != 0) {
		free(loop);
		return failed;
	}
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int error = loop->epoll_fd < 0 || loop->stop_fd < 0 ? -errno : 0;
	if (error == 0)
		error = loop_add(loop, loop->stop_fd, EPOLLIN, stop_ready, loop);
	if (error != 0) {
		loop_free(loop);
		return error;
	}
	loop->now_ns = boottime_ns();
	*out = loop;
	return 0;
}

struct loop *loop_free(struct loop *loop)
{
	if (loop == NULL)
		return NULL;
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	if (loop->stop_fd >= 0)
		close(loop->stop_fd);
	gate_deinit(&loop->gate);
	free(loop->watches);
	free(loop->on_tick.at);
	free(loop->on_batch.at);
	free(loop);
	return NULL;
}

static int watches_reach(struct loop *loop, size_t fd)
{
	if (fd < loop->n_watches)
		return 0;
	size_t n = fd + 64;
	struct watch *watches = reallocarray(loop->watches, n, sizeof *watches);
	if (watches == NULL)
		return -ENOMEM;
	for (size_t i = loop->n_watches; i < n; i++)
		watches[i] = (struct watch){.ready = NULL};
	loop->watches = watches;
	loop->n_watches = n;
	return 0;
}

static int loop_control(struct loop *loop, int operation, int fd, uint32_t events)
{
	uint64_t tag = (uint64_t)loop->watches[fd].serial << 32 | (uint32_t)fd;
	struct epoll_event event = {.events = events, .data.u64 = tag};
	return epoll_ctl(loop->epoll_fd, operation, fd, &event) < 0 ? -errno : 0;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_ready_fn ready, void *context)
{
	if (fd < 0 || ready == NULL)
		return -EINVAL;
	int error = watches_reach(loop, (size_t)fd);
	if (error != 0)
		return error;
	struct watch before = loop->watches[fd];
	loop->watches[fd] =
		(struct watch){.ready = ready, .context = context, .serial = ++loop->serial};
	error = loop_control(loop, EPOLL_CTL_ADD, fd, events);
	if (error != 0)
		loop->watches[fd] = before;
	return error;
}

static bool is_watched(const struct loop *loop, int fd)
{
	return fd >= 0 && (size_t)fd < loop->n_watches && loop->watches[fd].ready != NULL;
}

int loop_change(struct loop *loop, int fd, uint32_t events)
{
	if (!is_watched(loop, fd))
		return -ENOENT;
	return loop_control(loop, EPOLL_CTL_MOD, fd, events);
}

void loop_remove(struct loop *loop, int fd)
{
	if (!is_watched(loop, fd))
		return;
	(void)loop_control(loop, EPOLL_CTL_DEL, fd, 0);
	loop->watches[fd].ready = NULL;
}

static int tickers_add(struct tickers *tickers, loop_tick_fn tick, void *context)
{
	struct ticker *at = reallocarray(tickers->at, tickers->n + 1, sizeof *at);
	if (at == NULL)
		return -ENOMEM;
	at[tickers->n++] = (struct ticker){.tick = tick, .context = context};
	tickers->at = at;
	return 0;
}

int loop_on_tick(struct loop *loop, loop_tick_fn tick, void *context)
{
	return tickers_add(&loop->on_tick, tick, context);
}

int loop_on_batch(struct loop *loop, loop_tick_fn done, void *context)
{
	return tickers_add(&loop->on_batch, done, context);
}

static void tickers_relay(struct tickers *tickers, const void *from, void *to)
{
	for (size_t i = 0; i < tickers->n; i++)
		if (tickers->at[i].context == from)
			tickers->at[i].context = to;
}

void loop_relay(struct loop *loop, const void *from, void *to)
{
	tickers_relay(&loop->on_tick, from, to);
	tickers_relay(&loop->on_batch, from, to);
}

static void tickers_call(const struct tickers *tickers, int64_t now_ns)
{
	for (size_t i = 0; i < tickers->n; i++)
		tickers->at[i].tick(tickers->at[i].context, now_ns);
}

int64_t loop_now(const struct loop *loop)
{
	return loop->now_ns;
}

static void loop_dispatch(struct loop *loop, const struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		uint32_t fd = (uint32_t)events[i].data.u64;
		uint32_t serial = (uint32_t)(events[i].data.u64 >> 32);
		if (fd >= loop->n_watches)
			continue;
		struct watch watch = loop->watches[fd];
		if (watch.ready != NULL && watch.serial == serial)
			watch.ready(watch.context, events[i].events);
	}
}

/* Ticks keep their grid; those that could not be kept are left out, not made up for. */
static void loop_tick(struct loop *loop)
{
	if (loop->now_ns < loop->next_tick_ns)
		return;
	tickers_call(&loop->on_tick, loop->now_ns);
	loop->next_tick_ns += tick_ns;
	int64_t behind_ns = loop->now_ns - loop->next_tick_ns;
	if (behind_ns >= 0)
		loop->next_tick_ns += (behind_ns / tick_ns + 1) * tick_ns;
}

static int wait_ms(int64_t ns)
{
	return ns <= 0 ? 0 : (int)((ns + 999999) / 1000000);
}

int loop_run(struct loop *loop, _Atomic uint64_t *heartbeat)
{
	struct epoll_event events[BATCH];
	(void)pthread_setname_np(pthread_self(), "loop");
	loop->next_tick_ns = boottime_ns();
	/* Acquire, with the release in loop_stop(): who stopped us is heard out. */
	while (!atomic_load_explicit(&loop->stopping, memory_order_acquire)) {
		int n = epoll_wait(loop->epoll_fd, events, BATCH,
				   wait_ms(loop->next_tick_ns - boottime_ns()));
		if (n < 0 && errno != EINTR)
			return -errno;
		loop->now_ns = boottime_ns();
		loop_dispatch(loop, events, n);
		loop_tick(loop);
		tickers_call(&loop->on_batch, loop->now_ns);
		if (heartbeat != NULL)
			atomic_fetch_add_explicit(heartbeat, 1, memory_order_relaxed);
		gate_pass(&loop->gate);
	}
	return 0;
}

struct gate *loop_gate(struct loop *loop)
{
	return &loop->gate;
}

void loop_stop(struct loop *loop)
{
	atomic_store_explicit(&loop->stopping, true, memory_order_release);
	ssize_t written = write(loop->stop_fd, &(uint64_t){1}, sizeof(uint64_t));
	(void)written; /* only fails when it is already signalled */
}
