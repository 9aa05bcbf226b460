/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PRIORITY_WARNING = 4, PRIORITY_INFO = 6, PRIORITY_DEBUG = 7 };

/* Set once by log_open() before threads start. */
static bool log_debugging, log_journal;

void log_open(bool debug)
{
	log_debugging = debug;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

const char *log_error_text(int error)
{
	const char *text = strerrordesc_np(error);
	return text != NULL ? text : "unknown error";
}

__attribute__((format(printf, 2, 0))) static void log_write(int priority, const char *format,
							    va_list arguments, int error)
{
	char line[2048];
	size_t at = 0;
	if (log_journal)
		at = (size_t)snprintf(line, sizeof line, "<%d>", priority);
	int n = vsnprintf(line + at, sizeof line - at - 1, format, arguments);
	at += n < 0 ? 0 : (size_t)n;
	if (at > sizeof line - 2)
		at = sizeof line - 2;
	if (error != 0 && at < sizeof line - 2) {
		n = snprintf(line + at, sizeof line - at - 1, ": %s", log_error_text(error));
		at += n < 0 ? 0 : (size_t)n;
		if (at > sizeof line - 2)
			at = sizeof line - 2;
	}
	for (size_t i = 0; i < at; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' '; /* outside text may carry more than a second line */
	line[at++] = '\n';
	ssize_t written = write(STDERR_FILENO, line, at);
	(void)written; /* nowhere left to say it */
}

#define LOG_WRITE(priority, error)                                                                 \
	do {                                                                                       \
		int saved = errno;                                                                 \
		va_list arguments;                                                                 \
		va_start(arguments, format);                                                       \
		log_write(priority, format, arguments, error);                                     \
		va_end(arguments);                                                                 \
		errno = saved;                                                                     \
	} while (0)

void log_warn(const char *format, ...)
{
	LOG_WRITE(PRIORITY_WARNING, saved);
}

void log_warnx(const char *format, ...)
{
	LOG_WRITE(PRIORITY_WARNING, 0);
}

void log_info(const char *format, ...)
{
	LOG_WRITE(PRIORITY_INFO, 0);
}

void log_debug(const char *format, ...)
{
	if (log_debugging)
		LOG_WRITE(PRIORITY_DEBUG, 0);
}

static void log_plain(int priority, const char *format, ...) LOG_FORMAT(2);
static void log_plain(int priority, const char *format, ...)
{
	LOG_WRITE(priority, 0);
}

void log_alert(const char *line)
{
	log_plain(PRIORITY_WARNING, "%s", line);
}

bool log_due(struct log_repeat *repeat)
{
	if (++repeat->count < repeat->next)
		return false;
	repeat->next = repeat->count * 2;
	return true;
}
