/* SPDX-License-Identifier: Apache-2.0 */
#include "backtest.h"

#include "base/log.h"
#include "core/csv.h"
#include "core/evaluate.h"
#include "core/text.h"
#include "store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Sites and factors by name; open addressing, so that a row costs one comparison. */
struct names {
	struct name {
		const char *site, *factor;
		size_t site_length, factor_length;
		uint32_t monitor; /* NO_INDEX: unknown, and said so */
		bool used, owned;
		size_t next; /* the place of what followed it in the data */
	} * at;
	size_t mask, n, last;
};

struct backtest {
	const struct plan *plan;
	const struct marks *marks;
	struct evaluator *evaluator;
	struct names names;
	int64_t *clock_ms; /* by monitor: newest of its own rows, INT64_MIN: none yet */
	int64_t start_ms, latest_ms;
	struct verdict *verdicts;
	size_t n_verdicts, capacity;
	uint64_t rows, readings, unknown, malformed, raised, cleared, cases;
	bool failed;
	const char *file;
	FILE *out, *err;
};

/* The recorded data, all of it in memory or mapped. */
struct recording {
	const char *at;
	size_t size;
	bool mapped;
};

/* --- names --- */

static size_t hash(const char *s, size_t n, size_t h)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 1099511628211u;
	return h;
}

static bool same(const struct name *n, const char *site, size_t site_length, const char *factor,
		 size_t factor_length)
{
	return n->used && n->site_length == site_length && n->factor_length == factor_length &&
	       memcmp(n->site, site, site_length) == 0 &&
	       memcmp(n->factor, factor, factor_length) == 0;
}

static struct name *find(struct names *names, const char *site, size_t site_length,
			 const char *factor, size_t factor_length)
{
	size_t at = hash(factor, factor_length, hash(site, site_length, 14695981039346656037u));
	for (;; at++) {
		struct name *n = &names->at[at & names->mask];
		if (!n->used || same(n, site, site_length, factor, factor_length))
			return n;
	}
}

/* Recorded monitors mostly take turns: what followed last time is looked at first. */
static struct name *find_next(struct names *names, const struct csv_row *row)
{
	size_t *guess = &names->at[names->last & names->mask].next;
	struct name *n = &names->at[*guess & names->mask];
	if (!same(n, row->site, row->site_length, row->factor, row->factor_length))
		n = find(names, row->site, row->site_length, row->factor, row->factor_length);
	names->last = *guess = (size_t)(n - names->at);
	return n;
}

static bool names_add(struct names *names, const struct name *name)
{
	if (names->n * 2 >= names->mask + 1) {
		struct names larger = {.mask = names->mask * 2 + 1};
		larger.at = calloc(larger.mask + 1, sizeof *larger.at);
		if (larger.at == NULL)
			return false;
		for (size_t i = 0; i <= names->mask; i++)
			if (names->at[i].used)
				names_add(&larger, &names->at[i]);
		free(names->at);
		*names = larger;
	}
	struct name *place =
		find(names, name->site, strlen(name->site), name->factor, strlen(name->factor));
	*place = *name;
	place->site_length = strlen(name->site);
	place->factor_length = strlen(name->factor);
	names->n++;
	return true;
}

static bool names_fill(struct names *names, const struct plan *plan)
{
	names->mask = 255;
	names->at = calloc(names->mask + 1, sizeof *names->at);
	bool good = names->at != NULL;
	for (uint32_t i = 0; good && i < plan->n_monitors; i++)
		good = names_add(names,
				 &(struct name){.site = plan->sites[plan->monitors[i].site].id,
						.factor = plan->monitors[i].factor,
						.monitor = i,
						.used = true});
	return good;
}

static void names_deinit(struct names *names)
{
	for (size_t i = 0; names->at != NULL && i <= names->mask; i++)
		if (names->at[i].owned) {
			free((void *)(uintptr_t)names->at[i].site);
			free((void *)(uintptr_t)names->at[i].factor);
		}
	free(names->at);
}

