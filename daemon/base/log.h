/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Log: sentences for the administrator, in English, on stderr (with <N> priorities under systemd).
 *
 * Say changes, not conditions. The judge never logs: a write may block. A line is one write(2) and
 * may be made by any thread.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define LOG_FORMAT(m) __attribute__((format(printf, m, (m) + 1)))

/** log_open() - @debug: print log_debug lines too (main thread, once; reads $JOURNAL_STREAM) */
void log_open(bool debug);
void log_warn(const char *format, ...) LOG_FORMAT(1); /* adds ": " and errno's text */
void log_warnx(const char *format, ...) LOG_FORMAT(1);
void log_info(const char *format, ...) LOG_FORMAT(1);
void log_debug(const char *format, ...) LOG_FORMAT(1);
/** log_alert() - an alert line, as the operators read it (priority 4) */
void log_alert(const char *line);

/** log_error_text() - an errno's text in English, whatever the locale: logs are read by tools, too
 */
const char *log_error_text(int error);

/* A message that repeats: said at the 1st, 2nd, 4th, 8th … time. One per place and thread. */
struct log_repeat {
	uint64_t count, next;
};
/** log_due() - counts one; Return: true if this one is to be said */
bool log_due(struct log_repeat *repeat);
