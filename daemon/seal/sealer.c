/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/sealer.h"

#include "base/log.h"
#include "base/pulse.h"
#include "seal/hash.h"
#include "seal/keys.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A minute at most, with the moment between two looks and one for the disk. */
enum { EVERY_MS = 58000, ROLL_MS = 3600000, LOOK_MS = 1000, NAME_BYTES = 32 };

struct sealer {
	struct sealer_setup setup;
	struct pulse pulse;
	struct keys keys;
	pthread_t thread;
	bool runs;

	/* the thread's own */
	int64_t sealed_mono_ms;
	struct civil day; /* of the last seal */
	bool failing, fatal;

	bool amiss;                 /* as it was opened */
	char last_name[NAME_BYTES]; /* of the file with the last seal at the opening */

	pthread_mutex_t key_lock; /* keys.key does not change under it */

	pthread_mutex_t lock;     /* guards what follows */
	pthread_cond_t changed;   /* something is wanted */
	pthread_cond_t published; /* there is a new last one */
	bool wanted, stop;
	struct sealed last;
};

static int64_t clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool same_day(const struct civil *a, const struct civil *b)
{
	return a->year == b->year && a->month == b->month && a->day == b->day;
}

/* --- one seal --- */

static void line_head(struct sealer *s, struct seal_line *line, enum seal_reason reason)
{
	*line = (struct seal_line){.number = s->last.line.number + 1,
				   .time_ms = clock_ms(CLOCK_REALTIME),
				   .key = s->keys.number,
				   .reason = reason};
	snprintf(line->node, sizeof line->node, "%s", s->keys.node);
	memcpy(line->previous, s->last.hash, sizeof line->previous);
	s->setup.heads(s->setup.context, &line->daybook, &line->ledger);
}

static int line_add(struct sealer *s, const struct seal_line *line, const struct text *text)
{
	struct civil day = zone_civil(s->setup.zone, line->time_ms);
	char name[NAME_BYTES];

	snprintf(name, sizeof name, "%04d-%02u-%02u.seals", (int)day.year, (unsigned)day.month,
		 (unsigned)day.day);
	s->day = day;
	return line_file_add(s->keys.folder, name, text);
}

static void publish(struct sealer *s, const struct sealed *next)
{
	pthread_mutex_lock(&s->lock);
	s->last = *next;
	pthread_cond_broadcast(&s->published);
	pthread_mutex_unlock(&s->lock);
	if (s->setup.sealed != NULL)
		s->setup.sealed(s->setup.context, next);
}

static int seal(struct sealer *s, enum seal_reason reason)
{
	struct sealed next = {0};
	struct text text = {0};

	line_head(s, &next.line, reason);
	seal_line_text(&text, &next.line);
	int r = keys_sign(&s->keys, &text);
	if (r == 0)
		r = hash_bytes(text.at, text.length, next.hash);
	if (r == 0)
		r = line_add(s, &next.line, &text);
	text_deinit(&text);
	if (r == 0)
		publish(s, &next);
	return r;
}

static int roll(struct sealer *s)
{
	int64_t now_ms = clock_ms(CLOCK_REALTIME), age_ms = now_ms - s->keys.born_ms;

	if (age_ms >= 0 && age_ms < s->setup.roll_ms)
		return 0;
	pthread_mutex_lock(&s->key_lock);
	int r = keys_roll(&s->keys, s->last.line.number + 1, now_ms);
	pthread_mutex_unlock(&s->key_lock);
	return r;
}

int sealer_sign(struct sealer *s, const void *bytes, size_t n,
		uint8_t signature[SEAL_SIGNATURE_BYTES], uint8_t public[SEAL_PUBLIC_BYTES])
{
	pthread_mutex_lock(&s->key_lock);
	int r = sign_bytes(s->keys.key, bytes, n, signature);
	if (r == 0)
		r = sign_public(s->keys.key, public);
	pthread_mutex_unlock(&s->key_lock);
	return r;
}

/* --- the thread --- */

static void failed(struct sealer *s, int r)
{
	if (r > 0) {
		s->fatal = true;
		s->setup.fatal(s->setup.context);
		return;
	}
	if (!s->failing)
		log_event(LOGGED_SEALING_STOPPED, ABOUT(.error = -r),
			  "%s: nothing can be sealed; it is tried again", s->keys.folder);
	s->failing = true;
}

static void seal_now(struct sealer *s, enum seal_reason reason)
{
	int r = roll(s);

	if (r == 0)
		r = seal(s, reason);
	s->sealed_mono_ms = clock_ms(CLOCK_BOOTTIME);
	if (r != 0) {
		failed(s, r);
		return;
	}
	if (s->failing)
		log_event(LOGGED_SEALING_AGAIN, ABOUT_NOTHING, "%s: sealing again", s->keys.folder);
	s->failing = false;
}