/* Names that the configuration lacks are said once. */
static uint32_t monitor_of(struct backtest *b, const struct csv_row *row)
{
	const struct name *known = find_next(&b->names, row);
	if (known->used)
		return known->monitor;
	struct name unknown = {.site = strndup(row->site, row->site_length),
			       .factor = strndup(row->factor, row->factor_length),
			       .monitor = NO_INDEX,
			       .used = true,
			       .owned = true};
	if (unknown.site == NULL || unknown.factor == NULL || !names_add(&b->names, &unknown)) {
		b->failed = true;
		return NO_INDEX;
	}
	bool site_known = plan_site(b->plan, unknown.site) != NO_INDEX;
	fprintf(b->err,
		site_known ? "site \"%s\" has no monitor of factor \"%s\": its rows are skipped\n"
			   : "unknown site \"%s\" (factor \"%s\"): its rows are skipped\n",
		unknown.site, unknown.factor);
	return NO_INDEX;
}

/* --- first pass: rows to verdicts --- */

/* Data knows one clock. Recorded years reach to 9999, nanoseconds in 64 bits to 2262: for durations
 * alone the clock is counted from the start, and stops where no rule can tell the difference. */
static int64_t mono_of(const struct backtest *b, int64_t wall_ms)
{
	const int64_t most_ms = INT64_MAX / 1000000 / 2;
	int64_t since_ms = wall_ms - b->start_ms;
	if (since_ms > most_ms)
		since_ms = most_ms;
	if (since_ms < -most_ms)
		since_ms = -most_ms;
	return since_ms * 1000000;
}

static void keep(void *context, const struct verdict *verdict)
{
	struct backtest *b = context;
	if (b->n_verdicts == b->capacity) {
		size_t capacity = b->capacity == 0 ? 1024 : b->capacity * 2;
		struct verdict *more = realloc(b->verdicts, capacity * sizeof *more);
		if (more == NULL) {
			b->failed = true;
			return;
		}
		b->verdicts = more;
		b->capacity = capacity;
	}
	b->verdicts[b->n_verdicts++] = *verdict;
}

/* The file's first and latest time are those of all its rows, of unknown monitors, too. */
static bool pass_time(struct backtest *b, int64_t time_ms)
{
	if (time_ms > b->latest_ms)
		b->latest_ms = time_ms;
	if (b->evaluator != NULL)
		return true;
	b->start_ms = b->latest_ms = time_ms;
	if (evaluator_new(&b->evaluator, b->plan, time_ms, mono_of(b, time_ms), keep, b) < 0)
		b->failed = true;
	else
		evaluator_marks(b->evaluator, b->marks);
	return !b->failed;
}

static struct reading reading_of(const struct backtest *b, uint32_t monitor,
				 const struct csv_row *row)
{
	return (struct reading){
		.measured_ms = row->time_ms,
		.received_ms = row->time_ms,
		.received_mono_ns = mono_of(b, row->time_ms),
		.value = row->value,
		.monitor = monitor,
		.has_value = true,
		.flag = (uint8_t)quality_flag(&b->plan->monitors[monitor], row->flag, true,
					      row->value),
	};
}

static void feed(struct backtest *b, uint32_t monitor, const struct csv_row *row)
{
	if (row->has_value && row->time_ms < b->start_ms)
		evaluator_reach_back(b->evaluator, monitor, row->time_ms);
	if (row->time_ms > b->clock_ms[monitor]) {
		b->clock_ms[monitor] = row->time_ms;
		evaluator_clock(b->evaluator, monitor, row->time_ms, mono_of(b, row->time_ms),
				false);
	}
	if (!row->has_value)
		return;
	struct reading r = reading_of(b, monitor, row);
	b->readings++;
	evaluator_feed(b->evaluator, &r);
}

static void judge_row(struct backtest *b, const struct csv_row *row)
{
	b->rows++;
	if (!pass_time(b, row->time_ms))
		return;
	uint32_t monitor = monitor_of(b, row);
	if (monitor == NO_INDEX)
		b->unknown++;
	else
		feed(b, monitor, row);
}

