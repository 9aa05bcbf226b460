/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Log: sentences for the administrator, in English: to the journal with fields of their own where
 * stderr is the journal, else plain on stderr.
 *
 * Say changes, not conditions. The judge never logs: a write may block. A line is one write(2), or
 * one datagram, and may be made by any thread.
 */
#include "base/messages.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define LOG_FORMAT(m) __attribute__((format(printf, m, (m) + 1)))

/* As in syslog(3). What is above the level is not said. */
enum log_priority {
	PRIORITY_CRITICAL = 2,
	PRIORITY_ERROR = 3,
	PRIORITY_WARNING = 4,
	PRIORITY_INFO = 6,
	PRIORITY_DEBUG = 7
};

/* What a message is about: fields of the journal, which journalctl(1) selects by. NULL, 0: none. */
struct log_about {
	const char *site, *factor, *connection, *delivery;
	int unit; /* of the connection */
	int64_t case_id;
	int error; /* an errno; its text ends the line */
};
#define ABOUT(...) (&(const struct log_about){__VA_ARGS__})
#define ABOUT_NOTHING ABOUT(.error = 0)

/**
 * log_open() - where the log leads, by $JOURNAL_STREAM (main thread, once)
 * @level: what is said. Before it, it is information and above, all on stderr, and nothing is kept.
 */
void log_open(enum log_priority level);
/**
 * log_shift() - say more or less from now on (any thread): warnings, also information, also debug
 * @steps: +1 is one level more
 * Return: the level now in force
 */
enum log_priority log_shift(int steps);
/** log_level_name() - "warning", "info" or "debug" */
const char *log_level_name(enum log_priority level);
void log_warn(const char *format, ...) LOG_FORMAT(1); /* adds ": " and errno's text */
void log_warnx(const char *format, ...) LOG_FORMAT(1);
void log_info(const char *format, ...) LOG_FORMAT(1);
void log_debug(const char *format, ...) LOG_FORMAT(1);
/**
 * log_event() - a message of the catalogue
 *
 * Of one that comes and goes all the time the newest is kept, and said by log_settle() with how
 * often it came. So the last thing said of a topic is always how it stands.
 */
void log_event(enum log_message message, const struct log_about *about, const char *format, ...)
	LOG_FORMAT(3);
/** log_settle() - say what is kept and due; with @all whatever is kept (main thread, each second)
 */
void log_settle(bool all);

/** log_error_text() - an errno's text in English, whatever the locale: logs are read by tools, too
 */
const char *log_error_text(int error);

/* A message that repeats: said at the 1st, 2nd, 4th, 8th … time. One per place and thread. */
struct log_repeat {
	uint64_t count, next;
};
/** log_due() - counts one; Return: true if this one is to be said */
bool log_due(struct log_repeat *repeat);
