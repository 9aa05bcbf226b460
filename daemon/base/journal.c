/* SPDX-License-Identifier: Apache-2.0 */
#define SD_JOURNAL_SUPPRESS_LOCATION /* the place in our sources tells an administrator nothing */
#include "base/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

enum { MOST_FIELDS = 14, FIELD_BYTES = 128 };

struct fields {
	struct iovec at[MOST_FIELDS];
	int n;
	char text[MOST_FIELDS][FIELD_BYTES];
	char message[sizeof "MESSAGE=" + sizeof(((struct log_record *)0)->text)];
};

bool journal_is_stderr(void)
{
	const char *named = getenv("JOURNAL_STREAM");
	struct stat stderr_is;
	unsigned long long device, inode;
	return named != NULL && sscanf(named, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &stderr_is) == 0 && stderr_is.st_dev == device &&
	       stderr_is.st_ino == inode;
}

static void add(struct fields *fields, char *text)
{
	fields->at[fields->n++] = (struct iovec){text, strlen(text)};
}

static void add_text(struct fields *fields, const char *name, const char *value)
{
	char *text = fields->text[fields->n];
	if (value == NULL || value[0] == '\0')
		return;
	snprintf(text, FIELD_BYTES, "%s=%s", name, value);
	add(fields, text);
}

static void add_number(struct fields *fields, const char *name, long long value)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", value);
	if (value != 0)
		add_text(fields, name, text);
}

bool journal_send(const struct log_record *record)
{
	static const char *const names[LOG_SUBJECTS] = {
		[ABOUT_SITE] = "DUCHA_SITE",
		[ABOUT_FACTOR] = "DUCHA_FACTOR",
		[ABOUT_CONNECTION] = "DUCHA_CONNECTION",
		[ABOUT_DELIVERY] = "DUCHA_DELIVERY",
	};
	struct fields fields = {.n = 0};
	snprintf(fields.message, sizeof fields.message, "MESSAGE=%s", record->text);
	add(&fields, fields.message);
	add_number(&fields, "PRIORITY", record->priority);
	add_text(&fields, "SYSLOG_IDENTIFIER", program_invocation_short_name);
	add_text(&fields, "MESSAGE_ID", log_message_id(record->message));
	for (size_t i = 0; i < LOG_SUBJECTS; i++)
		add_text(&fields, names[i], record->about[i]);
	add_number(&fields, "DUCHA_UNIT", record->unit);
	add_number(&fields, "DUCHA_CASE", record->case_id);
	add_number(&fields, "DUCHA_TIMES", (long long)record->times);
	add_number(&fields, "ERRNO", record->error);
	return sd_journal_sendv(fields.at, fields.n) == 0;
}
