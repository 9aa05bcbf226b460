/* SPDX-License-Identifier: Apache-2.0 */
#include "core/metrics.h"

#include "core/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const double metrics_bounds[METRICS_BOUNDS] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
					       0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};

enum type { TYPE_COUNTER, TYPE_GAUGE, TYPE_HISTOGRAM };

struct series {
	char *labels;
	struct metric metric;
	struct histogram *histogram;
	double (*read)(void *context);
	void *context;
	struct series *next, *next_alike; /* alike: in the same bucket */
};

struct family {
	char *name, *help;
	enum type type;
	struct series *first, **last;
	struct series *
		*buckets;    /* by hash of the labels: some families have a series a connection */
	size_t n, n_buckets; /* a power of two */
	struct family *next;
};

struct metrics {
	struct family *first, **last;
};

int metrics_new(struct metrics **out)
{
	struct metrics *m = calloc(1, sizeof *m);
	if (m == NULL)
		return -ENOMEM;
	m->last = &m->first;
	*out = m;
	return 0;
}

static void family_free(struct family *family)
{
	for (struct series *s = family->first, *next; s != NULL; s = next) {
		next = s->next;
		free(s->labels);
		free(s->histogram);
		free(s);
	}
	free(family->name);
	free(family->help);
	free(family->buckets);
	free(family);
}

struct metrics *metrics_free(struct metrics *metrics)
{
	if (metrics == NULL)
		return NULL;
	for (struct family *f = metrics->first, *next; f != NULL; f = next) {
		next = f->next;
		family_free(f);
	}
	free(metrics);
	return NULL;
}

static struct family *family_get(struct metrics *m, const char *name, const char *help,
				 enum type type)
{
	for (struct family *f = m->first; f != NULL; f = f->next)
		if (strcmp(f->name, name) == 0)
			return f;
	struct family *f = calloc(1, sizeof *f);
	if (f == NULL)
		return NULL;
	*f = (struct family){.name = strdup(name), .help = strdup(help), .type = type};
	f->last = &f->first;
	if (f->name == NULL || f->help == NULL) {
		family_free(f);
		return NULL;
	}
	*m->last = f;
	m->last = &f->next;
	return f;
}