/* Waits for a moment at most. Return: whether a seal is wanted. */
static bool await(struct sealer *s, bool *stop)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOOK_MS / 1000;
	pthread_mutex_lock(&s->lock);
	if (!s->stop)
		pthread_cond_timedwait(&s->changed, &s->lock, &until);
	bool wanted = s->wanted;
	*stop = s->stop;
	pthread_mutex_unlock(&s->lock);
	return wanted;
}

static void look(struct sealer *s, bool wanted)
{
	int64_t since_ms = clock_ms(CLOCK_BOOTTIME) - s->sealed_mono_ms;
	struct civil day = zone_civil(s->setup.zone, clock_ms(CLOCK_REALTIME));
	bool midnight = !same_day(&day, &s->day);
	bool retry = s->failing && since_ms >= LOOK_MS;

	wanted = wanted && since_ms >= LOOK_MS;
	if (!midnight && !wanted && !retry && since_ms < s->setup.every_ms)
		return;
	pthread_mutex_lock(&s->lock);
	s->wanted = false; /* what is wanted from now on may not be in the heads */
	pthread_mutex_unlock(&s->lock);
	seal_now(s, midnight ? SEAL_MIDNIGHT : wanted ? SEAL_EVENT : SEAL_TIME);
}

static void *sealer_run(void *context)
{
	struct sealer *s = context;
	bool stop = false;

	pulse_begin(&s->pulse, PULSE_SLOW, "sealer", NULL);
	while (!stop && !s->fatal) {
		bool wanted = await(s, &stop);
		pulse_beat(&s->pulse);
		if (!stop)
			look(s, wanted);
	}
	pulse_end(&s->pulse);
	return NULL;
}

/* --- opening --- */

static bool is_seals(const char *name)
{
	size_t length = strlen(name);

	return length == 16 && strcmp(name + 10, ".seals") == 0;
}

static void __attribute__((format(printf, 2, 3))) amiss(struct sealer *s, const char *format, ...)
{
	char sentence[512];
	va_list list;

	va_start(list, format);
	vsnprintf(sentence, sizeof sentence, format, list);
	va_end(list);
	s->amiss = true;
	log_event(LOGGED_DAMAGED, ABOUT_NOTHING, "%s/%s", s->keys.folder, sentence);
}

/* A file of seals that somebody renamed is read by nobody. */
static void name_look(struct sealer *s, const char *name)
{
	size_t length = strlen(name);

	if (length > 6 && strcmp(name + length - 6, ".seals") == 0 && !is_seals(name))
		amiss(s, "%.200s: no daemon calls a file of seals so: what is in it is not read",
		      name);
}

/* The file with the last seal is the last by name, unless the clock was set back: then it is the
 * one with the greatest number. */
static int last_in(struct sealer *s, const char *name)
{
	struct sealed found = {0};
	struct text line = {0};
	size_t length;

	int r = line_file_last(s->keys.folder, name, &line);
	if (r == 0 && line.length > 0 &&
	    seal_line_parse(line.at, line.length, &found.line, &length) != NULL) {
		log_warnx("%s/%s: the last line is no seal", s->keys.folder, name);
		r = -EBADMSG;
	}
	if (r == 0 && line.length > 0 && found.line.number > s->last.line.number) {
		r = hash_bytes(line.at, line.length, found.hash);
		s->last = found;
		snprintf(s->last_name, sizeof s->last_name, "%s", name);
	}
	text_deinit(&line);
	return r;
}

static int last_find(struct sealer *s)
{
	DIR *folder = opendir(s->keys.folder);
	int r = 0;

	if (folder == NULL)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *entry; r == 0 && (entry = readdir(folder)) != NULL;) {
		name_look(s, entry->d_name);
		if (is_seals(entry->d_name))
			r = last_in(s, entry->d_name);
	}
	closedir(folder);
	return r;
}

/* What the last seal names was on disk before it: less of it is there only if somebody took it. */
static void head_look(struct sealer *s, const char *what, const char *where,
		      const struct chain_head *sealed, const struct chain_head *is)
{
	bool other = sealed->number == is->number &&
		     memcmp(sealed->hash, is->hash, sizeof is->hash) != 0;

	if (sealed->number <= is->number && !other)
		return;
	amiss(s,
	      "%s: seal %lld names %s %lld, and %s ends with %s%lld: %s is gone, or was cut back",
	      s->last_name, (long long)s->last.line.number, what, (long long)sealed->number,
	      where[0] == 'l' ? "the ledger" : "the daybook", other ? "another " : "",
	      (long long)is->number, where);
}