static void refuse_row(struct backtest *b, uint64_t number, const char *why)
{
	fprintf(b->err, "%s:%llu: %s\n", b->file, (unsigned long long)number, why);
	b->rows++;
	b->malformed++;
}

/* The flow is known before anything is judged by it, wherever in the file it stands. */
static void flow_row(struct backtest *b, const struct csv_row *row)
{
	if (!pass_time(b, row->time_ms) || !row->has_value)
		return;
	const struct name *known = find_next(&b->names, row);
	if (!known->used || known->monitor == NO_INDEX)
		return;
	struct reading r = reading_of(b, known->monitor, row);
	b->failed |= !evaluator_flow(b->evaluator, &r);
}

static size_t without_line_end(const char *line, size_t length)
{
	while (length > 0 && line[length - 1] == '\r')
		length--;
	return length;
}

/* Takes the next line off @rest, without its end. */
static size_t next_line(struct recording *rest, const char **line)
{
	const char *end = memchr(rest->at, '\n', rest->size);
	size_t length = end == NULL ? rest->size : (size_t)(end - rest->at);
	size_t taken = length + (end != NULL);
	*line = rest->at;
	rest->at += taken;
	rest->size -= taken;
	return without_line_end(*line, length);
}

typedef void (*row_fn)(struct backtest *b, const struct csv_row *row);

/* Each row behind the header, refused ones to @refused (NULL: passed over). */
static void each_row(struct backtest *b, struct recording rest, const struct csv_header *header,
		     row_fn fn, void (*refused)(struct backtest *, uint64_t, const char *))
{
	char why[160];
	for (uint64_t number = 2; rest.size > 0 && !b->failed; number++) {
		struct csv_row row;
		const char *line;
		size_t length = next_line(&rest, &line);
		if (length == 0)
			continue;
		if (csv_row(line, length, header, &b->plan->zone, &row, why, sizeof why))
			fn(b, &row);
		else if (refused != NULL)
			refused(b, number, why);
	}
}

static bool flow_judges(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_sites; i++)
		if (plan->sites[i].has_gate)
			return true;
	for (size_t i = 0; i < plan->n_monitors; i++)
		for (size_t j = 0; j < plan->monitors[i].n_limits; j++)
			if (plan->monitors[i].limits[j].by_flow)
				return true;
	return false;
}

static bool read_rows(struct backtest *b, struct recording rest)
{
	struct csv_header header;
	const char *line = "";
	char why[160] = "the file is empty; its first line names the columns";
	bool good = rest.size > 0;
	size_t length = good ? next_line(&rest, &line) : 0;
	if (!good || !csv_header(line, length, &header, why, sizeof why)) {
		fprintf(b->err, "%s:1: %s\n", b->file, why);
		return false;
	}
	if (flow_judges(b->plan))
		each_row(b, rest, &header, flow_row, NULL);
	each_row(b, rest, &header, judge_row, refuse_row);
	return true;
}

/* --- the file --- */

static int recording_read(struct recording *r, int fd)
{
	size_t room = 0;
	char *at = NULL;
	ssize_t n = 1;
	while (n > 0) {
		if (r->size == room) {
			room = room == 0 ? 65536 : 2 * room;
			char *more = realloc(at, room);
			if (more == NULL)
				break;
			at = more;
		}
		n = read(fd, at + r->size, room - r->size);
		r->size += n > 0 ? (size_t)n : 0;
	}
	r->at = at;
	return n == 0 ? 0 : -1;
}

/* Maps a file; reads a pipe to its end. Return: -1 and errno. */
static int recording_open(struct recording *r, const char *file)
{
	struct stat about;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	*r = (struct recording){0};
	if (fd < 0)
		return -1;
	int result = fstat(fd, &about);
	if (result == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
		r->size = (size_t)about.st_size;
		void *map = mmap(NULL, r->size, PROT_READ, MAP_PRIVATE, fd, 0);
		r->mapped = map != MAP_FAILED;
		r->at = r->mapped ? map : NULL;
		result = r->mapped ? 0 : -1;
	} else if (result == 0) {
		result = recording_read(r, fd);
	}
	int error = errno;
	close(fd);
	errno = error;
	return result;
}

