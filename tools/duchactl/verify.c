/* SPDX-License-Identifier: Apache-2.0 */
/* Is a store what was sealed? The files are read here; a daemon is asked only where they lie. */
#include "show.h"

#include "core/chain.h"
#include "verify/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* What the verifier says, as it says it; a reader of JSON gets it at the end. */
struct report {
	bool json;
	json_t *notes;
	char bad[1024];
};

static void report_say(void *context, bool bad, const char *sentence)
{
	struct report *report = context;
	if (bad)
		snprintf(report->bad, sizeof report->bad, "%s", sentence);
	if (report->json && !bad)
		json_array_append_new(report->notes, json_string(sentence));
	else if (!report->json)
		fprintf(bad ? stderr : stdout, "%s: %s\n", bad ? "duchactl verify: bad" : "note",
			sentence);
}

static void hex_of(char out[CHAIN_HEX_BYTES], const uint8_t bytes[CHAIN_HASH_BYTES])
{
	chain_hex(out, bytes, CHAIN_HASH_BYTES);
}

static int print_json(const struct report *report, const struct verify_sum *sum, bool clean)
{
	char key[CHAIN_HEX_BYTES], seal[CHAIN_HEX_BYTES];
	hex_of(key, sum->first_key);
	hex_of(seal, sum->last_hash);
	json_t *json = json_pack(
		"{s:b,s:s?,s:O,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:I,s:s}", "clean", (int)clean,
		"bad", clean ? NULL : report->bad, "notes", report->notes, "keys",
		(json_int_t)sum->keys, "seals", (json_int_t)sum->seals, "entries",
		(json_int_t)sum->entries, "batches", (json_int_t)sum->batches, "readings",
		(json_int_t)sum->readings, "gaps", (json_int_t)sum->gaps, "attachments",
		(json_int_t)sum->attachments, "unsealed", (json_int_t)sum->unsealed, "first_key",
		key, "last_seal", (json_int_t)sum->last.number, "head", seal);
	char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (text == NULL || puts(text) == EOF)
		return CTL_FAILED;
	free(text);
	return CTL_OK;
}

static void print_sum(const struct verify_sum *sum)
{
	char hex[CHAIN_HEX_BYTES], when[32] = "";
	time_t s = (time_t)(sum->last.time_ms / 1000);
	struct tm tm;
	if (gmtime_r(&s, &tm) != NULL)
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("%lld readings in %lld batches, %lld entries of the ledger, %lld seals, %lld keys: "
	       "as they were sealed",
	       (long long)sum->readings, (long long)sum->batches, (long long)sum->entries,
	       (long long)sum->seals, (long long)sum->keys);
	if (sum->unsealed > 0)
		printf(", but for %lld batches that no seal covers yet", (long long)sum->unsealed);
	putchar('\n');
	hex_of(hex, sum->last_hash);
	printf("last seal  %lld of %s, %s\n", (long long)sum->last.number, when, hex);
	hex_of(hex, sum->first_key);
	printf("first key  %s (compare it with the one that was written down)\n", hex);
}

static bool is_directory(const char *path)
{
	struct stat about;
	return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

int verify_directory(const struct ctl_options *options, const char *directory)
{
	struct report report = {.json = options->json, .notes = json_array()};
	struct verify_setup setup = {.directory = directory,
				     .anchors = options->anchors,
				     .n_anchors = options->n_anchors,
				     .trusted = options->trust,
				     .say = report_say,
				     .context = &report};
	struct verify_sum sum;
	int result = CTL_OK, r = is_directory(directory) ? verify_store(&setup, &sum) : -ENOENT;
	if (r < 0)
		fprintf(stderr, "duchactl verify: %s: it could not be checked: %s\n", directory,
			r == -ENOENT ? "there is no such directory" : strerror(-r));
	else if (options->json)
		result = print_json(&report, &sum, r == VERIFY_CLEAN);
	else if (r == VERIFY_CLEAN)
		print_sum(&sum);
	json_decref(report.notes);
	if (r < 0)
		return CTL_UNCHECKED;
	return r == VERIFY_CLEAN && fflush(stdout) == 0 ? result : CTL_FAILED;
}

int show_of_store(struct client *client, const struct ctl_options *options,
		  int (*show)(const struct ctl_options *options, const char *directory))
{
	struct client_answer answer = {0};
	client_path(client, "/health");
	int result = client_do(client, NULL, &answer);
	json_t *json = result == CTL_OK ? show_parse(&answer) : NULL;
	const char *directory = json_string_value(json_object_get(json, "directory"));
	if (result == CTL_OK && directory == NULL) {
		fputs("duchactl: the daemon does not say where its store lies\n", stderr);
		result = CTL_FAILED;
	}
	if (result == CTL_OK)
		result = show(options, directory);
	json_decref(json);
	client_answer_deinit(&answer);
	return result;
}

int show_verify(struct client *client, const struct ctl_options *options)
{
	return show_of_store(client, options, verify_directory);
}
