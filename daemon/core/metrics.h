/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Metrics: the daemon's own figures, as Prometheus reads them.
 *
 * Every series is registered before the threads start, so each exists from the start with 0.
 * Afterwards any thread adds with relaxed atomics and one thread prints; nothing locks. A reload
 * registers and forgets while nobody prints.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct metrics;
struct text;

/* One series. Owned by the registry; valid until metrics_free() or metrics_forget(). */
struct metric {
	_Atomic int64_t value;
};

/* A histogram in seconds with the bounds of metrics_bounds[] and +Inf. */
#define METRICS_BOUNDS 14
extern const double metrics_bounds[METRICS_BOUNDS];
struct histogram {
	_Atomic uint64_t bucket[METRICS_BOUNDS + 1]; /* not cumulative */
	_Atomic uint64_t sum_ns;
};

/** metrics_new() - an empty registry. Return: 0, -ENOMEM. */
int metrics_new(struct metrics **out);
struct metrics *metrics_free(struct metrics *metrics);

/**
 * metrics_counter(), metrics_gauge() - register a series (main thread, before others start)
 * @name:   such as "ducha_polls_total"; the first registration of a name gives its help text
 * @labels: such as "connection=\"wwtp-3\",result=\"ok\"", or ""; copied
 *
 * Return: the series, the same one when name and labels are registered again; NULL without memory.
 */
struct metric *metrics_counter(struct metrics *m, const char *name, const char *help,
			       const char *labels);
struct metric *metrics_gauge(struct metrics *m, const char *name, const char *help,
			     const char *labels);

/* A series that is read when printed; @read runs on the printing thread and must be quick. */
int metrics_counter_read(struct metrics *m, const char *name, const char *help, const char *labels,
			 double (*read)(void *context), void *context);
int metrics_gauge_read(struct metrics *m, const char *name, const char *help, const char *labels,
		       double (*read)(void *context), void *context);
struct histogram *metrics_histogram(struct metrics *m, const char *name, const char *help,
				    const char *labels);

/** metrics_find() - a series that was registered (the registering thread); NULL: none */
struct metric *metrics_find(struct metrics *m, const char *name, const char *labels);

enum metrics_which { METRICS_ALL, METRICS_READ /* those that are read when printed */ };
/**
 * metrics_forget() - series whose name begins with @prefix ("": any) and one of whose labels is
 * @label, such as "connection=\"wwtp-3\"" (NULL: any). Nobody may use them any more.
 */
void metrics_forget(struct metrics *m, const char *prefix, const char *label,
		    enum metrics_which which);

static inline void metric_add(struct metric *metric, int64_t n)
{
	atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
}

static inline void metric_set(struct metric *metric, int64_t n)
{
	atomic_store_explicit(&metric->value, n, memory_order_relaxed);
}

static inline int64_t metric_get(struct metric *metric)
{
	return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

/** histogram_observe() - @ns: a duration in nanoseconds, negative counts as 0 (any thread) */
void histogram_observe(struct histogram *histogram, int64_t ns);

/** metrics_print() - all series in Prometheus text format 0.0.4, grouped by name */
void metrics_print(struct metrics *m, struct text *out);