static void recording_close(const struct recording *r)
{
	if (r->mapped)
		munmap((void *)(uintptr_t)r->at, r->size);
	else
		free((void *)(uintptr_t)r->at);
}

/* --- second pass: verdicts in order, through the ledger --- */

/* One line of output: cleared before raised before case at the same moment and condition. */
enum class { CLASS_CLEARED, CLASS_RAISED, CLASS_CASE };

struct event {
	const struct verdict *verdict;
	enum class class;
	size_t arrival;
	char *line; /* NULL: the ledger had nothing to say */
};

static int order_names(const struct plan *plan, const struct verdict *a, const struct verdict *b)
{
	const struct monitor *ma = &plan->monitors[a->monitor], *mb = &plan->monitors[b->monitor];
	int d = strcmp(plan->sites[ma->site].id, plan->sites[mb->site].id);
	if (d == 0)
		d = strcmp(ma->factor, mb->factor);
	if (d == 0)
		d = strcmp(alert_kind_name(a->kind), alert_kind_name(b->kind));
	return d;
}

static int order_moment(const struct plan *plan, const struct event *a, const struct event *b)
{
	int d = (a->verdict->time_ms > b->verdict->time_ms) -
		(a->verdict->time_ms < b->verdict->time_ms);
	return d != 0 ? d : order_names(plan, a->verdict, b->verdict);
}

/* As it happened, entry by entry: an alert may begin and end in one moment, and its case follows
 * its raise. */
static int order_happened(const void *left, const void *right, void *context)
{
	const struct event *a = left, *b = right;
	int d = order_moment(context, a, b);
	if (d == 0)
		d = (a->verdict->limit > b->verdict->limit) -
		    (a->verdict->limit < b->verdict->limit);
	if (d == 0)
		d = (a->arrival > b->arrival) - (a->arrival < b->arrival);
	if (d == 0)
		d = (a->class > b->class) - (a->class < b->class);
	return d;
}

/* As it is printed, within one moment. */
static int order_printed(const void *left, const void *right)
{
	const struct event *a = left, *b = right;
	int d = (a->class > b->class) - (a->class < b->class);
	if (d == 0)
		d = (a->verdict->limit > b->verdict->limit) -
		    (a->verdict->limit < b->verdict->limit);
	if (d == 0)
		d = (a->arrival > b->arrival) - (a->arrival < b->arrival);
	return d;
}

/* What the ledger announced for one verdict: the alert's line, and perhaps its case's. */
struct announced {
	const struct plan *plan;
	int64_t after;
	char *alert, *of_case;
	bool failed, opened;
};

static char *line_of(const struct plan *plan, const struct ledger_event *event)
{
	const char *data = strstr(event->json, "\"data\":"); /* the event's last member */
	struct text line = {0};
	if (data == NULL)
		return NULL;
	text_add(&line, "{\"type\":");
	text_json(&line, event->type + strlen("ducha."));
	text_add(&line, ",\"time\":\"");
	text_time(&line, event->at_ms, &plan->zone, 3);
	text_add(&line, "\",");
	text_add(&line, data);
	return line.failed ? (text_deinit(&line), NULL) : line.at;
}

static bool take_event(void *context, const struct ledger_event *event)
{
	struct announced *a = context;
	bool is_case = strncmp(event->type, "ducha.case.", 11) == 0;
	char **place = is_case ? &a->of_case : &a->alert;
	a->after = event->id;
	a->opened |= strcmp(event->type, "ducha.case.opened") == 0;
	*place = line_of(a->plan, event);
	a->failed |= *place == NULL;
	return true;
}

