/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/damper.h"
#include "base/journal.h"
#include "base/record.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
	enum log_priority priority;
	enum log_message topic;
	const char *id;
} messages[LOG_MESSAGE_COUNT] = {
#define X(name, priority, topic, id) [LOGGED_##name] = {PRIORITY_##priority, LOGGED_##topic, id},
	LOG_MESSAGES(X)
#undef X
};

/* Set once by log_open() before threads start. */
static bool log_journal, log_damps;
static _Atomic enum log_priority log_level = PRIORITY_INFO;
static pthread_mutex_t damper_lock = PTHREAD_MUTEX_INITIALIZER;
static struct damper damper; /* under the lock */

void log_open(enum log_priority level)
{
	atomic_store_explicit(&log_level, level, memory_order_relaxed);
	log_journal = journal_is_stderr();
	log_damps = true;
}

const char *log_level_name(enum log_priority level)
{
	return level >= PRIORITY_DEBUG ? "debug" : level >= PRIORITY_INFO ? "info" : "warning";
}

enum log_priority log_shift(int steps)
{
	static const enum log_priority levels[] = {PRIORITY_WARNING, PRIORITY_INFO, PRIORITY_DEBUG};
	enum log_priority level = atomic_load_explicit(&log_level, memory_order_relaxed);
	int at = level >= PRIORITY_DEBUG ? 2 : level >= PRIORITY_INFO ? 1 : 0;
	at = at + steps < 0 ? 0 : at + steps > 2 ? 2 : at + steps;
	atomic_store_explicit(&log_level, levels[at], memory_order_relaxed);
	return levels[at];
}

static bool is_said(enum log_priority priority)
{
	return priority <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

const char *log_message_id(enum log_message message)
{
	return messages[message].id;
}

enum log_message log_message_topic(enum log_message message)
{
	return messages[message].topic;
}

const char *log_error_text(int error)
{
	const char *text = strerrordesc_np(error);
	return text != NULL ? text : "unknown error";
}

/* --- a record --- */

static void record_add(struct log_record *record, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
static void record_add(struct log_record *record, const char *format, va_list arguments)
{
	size_t at = strlen(record->text);
	vsnprintf(record->text + at, sizeof record->text - at, format, arguments);
}

static void record_say(struct log_record *record, const char *format, ...) LOG_FORMAT(2);
static void record_say(struct log_record *record, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	record_add(record, format, arguments);
	va_end(arguments);
}

static void record_fill(struct log_record *record, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
static void record_fill(struct log_record *record, const char *format, va_list arguments)
{
	record->text[0] = '\0';
	record_add(record, format, arguments);
	if (record->error != 0)
		record_say(record, ": %s", log_error_text(record->error));
	for (char *c = record->text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' '; /* outside text may carry more than a second line */
}

/* --- where it goes --- */

static void write_line(const struct log_record *record)
{
	char line[sizeof record->text + 8];
	int n = log_journal ? snprintf(line, sizeof line, "<%d>%s\n", (int)record->priority,
				       record->text)
			    : snprintf(line, sizeof line, "%s\n", record->text);
	ssize_t written = write(STDERR_FILENO, line, (size_t)n);
	(void)written; /* nowhere left to say it */
}

static void send(const struct log_record *record)
{
	int saved = errno;
	if (!log_journal || !journal_send(record))
		write_line(record);
	errno = saved;
}

#define LOG_SEND(level, number)                                                                    \
	do {                                                                                       \
		int saved = errno;                                                                 \
		struct log_record record = {.priority = (level), .error = (number)};               \
		va_list arguments;                                                                 \
		if (!is_said(level))                                                               \
			return;                                                                    \
		va_start(arguments, format);                                                       \
		record_fill(&record, format, arguments);                                           \
		va_end(arguments);                                                                 \
		errno = saved;                                                                     \
		send(&record);                                                                     \
	} while (0)

void log_warn(const char *format, ...)
{
	LOG_SEND(PRIORITY_WARNING, saved);
}

void log_warnx(const char *format, ...)
{
	LOG_SEND(PRIORITY_WARNING, 0);
}

void log_info(const char *format, ...)
{
	LOG_SEND(PRIORITY_INFO, 0);
}

void log_debug(const char *format, ...)
{
	LOG_SEND(PRIORITY_DEBUG, 0);
}

/* --- messages of the catalogue --- */

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void record_about(struct log_record *record, const struct log_about *about)
{
	const char *const subjects[LOG_SUBJECTS] = {
		[ABOUT_SITE] = about->site,
		[ABOUT_FACTOR] = about->factor,
		[ABOUT_CONNECTION] = about->connection,
		[ABOUT_DELIVERY] = about->delivery,
	};
	for (size_t i = 0; i < LOG_SUBJECTS; i++)
		if (subjects[i] != NULL)
			snprintf(record->about[i], sizeof record->about[i], "%s", subjects[i]);
	record->unit = about->unit;
	record->case_id = about->case_id;
	record->error = about->error;
}

static bool is_due(const struct log_record *record)
{
	pthread_mutex_lock(&damper_lock);
	bool due = damper_offer(&damper, record, now_ns());
	pthread_mutex_unlock(&damper_lock);
	return due;
}

void log_event(enum log_message message, const struct log_about *about, const char *format, ...)
{
	struct log_record record = {.message = message, .priority = messages[message].priority};
	va_list arguments;
	if (!is_said(record.priority))
		return;
	record_about(&record, about);
	va_start(arguments, format);
	record_fill(&record, format, arguments);
	va_end(arguments);
	if (message == LOGGED_ALERT || !log_damps || is_due(&record))
		send(&record);
}

static bool next_kept(bool all, struct log_record *record)
{
	pthread_mutex_lock(&damper_lock);
	bool found = damper_due(&damper, now_ns(), all, record);
	pthread_mutex_unlock(&damper_lock);
	return found;
}

void log_settle(bool all)
{
	struct log_record record;
	while (next_kept(all, &record)) {
		if (record.times > 1)
			record_say(&record, " (%llu like it)", (unsigned long long)record.times);
		send(&record);
	}
}

bool log_due(struct log_repeat *repeat)
{
	if (++repeat->count < repeat->next)
		return false;
	repeat->next = repeat->count * 2;
	return true;
}
