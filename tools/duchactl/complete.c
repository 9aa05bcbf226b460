/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"

#include "client.h"
#include "core/supcase.h"
#include "options.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 4 };

/* The command line so far, without options and their values. */
struct typed {
	const char *verb, *words[MOST_WORDS], *socket, *prefix;
	size_t n;           /* words after the verb */
	const char *option; /* whose value is being typed; NULL: none */
};

static void offer(const struct typed *typed, const char *word)
{
	if (word != NULL && strncmp(word, typed->prefix, strlen(typed->prefix)) == 0)
		puts(word);
}

static void offer_all(const struct typed *typed, const char *const *words)
{
	for (; *words != NULL; words++)
		offer(typed, *words);
}

/* --- from the daemon --- */

/* Return: the array @key of the answer, whose owner is *@root; NULL where nobody answers. */
static json_t *ask(const struct typed *typed, const char *path, const char *key, json_t **root)
{
	struct client client;
	struct client_answer answer = {0};
	*root = NULL;
	if (!client_open(&client, typed->socket))
		return NULL;
	client_path(&client, path);
	if (client_do(&client, NULL, &answer) == 0 && answer.status == 200 &&
	    answer.body.at != NULL)
		*root = json_loadb(answer.body.at, answer.body.length, 0, NULL);
	client_answer_deinit(&answer);
	client_close(&client);
	return json_object_get(*root, key);
}

static void offer_value(const struct typed *typed, const json_t *value)
{
	char number[24];
	snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
	offer(typed, json_is_integer(value) ? number : json_string_value(value));
}

static void offer_ids(const struct typed *typed, const char *path, const char *key)
{
	json_t *root, *array = ask(typed, path, key, &root), *element;
	size_t i;
	json_array_foreach(array, i, element) offer_value(typed, json_object_get(element, "id"));
	json_decref(root);
}

static void offer_factors(const struct typed *typed, const char *site)
{
	json_t *root, *array = ask(typed, "/api/v1/sites", "sites", &root), *element, *monitor;
	size_t i, j;
	json_array_foreach(array, i, element)
	{
		const char *id = json_string_value(json_object_get(element, "id"));
		if (id == NULL || strcmp(id, site) != 0)
			continue;
		json_array_foreach(json_object_get(element, "monitors"), j, monitor)
			offer_value(typed, json_object_get(monitor, "factor"));
	}
	json_decref(root);
}

/* --- what stands where --- */

static void offer_option_value(const struct typed *typed)
{
	static const char *const languages[] = {"en", "zh_CN", NULL};
	static const char *const flags[] = {"N", "F", "M", "S", "D", "C", "T", "B", NULL};
	static const char *const sources[] = {"inspection", "complaint", "12369",    "12319",
					      "mayor",      "city",      "province", NULL};
	if (strcmp(typed->option, "site") == 0)
		offer_ids(typed, "/api/v1/sites", "sites");
	else if (strcmp(typed->option, "language") == 0)
		offer_all(typed, languages);
	else if (strcmp(typed->option, "flag") == 0)
		offer_all(typed, flags);
	else if (strcmp(typed->option, "source") == 0)
		offer_all(typed, sources);
}

static void offer_options(const struct typed *typed)
{
	char word[32];
	const char *name;
	for (size_t i = 0; (name = options_name(i)) != NULL; i++) {
		snprintf(word, sizeof word, "--%s", name);
		if (options_fits(typed->verb, name))
			offer(typed, word);
	}
}

static void offer_verbs(const struct typed *typed)
{
	const char *name;
	for (size_t i = 0; (name = options_verb(i)) != NULL; i++)
		offer(typed, name);
}

static void offer_case(const struct typed *typed)
{
	if (typed->n == 0) {
		offer(typed, "open");
		offer_ids(typed, "/api/v1/cases", "cases");
	} else if (typed->n == 1 && strcmp(typed->words[0], "open") != 0) {
		for (enum case_action action = 0; action < CASE_ACTIONS; action++)
			offer(typed, case_action_name(action));
	}
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words != NULL && strcmp(word, *words) != 0)
		words++;
	return *words != NULL;
}

static void offer_words(const struct typed *typed)
{
	static const char *const of_site[] = {"sites", "readings", "shelve", "unshelve",
					      "mark",  "marks",    "load",   NULL};
	static const char *const of_case[] = {"dossier", "evidence", NULL};
	if (is_one_of(typed->verb, of_site)) {
		if (typed->n == 0)
			offer_ids(typed, "/api/v1/sites", "sites");
		else if (typed->n == 1 && strcmp(typed->verb, "sites") != 0)
			offer_factors(typed, typed->words[0]);
	} else if (is_one_of(typed->verb, of_case) && typed->n == 0) {
		offer_ids(typed, "/api/v1/cases?status=all", "cases");
	} else if (strcmp(typed->verb, "case") == 0) {
		offer_case(typed);
	} else if (strcmp(typed->verb, "alert") == 0 && typed->n == 0) {
		offer_ids(typed, "/api/v1/alerts?active=true", "alerts");
	} else if (strcmp(typed->verb, "alert") == 0 && typed->n == 1) {
		offer(typed, "ack");
	} else if (strcmp(typed->verb, "clock") == 0 && typed->n == 0) {
		offer(typed, "confirm");
	} else if (strcmp(typed->verb, "deliveries") == 0 && typed->n == 0) {
		offer(typed, "test");
	} else if (strcmp(typed->verb, "deliveries") == 0 && typed->n == 1) {
		offer_ids(typed, "/api/v1/deliveries", "deliveries");
	}
}

static struct typed read_words(int n, char **words)
{
	const char *socket = getenv("DUCHA_SOCKET");
	struct typed typed = {.prefix = n > 0 ? words[n - 1] : "",
			      .socket = "/run/ducha/duchad.sock"};
	if (socket != NULL && socket[0] != '\0')
		typed.socket = socket;
	for (int i = 0; i < n - 1; i++) {
		const char *option = options_with_value(words[i]);
		if (option != NULL && i == n - 2)
			typed.option = option;
		else if (option != NULL && strcmp(option, "socket") == 0)
			typed.socket = words[++i];
		else if (option != NULL)
			i++;
		else if (words[i][0] != '-' && typed.verb == NULL)
			typed.verb = words[i];
		else if (words[i][0] != '-' && typed.n < MOST_WORDS)
			typed.words[typed.n++] = words[i];
	}
	if (typed.verb != NULL && strcmp(typed.verb, "case") == 0 && typed.n > 0 &&
	    strcmp(typed.words[0], "open") == 0)
		typed.verb = "case open";
	return typed;
}

void complete(int n, char **words)
{
	const struct typed typed = read_words(n, words);
	/* nobody sees what is said of a daemon that does not run */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    freopen("/dev/null", "w", stderr) == NULL)
		return;
	if (typed.option != NULL)
		offer_option_value(&typed);
	else if (typed.prefix[0] == '-')
		offer_options(&typed);
	else if (typed.verb == NULL)
		offer_verbs(&typed);
	else
		offer_words(&typed);
	curl_global_cleanup();
}
