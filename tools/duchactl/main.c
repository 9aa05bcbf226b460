/* SPDX-License-Identifier: Apache-2.0 */
/* duchactl: the operator's tool. It talks to the daemon over its socket and knows nothing else. */
#include "client.h"
#include "complete.h"
#include "core/text.h"
#include "options.h"
#include "show.h"
#include "words.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The node's language is that of its operators, unless LANGUAGE says another. */
static int take_language(struct client *client)
{
	const char *chosen = getenv("LANGUAGE");
	struct client_answer answer = {0};
	if (chosen != NULL && chosen[0] != '\0')
		return CTL_OK;
	client_path(client, "/health");
	int result = client_do(client, NULL, &answer);
	json_t *json = result == 0 && answer.body.at != NULL
			       ? json_loadb(answer.body.at, answer.body.length, 0, NULL)
			       : NULL;
	const char *language = json_string_value(json_object_get(json, "language"));
	if (language != NULL)
		setenv("LANGUAGE", language, 1);
	json_decref(json);
	client_answer_deinit(&answer);
	return result;
}

static int talk(const struct ctl_options *options)
{
	static int (*const verbs[])(struct client *, const struct ctl_options *) = {
		[VERB_STATUS] = show_status,
		[VERB_TAIL] = live_tail,
		[VERB_SITES] = show_sites,
		[VERB_READINGS] = show_readings,
		[VERB_ALERTS] = show_alerts,
		[VERB_CASES] = show_cases,
		[VERB_CASE] = show_case,
		[VERB_OPEN] = show_open,
		[VERB_ALERT] = show_acknowledge,
		[VERB_SHELVE] = show_shelves,
		[VERB_UNSHELVE] = show_shelves,
		[VERB_SHELVES] = show_shelves,
		[VERB_MARK] = show_mark,
		[VERB_MARKS] = show_marks,
		[VERB_DELIVERIES] = show_deliveries,
		[VERB_DOSSIER] = show_dossier,
		[VERB_VERIFY] = show_verify,
		[VERB_COPY] = show_copy,
		[VERB_EVIDENCE] = show_evidence,
		[VERB_LOAD] = show_loads,
		[VERB_REPORT] = show_report,
		[VERB_RELOAD] = show_reload,
		[VERB_CLOCK] = show_clock,
	};
	struct client client;
	int result = CTL_FAILED;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return CTL_FAILED;
	if (client_open(&client, options->socket)) {
		result = options->json ? CTL_OK : take_language(&client);
		if (result == CTL_OK)
			result = verbs[options->verb](&client, options);
		client_close(&client);
	}
	curl_global_cleanup();
	return result;
}

int main(int argc, char **argv)
{
	struct ctl_options options;
	struct text error = {0};
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && strcmp(argv[1], "--complete") == 0) {
		complete(argc - 2, argv + 2);
		return CTL_OK;
	}
	words_open();
	if (!options_read(argc, argv, &options, &error)) {
		fprintf(stderr, "duchactl: %s\n", error.at == NULL ? "wrong usage" : error.at);
		text_deinit(&error);
		return CTL_USAGE;
	}
	switch (options.verb) {
	case VERB_HELP:
		fputs(options_help, stdout);
		return CTL_OK;
	case VERB_VERSION:
		puts("duchactl " DUCHA_VERSION);
		return CTL_OK;
	case VERB_VERIFY:
		return options.directory != NULL ? verify_directory(&options, options.directory)
						 : talk(&options);
	case VERB_COPY:
		return options.directory != NULL ? copy_directory(&options, options.directory)
						 : talk(&options);
	case VERB_EVIDENCE:
	case VERB_STATUS:
	case VERB_TAIL:
	case VERB_SITES:
	case VERB_READINGS:
	case VERB_ALERTS:
	case VERB_CASES:
	case VERB_CASE:
	case VERB_OPEN:
	case VERB_ALERT:
	case VERB_SHELVE:
	case VERB_UNSHELVE:
	case VERB_SHELVES:
	case VERB_MARK:
	case VERB_MARKS:
	case VERB_DELIVERIES:
	case VERB_DOSSIER:
	case VERB_LOAD:
	case VERB_REPORT:
	case VERB_RELOAD:
	case VERB_CLOCK:
	default:
		return talk(&options);
	}
}
