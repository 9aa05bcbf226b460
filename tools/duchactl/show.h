/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Show: one verb, one question to the daemon, one answer on stdout. Each returns the exit code.
 */
#include "client.h"
#include "options.h"

#include <jansson.h>

int show_status(struct client *client, const struct ctl_options *options);
int show_sites(struct client *client, const struct ctl_options *options);
/** show_rules() - every rule in force at the site that the options name */
int show_rules(struct client *client, const struct ctl_options *options);
int show_readings(struct client *client, const struct ctl_options *options);
int show_alerts(struct client *client, const struct ctl_options *options);
int show_cases(struct client *client, const struct ctl_options *options);
/** show_case() - the case, after acting on it where the options name an action */
int show_case(struct client *client, const struct ctl_options *options);
/** show_open() - a case by hand */
int show_open(struct client *client, const struct ctl_options *options);
/** show_dossier() - the page of a case, to a file where the options name one */
int show_dossier(struct client *client, const struct ctl_options *options);
int show_acknowledge(struct client *client, const struct ctl_options *options);
/** show_shelves() - what is shelved, after shelving or unshelving where the options say so */
int show_shelves(struct client *client, const struct ctl_options *options);
/** show_deliveries() - their list, or a marked test where the options name one */
int show_deliveries(struct client *client, const struct ctl_options *options);
/** show_evidence() - the archive of a case, into the file that the options name */
int show_evidence(struct client *client, const struct ctl_options *options);
/** show_verify() - the store of the daemon; verify_directory() - any, no daemon is asked */
int show_verify(struct client *client, const struct ctl_options *options);
int verify_directory(const struct ctl_options *options, const char *directory);
/** show_of_store() - @show for the directory of the daemon */
int show_of_store(struct client *client, const struct ctl_options *options,
		  int (*show)(const struct ctl_options *options, const char *directory));
/** show_copy() - a copy of the daemon's store; copy_directory() - of any */
int show_copy(struct client *client, const struct ctl_options *options);
int copy_directory(const struct ctl_options *options, const char *directory);
/** show_report() - a report to stdout, or into a file */
int show_report(struct client *client, const struct ctl_options *options);
/** show_loads() - what a site discharged */
int show_loads(struct client *client, const struct ctl_options *options);
int show_mark(struct client *client, const struct ctl_options *options);
/** show_marks() - newest first, each with what it changed */
int show_marks(struct client *client, const struct ctl_options *options);
/** show_reload() - let the daemon take its configuration up anew, and say what speaks against it */
int show_reload(struct client *client, const struct ctl_options *options);
/** show_clock() - tell the daemon that its clock is right */
int show_clock(struct client *client, const struct ctl_options *options);
/** live_tail() - until a signal, a closed stdout, or a refusal */
int live_tail(struct client *client, const struct ctl_options *options);

/* --- shared by the above --- */

/** show_fetch() - GET what client_path() built. Return: CTL_OK; otherwise said on stderr. */
int show_fetch(struct client *client, struct client_answer *answer);
/** show_parse() - the answer as JSON; NULL after a sentence on stderr */
json_t *show_parse(const struct client_answer *answer);
/** show_out() - to stdout at once. Return: CTL_OK; CTL_FAILED when it cannot be written. */
int show_out(const struct text *out);
int show_body(const struct client_answer *answer);
/** show_file() - a whole file, at most 16 MiB. Return: false after a sentence on stderr. */
bool show_file(const char *path, struct text *out);
/** show_string() - the member's text; "" where it is missing or null */
const char *show_string(const json_t *object, const char *name);
/** show_time() - adds a time as people read it, "2026-01-02 03:04:05"; "-" where there is none */
void show_time(struct text *out, const char *time);
/** show_number() - adds a number with @decimals (negative: the shortest); "-" where it is null */
void show_number(struct text *out, const json_t *number, int decimals);
/** show_decimals() - the object's "decimals"; -1 where it has none */
int show_decimals(const json_t *object);
struct table;
/** show_cell_number() - show_number() as the next cell */
void show_cell_number(struct table *table, const json_t *number, int decimals);
/** show_head() - the columns' names, translated */
void show_head(struct table *table, const char *const *names, size_t n);
/** show_table() - to stdout, or @nothing where it has its head alone. Return: CTL_OK, CTL_FAILED */
int show_table(struct table *table, const char *nothing);
/** show_list() - fetch, and either print the body or hand the JSON to @print */
int show_list(struct client *client, const struct ctl_options *options,
	      int (*print)(const json_t *json));
/** show_event() - adds the tail line of a CloudEvent. Return: false if it is none. */
bool show_event(struct text *out, const json_t *event);