/* @e is an alert's event, the one behind it is for what its case says. */
static bool settle(struct backtest *b, struct ledger *ledger, struct event *e, int64_t *after)
{
	struct announced a = {.plan = b->plan, .after = *after};
	bool good = ledger_apply(ledger, e->verdict, 1, e->verdict->time_ms, NULL) == 0 &&
		    ledger_events(ledger, *after, 16, take_event, &a) == 0 && !a.failed;
	*after = a.after;
	e[0].line = a.alert;
	e[1].line = a.of_case;
	b->raised += a.alert != NULL && e->class == CLASS_RAISED;
	b->cleared += a.alert != NULL && e->class == CLASS_CLEARED;
	b->cases += a.opened;
	return good;
}

static size_t lay_out(const struct backtest *b, struct event *events)
{
	size_t n = 0;
	for (size_t i = 0; i < b->n_verdicts; i++) {
		const struct verdict *v = &b->verdicts[i];
		enum class class = v->type == VERDICT_RAISED ? CLASS_RAISED : CLASS_CLEARED;
		events[n++] = (struct event){.verdict = v, .class = class, .arrival = i};
		events[n++] = (struct event){.verdict = v, .class = CLASS_CASE, .arrival = i};
	}
	return n;
}

static void print_moment(struct backtest *b, struct event *events, size_t n)
{
	qsort(events, n, sizeof *events, order_printed);
	for (size_t i = 0; i < n; i++) {
		if (events[i].line != NULL) {
			fputs(events[i].line, b->out);
			fputc('\n', b->out);
		}
		free(events[i].line);
	}
}

static bool print_events(struct backtest *b)
{
	struct ledger *ledger = NULL;
	struct event *events = calloc(2 * b->n_verdicts + 1, sizeof *events);
	int64_t after = 0;
	bool good = events != NULL && ledger_open(&ledger, NULL, b->plan) == 0;
	size_t n = good ? lay_out(b, events) : 0, from = 0;
	if (good)
		qsort_r(events, n, sizeof *events, order_happened, (void *)(uintptr_t)b->plan);
	for (size_t i = 0; good && i < n; i += 2) {
		good = settle(b, ledger, &events[i], &after);
		if (i + 2 < n && order_moment(b->plan, &events[i], &events[i + 2]) == 0)
			continue;
		print_moment(b, &events[from], i + 2 - from);
		from = i + 2;
	}
	ledger_close(ledger);
	free(events);
	return good;
}

static void finish(struct backtest *b)
{
	for (uint32_t i = 0; b->evaluator != NULL && i < b->plan->n_monitors; i++)
		evaluator_clock(b->evaluator, i, b->latest_ms, mono_of(b, b->latest_ms), true);
	if (!b->failed && !print_events(b))
		b->failed = true;
	if (b->failed)
		fprintf(b->err, "backtest: out of memory\n");
	fprintf(b->err,
		"%llu rows, %llu readings, %llu of unknown monitors, %llu malformed; "
		"%llu alerts raised, %llu cleared, %llu cases\n",
		(unsigned long long)b->rows, (unsigned long long)b->readings,
		(unsigned long long)b->unknown, (unsigned long long)b->malformed,
		(unsigned long long)b->raised, (unsigned long long)b->cleared,
		(unsigned long long)b->cases);
}

int backtest(const struct plan *plan, const char *file, const struct marks *marks, FILE *out,
	     FILE *err)
{
	struct backtest b = {.plan = plan, .marks = marks, .file = file, .out = out, .err = err};
	struct recording in;
	if (recording_open(&in, file) < 0) {
		fprintf(err, "%s: %s\n", file, log_error_text(errno));
		recording_close(&in);
		return 1;
	}
	b.clock_ms = calloc(plan->n_monitors + 1, sizeof *b.clock_ms);
	b.failed = b.clock_ms == NULL || !names_fill(&b.names, plan);
	for (size_t i = 0; !b.failed && i < plan->n_monitors; i++)
		b.clock_ms[i] = INT64_MIN;
	bool good = !b.failed && read_rows(&b, in);
	if (good)
		finish(&b);
	good = good && !b.failed && b.malformed == 0 && fflush(out) == 0 && !ferror(out);
	recording_close(&in);
	evaluator_free(b.evaluator);
	names_deinit(&b.names);
	free(b.clock_ms);
	free(b.verdicts);
	return good ? 0 : 1;
}