/* What is missing is named before anything goes on from it. */
static void opened_look(struct sealer *s)
{
	struct chain_head daybook = {0}, ledger = {0};
	const struct seal_line *last = &s->last.line;
	char day[NAME_BYTES + 16];

	if (s->keys.found_seal > last->number + 1)
		amiss(s,
		      "keys: its last key signs from seal %lld on, and the last seal there is "
		      "%lld: "
		      "the file of the seals between is gone, or was cut back",
		      (long long)s->keys.found_seal, (long long)last->number);
	if (last->number == 0)
		return;
	s->setup.heads(s->setup.context, &daybook, &ledger);
	snprintf(day, sizeof day, "daybook/%.10s.db", s->last_name);
	head_look(s, "batch", day, &last->daybook, &daybook);
	head_look(s, "entry", "ledger.db", &last->ledger, &ledger);
}

static int sealer_open(struct sealer *s)
{
	const char *directory = s->setup.directory;

	snprintf(s->keys.folder, sizeof s->keys.folder, "%.4096s/%s", directory, KEYS_FOLDER);
	int r = last_find(s);
	if (r == 0)
		r = keys_open(&s->keys, directory, s->setup.node, s->last.line.number + 1,
			      clock_ms(CLOCK_REALTIME));
	if (r == 0)
		opened_look(s);
	if (r == 0)
		seal_now(s, SEAL_START);
	return s->fatal ? LINE_FILE_FATAL : r;
}

static void lock_init(struct sealer *s)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->key_lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &monotonic);
	pthread_cond_init(&s->published, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

int sealer_new(struct sealer **out, const struct sealer_setup *setup)
{
	struct sealer *s = calloc(1, sizeof *s);

	*out = NULL;
	if (s == NULL)
		return -ENOMEM;
	s->setup = *setup;
	if (s->setup.every_ms == 0)
		s->setup.every_ms = EVERY_MS;
	if (s->setup.roll_ms == 0)
		s->setup.roll_ms = ROLL_MS;
	lock_init(s);
	int r = sealer_open(s);
	if (r != 0)
		s = sealer_free(s);
	*out = s;
	return r;
}

struct sealer *sealer_free(struct sealer *sealer)
{
	if (sealer == NULL)
		return NULL;
	keys_close(&sealer->keys);
	pthread_cond_destroy(&sealer->changed);
	pthread_cond_destroy(&sealer->published);
	pthread_mutex_destroy(&sealer->lock);
	pthread_mutex_destroy(&sealer->key_lock);
	free(sealer);
	return NULL;
}

int sealer_start(struct sealer *sealer)
{
	int r = -pthread_create(&sealer->thread, NULL, sealer_run, sealer);

	sealer->runs = r == 0;
	return r;
}

void sealer_wake(struct sealer *sealer)
{
	pthread_mutex_lock(&sealer->lock);
	sealer->wanted = true;
	pthread_cond_signal(&sealer->changed);
	pthread_mutex_unlock(&sealer->lock);
}

static bool covers(const struct sealed *last, int64_t batch, int64_t entry)
{
	return last->line.daybook.number >= batch && last->line.ledger.number >= entry;
}

bool sealer_await(struct sealer *s, int64_t batch, int64_t entry, int64_t within_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += within_ms / 1000;
	pthread_mutex_lock(&s->lock);
	bool good = covers(&s->last, batch, entry);
	s->wanted |= !good;
	pthread_cond_signal(&s->changed);
	for (int r = 0; !good && r == 0; good = covers(&s->last, batch, entry))
		r = pthread_cond_timedwait(&s->published, &s->lock, &until);
	pthread_mutex_unlock(&s->lock);
	return good;
}

void sealer_last(struct sealer *sealer, struct sealed *out)
{
	pthread_mutex_lock(&sealer->lock);
	*out = sealer->last;
	pthread_mutex_unlock(&sealer->lock);
}

bool sealer_amiss(const struct sealer *sealer)
{
	return sealer->amiss;
}

void sealer_stop(struct sealer *sealer, bool seal)
{
	if (sealer->runs) {
		pthread_mutex_lock(&sealer->lock);
		sealer->stop = true;
		pthread_cond_signal(&sealer->changed);
		pthread_mutex_unlock(&sealer->lock);
		pthread_join(sealer->thread, NULL);
	}
	sealer->runs = false;
	if (seal && !sealer->fatal)
		seal_now(sealer, SEAL_STOP);
}