/* FNV-1a. */
static struct series **bucket_of(const struct family *family, const char *labels)
{
	uint32_t hash = 2166136261U;
	for (const char *c = labels; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619U;
	return &family->buckets[hash & (family->n_buckets - 1)];
}

static void put_in_bucket(struct family *family, struct series *series)
{
	struct series **bucket = bucket_of(family, series->labels);
	series->next_alike = *bucket;
	*bucket = series;
}

/* Return: false without memory. */
static bool family_has_room(struct family *family)
{
	if (family->n < family->n_buckets)
		return true;
	size_t n = family->n_buckets == 0 ? 4 : 2 * family->n_buckets;
	struct series **buckets = calloc(n, sizeof(struct series *));
	if (buckets == NULL)
		return false;
	free(family->buckets);
	family->buckets = buckets;
	family->n_buckets = n;
	for (struct series *s = family->first; s != NULL; s = s->next)
		put_in_bucket(family, s);
	return true;
}

static struct series *series_get(struct metrics *m, const char *name, const char *help,
				 const char *labels, enum type type)
{
	struct family *family = family_get(m, name, help, type);
	if (family == NULL || !family_has_room(family))
		return NULL;
	for (struct series *s = *bucket_of(family, labels); s != NULL; s = s->next_alike)
		if (strcmp(s->labels, labels) == 0)
			return s;
	struct series *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->labels = strdup(labels);
	if (type == TYPE_HISTOGRAM)
		s->histogram = calloc(1, sizeof *s->histogram);
	if (s->labels == NULL || (type == TYPE_HISTOGRAM && s->histogram == NULL)) {
		free(s->labels);
		free(s);
		return NULL;
	}
	*family->last = s;
	family->last = &s->next;
	family->n++;
	put_in_bucket(family, s);
	return s;
}

struct metric *metrics_find(struct metrics *m, const char *name, const char *labels)
{
	for (struct family *f = m->first; f != NULL; f = f->next)
		if (strcmp(f->name, name) == 0 && f->n_buckets > 0)
			for (struct series *s = *bucket_of(f, labels); s != NULL; s = s->next_alike)
				if (strcmp(s->labels, labels) == 0)
					return &s->metric;
	return NULL;
}

struct metric *metrics_counter(struct metrics *m, const char *name, const char *help,
			       const char *labels)
{
	struct series *s = series_get(m, name, help, labels, TYPE_COUNTER);
	return s == NULL ? NULL : &s->metric;
}

struct metric *metrics_gauge(struct metrics *m, const char *name, const char *help,
			     const char *labels)
{
	struct series *s = series_get(m, name, help, labels, TYPE_GAUGE);
	return s == NULL ? NULL : &s->metric;
}

static int series_read(struct series *s, double (*read)(void *context), void *context)
{
	if (s == NULL)
		return -ENOMEM;
	s->read = read;
	s->context = context;
	return 0;
}

int metrics_counter_read(struct metrics *m, const char *name, const char *help, const char *labels,
			 double (*read)(void *context), void *context)
{
	return series_read(series_get(m, name, help, labels, TYPE_COUNTER), read, context);
}

int metrics_gauge_read(struct metrics *m, const char *name, const char *help, const char *labels,
		       double (*read)(void *context), void *context)
{
	return series_read(series_get(m, name, help, labels, TYPE_GAUGE), read, context);
}

struct histogram *metrics_histogram(struct metrics *m, const char *name, const char *help,
				    const char *labels)
{
	struct series *s = series_get(m, name, help, labels, TYPE_HISTOGRAM);
	return s == NULL ? NULL : s->histogram;
}

void histogram_observe(struct histogram *histogram, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	size_t i = 0;
	while (i < METRICS_BOUNDS && (double)ns > metrics_bounds[i] * 1e9)
		i++;
	atomic_fetch_add_explicit(&histogram->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->sum_ns, (uint64_t)ns, memory_order_relaxed);
}

/* Labels are parted by commas; one within a value stands behind no quote. */
static bool has_label(const char *labels, const char *label)
{
	size_t n = strlen(label);
	for (const char *at = labels; (at = strstr(at, label)) != NULL; at++)
		if ((at == labels || (at[-1] == ',' && at - labels > 1 && at[-2] == '"')) &&
		    (at[n] == '\0' || at[n] == ','))
			return true;
	return false;
}

static void series_free(struct series *series)
{
	free(series->labels);
	free(series->histogram);
	free(series);
}

static void leave_bucket(struct family *family, struct series *series)
{
	struct series **at = bucket_of(family, series->labels);
	while (*at != series)
		at = &(*at)->next_alike;
	*at = series->next_alike;
}

static void family_forget(struct family *family, const char *label, enum metrics_which which)
{
	struct series **at = &family->first, *s;
	while ((s = *at) != NULL) {
		bool goes = (label == NULL || has_label(s->labels, label)) &&
			    (which == METRICS_ALL || s->read != NULL);
		if (!goes) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		leave_bucket(family, s);
		series_free(s);
		family->n--;
	}
	family->last = at;
}

void metrics_forget(struct metrics *m, const char *prefix, const char *label,
		    enum metrics_which which)
{
	for (struct family *f = m->first; f != NULL; f = f->next)
		if (strncmp(f->name, prefix, strlen(prefix)) == 0)
			family_forget(f, label, which);
}

static void print_name(struct text *out, const char *name, const char *suffix, const char *labels,
		       const char *bound)
{
	text_add(out, name);
	text_add(out, suffix);
	if (labels[0] != '\0' || bound != NULL) {
		text_char(out, '{');
		text_add(out, labels);
		if (bound != NULL)
			text_format(out, "%sle=\"%s\"", labels[0] == '\0' ? "" : ",", bound);
		text_char(out, '}');
	}
	text_char(out, ' ');
}

static void print_histogram(struct text *out, const char *name, struct series *s)
{
	uint64_t count = 0;
	for (size_t i = 0; i <= METRICS_BOUNDS; i++) {
		char bound[32] = "+Inf";
		if (i < METRICS_BOUNDS)
			double_text(bound, metrics_bounds[i]);
		count += atomic_load_explicit(&s->histogram->bucket[i], memory_order_relaxed);
		print_name(out, name, "_bucket", s->labels, bound);
		text_format(out, "%llu\n", (unsigned long long)count);
	}
	print_name(out, name, "_sum", s->labels, NULL);
	text_double(out, (double)atomic_load_explicit(&s->histogram->sum_ns, memory_order_relaxed) /
				 1e9);
	text_char(out, '\n');
	print_name(out, name, "_count", s->labels, NULL);
	text_format(out, "%llu\n", (unsigned long long)count);
}

void metrics_print(struct metrics *m, struct text *out)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};
	for (struct family *f = m->first; f != NULL; f = f->next) {
		if (f->first == NULL)
			continue;
		text_format(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name,
			    types[f->type]);
		for (struct series *s = f->first; s != NULL; s = s->next) {
			if (f->type == TYPE_HISTOGRAM) {
				print_histogram(out, f->name, s);
				continue;
			}
			print_name(out, f->name, "", s->labels, NULL);
			if (s->read != NULL)
				text_double(out, s->read(s->context));
			else
				text_format(out, "%lld", (long long)metric_get(&s->metric));
			text_char(out, '\n');
		}
	}
}
