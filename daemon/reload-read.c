/* SPDX-License-Identifier: Apache-2.0 */
#include "reload-read.h"

#include "base/log.h"
#include "load.h"
#include "run-state.h"

#include <stdio.h>
#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void refuse_key(const struct run *run, const char *key, struct config_faults *faults)
{
	char message[128];
	snprintf(message, sizeof message, "%s cannot change while the daemon runs: restart it",
		 key);
	config_fault(run->file, key, message, faults);
}

/* What threads, files and sockets were made by when the daemon began. */
static bool keeps_fixed(const struct run *run, const struct config *config,
			struct config_faults *faults)
{
	const struct config *now = run->config;
	const struct {
		const char *key;
		bool same;
	} fixed[] = {
		{"node.id", same_text(now->id, config->id)},
		{"node.timezone", same_text(now->timezone, config->timezone)},
		{"node.language", same_text(now->language, config->language)},
		{"storage.directory", same_text(run->directory, config->directory)},
		{"http.socket", same_text(run->socket, config->socket)},
		{"http.listen", same_text(run->listen, config->listen)},
		{"threads", now->threads == config->threads},
	};
	bool all = true;
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		if (!fixed[i].same)
			refuse_key(run, fixed[i].key, faults);
		all = all && fixed[i].same;
	}
	return all;
}

static void say_faults(const struct config_faults *faults, struct text *said)
{
	for (size_t i = 0; i < faults->n; i++) {
		const struct config_fault *f = &faults->at[i];
		log_warnx("%s:%d: %s", f->file, f->line, f->message);
		text_format(said, "%s%s:%d: %s", said->length > 0 ? "\n" : "", f->file, f->line,
			    f->message);
	}
}

bool reload_read(const struct run *run, struct config **out, struct text *said)
{
	struct config_faults faults = {0};
	int r = load(run->file, LOAD_RUN, out, &faults);
	bool good = r == 0 && keeps_fixed(run, *out, &faults);
	say_faults(&faults, said);
	config_faults_deinit(&faults);
	if (!good && said->length == 0)
		text_format(said, "%s: %s", run->file, log_error_text(-r));
	return good;
}

bool reload_refuse(struct text *said, const char *sentence)
{
	text_add(said, sentence);
	log_warnx("%s", sentence);
	return false;
}

bool reload_may(const struct run *run, struct text *said)
{
	if (recorder_failing(run->recorder) || recorder_missing(run->recorder))
		return reload_refuse(said, "readings cannot be recorded now: reload when they are");
	if (clerk_failing(run->clerk))
		return reload_refuse(said, "the ledger cannot be written now: reload when it is");
	return true;
}
