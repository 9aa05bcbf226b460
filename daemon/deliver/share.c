/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/share.h"

#include "base/log.h"
#include "base/pulse.h"
#include "deliver/trouble.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROWS_AT_ONCE = 500,
	MESSAGES_AT_ONCE = 50,
	FIRST_PAUSE_MS = 1000,
	LONGEST_PAUSE_MS = 60000,
	STORE_EVERY_MS = 1000,
};

struct message {
	char *topic, *payload;
};

/* What was published of a monitor last. */
struct last {
	int64_t measured_ms; /* 0: nothing */
	enum flag flag;
};

struct share {
	struct share_setup setup;
	const struct shares_setup *all;
	char cursor[80], name[80];
	struct publisher *publisher;
	struct daybook_reader *reader;
	struct pause pause;
	struct trouble trouble;
	struct metric *sent, *failed, *passed_over;
	pthread_t thread;
	bool started, failed_memory;
	bool *wanted;        /* by monitor */
	struct last *lasts;  /* by monitor; of what is acknowledged */
	struct last *drafts; /* by monitor; with the batch at hand */
	struct message messages[MESSAGES_AT_ONCE];
	size_t n;
	int64_t stale; /* rows of the batch that are too old */
	int64_t next;  /* the cursor after the batch */
	_Atomic int64_t cursor_at;
	int64_t stored, stored_ms;
	unsigned failures;
};

struct shares {
	struct shares_setup setup;
	struct share *at;
	size_t n;
};

void share_payload(struct text *out, const struct plan *plan, uint32_t monitor,
		   const struct reading *reading)
{
	const struct monitor *m = &plan->monitors[monitor];
	text_add(out, "{\"node\":");
	text_json(out, plan->node);
	text_add(out, ",\"site\":");
	text_json(out, plan->sites[m->site].id);
	text_add(out, ",\"factor\":");
	text_json(out, m->factor);
	text_add(out, ",\"unit\":");
	text_json(out, m->unit);
	text_add(out, ",\"time\":\"");
	text_time(out, reading->measured_ms, &plan->zone, 3);
	text_add(out, "\",\"value\":");
	if (reading->has_value && reading->flag == FLAG_NORMAL)
		text_double(out, reading->value);
	else
		text_add(out, "null");
	text_format(out, ",\"flag\":\"%c\"}", reading->flag);
}

/* --- a batch --- */

static void add_word(struct text *out, const char **at, const char *name, const char *value)
{
	size_t length = strlen(name);
	if (strncmp(*at, name, length) == 0) {
		text_add(out, value);
		*at += length;
	}
}

static void topic_fill(struct text *out, const char *pattern, const struct plan *plan,
		       const struct monitor *m)
{
	for (const char *at = pattern; *at != '\0';) {
		const char *before = at;
		add_word(out, &at, "{node}", plan->node);
		add_word(out, &at, "{site}", plan->sites[m->site].id);
		add_word(out, &at, "{factor}", m->factor);
		if (at == before)
			text_char(out, *at++);
	}
}

static bool is_due(const struct share *share, uint32_t monitor, const struct reading *r)
{
	const struct last *last = &share->drafts[monitor];
	return share->setup.every_ms == 0 || last->measured_ms == 0 ||
	       (uint8_t)last->flag != r->flag ||
	       r->measured_ms >= last->measured_ms + share->setup.every_ms;
}

static void add_message(struct share *share, uint32_t monitor, const struct reading *r)
{
	const struct plan *plan = share->all->plan;
	struct text topic = {0}, payload = {0};
	topic_fill(&topic, share->setup.topic, plan, &plan->monitors[monitor]);
	share_payload(&payload, plan, monitor, r);
	if (topic.failed || payload.failed) {
		text_deinit(&topic);
		text_deinit(&payload);
		share->failed_memory = true;
		return;
	}
	share->messages[share->n++] = (struct message){topic.at, payload.at};
	share->drafts[monitor] = (struct last){r->measured_ms, (enum flag)r->flag};
}

/* Return: true to go on; a row that is not taken comes again. */
static bool take_row(void *context, const struct daybook_row *row)
{
	struct share *share = context;
	uint32_t monitor = row->monitor;
	if (share->n == MESSAGES_AT_ONCE)
		return false;
	if (monitor != NO_INDEX && share->wanted[monitor]) {
		bool stale = row->reading.received_ms < pause_wall_ms() - share->setup.max_age_ms;
		share->stale += stale;
		if (!stale && is_due(share, monitor, &row->reading))
			add_message(share, monitor, &row->reading);
	}
	if (!share->failed_memory)
		share->next = row->sequence;
	return !share->failed_memory;
}

static void clear(struct share *share)
{
	for (size_t i = 0; i < share->n; i++) {
		free(share->messages[i].topic);
		free(share->messages[i].payload);
	}
	share->n = 0;
	share->stale = 0;
	share->failed_memory = false;
}

static enum publisher_result publish(struct share *share)
{
	enum publisher_result result = PUBLISHER_DONE;
	publisher_begin(share->publisher);
	for (size_t i = 0; i < share->n && result == PUBLISHER_DONE; i++)
		result = publisher_send(share->publisher, share->messages[i].topic,
					share->messages[i].payload);
	return result == PUBLISHER_DONE ? publisher_flush(share->publisher) : result;
}

/* --- rounds --- */

static int64_t waiting(struct share *share)
{
	int64_t newest = daybook_sequence(share->all->daybook);
	int64_t at = atomic_load(&share->cursor_at);
	return newest > at ? newest - at : 0;
}

static void store(struct share *share, bool now)
{
	int64_t at = atomic_load(&share->cursor_at);
	if (at == share->stored || (!now && pause_now_ms() < share->stored_ms + STORE_EVERY_MS))
		return;
	if (ledger_put_cursor(share->all->ledger, share->cursor, at) == 0)
		share->stored = at;
	share->stored_ms = pause_now_ms();
}

static void rest(struct share *share, const char *why)
{
	int64_t until = pause_now_ms() +
			pause_growing_ms(share->failures++, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
	trouble_is(&share->trouble, why, false, waiting(share));
	while (!pause_stopped(&share->pause) && pause_now_ms() < until) {
		trouble_tick(&share->trouble);
		pause_until(&share->pause, until);
	}
}

static void settle(struct share *share)
{
	metric_add(share->sent, (int64_t)share->n);
	metric_add(share->passed_over, share->stale);
	memcpy(share->lasts, share->drafts, share->all->plan->n_monitors * sizeof *share->lasts);
	atomic_store(&share->cursor_at, share->next);
	share->failures = 0;
	trouble_over(&share->trouble);
	store(share, false);
}

/* Return: whether more may be there. */
static bool share_round(struct share *share)
{
	int64_t at = atomic_load(&share->cursor_at);
	share->next = at;
	memcpy(share->drafts, share->lasts, share->all->plan->n_monitors * sizeof *share->lasts);
	if (daybook_sequence(share->all->daybook) <= at)
		return false;
	int rc = daybook_after(share->reader, at, ROWS_AT_ONCE, take_row, share);
	if (rc != 0) {
		rest(share, "the readings cannot be read");
	} else {
		enum publisher_result result = share->n > 0 ? publish(share) : PUBLISHER_DONE;
		if (result == PUBLISHER_DONE)
			settle(share);
		if (result == PUBLISHER_FAILED) {
			metric_add(share->failed, (int64_t)share->n);
			rest(share, publisher_why(share->publisher));
		}
	}
	clear(share);
	return share->next > at;
}

static void *share_run(void *context)
{
	struct share *share = context;
	pulse_begin(&share->pause.pulse, PULSE_SLOW, "share", share->setup.id);
	while (!pause_stopped(&share->pause)) {
		pause_beat(&share->pause);
		bool more = share_round(share);
		trouble_tick(&share->trouble);
		if (!more)
			pause_for_news(&share->pause);
	}
	store(share, true);
	pulse_end(&share->pause.pulse);
	return NULL;
}

/* --- birth and death --- */

static bool names(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return n == 0;
}

static int choose(struct share *share)
{
	const struct plan *plan = share->all->plan;
	share->wanted = calloc(plan->n_monitors + 1, sizeof *share->wanted);
	share->lasts = calloc(plan->n_monitors + 1, sizeof *share->lasts);
	share->drafts = calloc(plan->n_monitors + 1, sizeof *share->drafts);
	if (share->wanted == NULL || share->lasts == NULL || share->drafts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < plan->n_monitors; i++) {
		const struct monitor *m = &plan->monitors[i];
		share->wanted[i] =
			names(share->setup.sites, share->setup.n_sites, plan->sites[m->site].id) &&
			names(share->setup.factors, share->setup.n_factors, m->factor);
	}
	return 0;
}

static double share_waiting(void *context)
{
	return (double)waiting(context);
}

static struct metric *count(struct share *share, const char *result)
{
	char labels[160];
	snprintf(labels, sizeof labels, "share=\"%s\",result=\"%s\"", share->setup.id, result);
	return metrics_counter(share->all->metrics, "ducha_shared_readings_total",
			       "Readings for other departments, by result.", labels);
}

static int show(struct share *share)
{
	char labels[96];
	share->sent = count(share, "ok");
	share->failed = count(share, "error");
	share->passed_over = count(share, "old");
	if (share->sent == NULL || share->failed == NULL || share->passed_over == NULL)
		return -ENOMEM;
	snprintf(labels, sizeof labels, "share=\"%s\"", share->setup.id);
	return metrics_gauge_read(share->all->metrics, "ducha_share_backlog",
				  "Readings that a share has not looked at.", labels, share_waiting,
				  share);
}

static int connect_to(struct share *share)
{
	const struct share_setup *setup = &share->setup;
	return publisher_new(&share->publisher,
			     &(struct publisher_setup){.url = setup->url,
						       .client_id = setup->client_id,
						       .username = setup->username,
						       .password = setup->password,
						       .ca_file = setup->ca_file,
						       .cert_file = setup->cert_file,
						       .key_file = setup->key_file,
						       .timeout_ms = setup->timeout_ms,
						       .pause = &share->pause});
}

/* A new share begins with what comes now. */
static int share_init(struct share *share, const struct share_setup *setup,
		      const struct shares_setup *all)
{
	share->setup = *setup;
	share->all = all;
	snprintf(share->cursor, sizeof share->cursor, "share/%s", setup->id);
	snprintf(share->name, sizeof share->name, "share %s", setup->id);
	int rc = pause_init(&share->pause, NULL);
	if (rc == 0)
		rc = trouble_init(&share->trouble, all->ledger, share->name, setup->alarm_after_ms);
	if (rc == 0)
		rc = choose(share);
	if (rc == 0)
		rc = daybook_reader_open(&share->reader, all->directory, all->plan);
	if (rc == 0)
		rc = connect_to(share);
	share->stored = ledger_cursor(all->ledger, share->cursor, -1);
	int64_t newest = daybook_sequence(all->daybook);
	bool known = share->stored >= 0 && share->stored <= newest;
	atomic_store(&share->cursor_at, known ? share->stored : newest);
	return rc == 0 ? show(share) : rc;
}

static void share_deinit(struct share *share)
{
	publisher_free(share->publisher);
	if (share->reader != NULL)
		daybook_reader_close(share->reader);
	trouble_deinit(&share->trouble);
	pause_deinit(&share->pause);
	free(share->wanted);
	free(share->lasts);
	free(share->drafts);
}

int shares_new(struct shares **out, const struct shares_setup *setup)
{
	struct shares *shares = calloc(1, sizeof *shares);
	if (shares == NULL)
		return -ENOMEM;
	shares->setup = *setup;
	shares->at = calloc(setup->n_shares + 1, sizeof *shares->at);
	int rc = shares->at == NULL ? -ENOMEM : 0;
	for (size_t i = 0; rc == 0 && i < setup->n_shares; i++)
		rc = share_init(&shares->at[shares->n++], &setup->shares[i], &shares->setup);
	if (rc != 0)
		shares_free(shares);
	else
		*out = shares;
	return rc;
}

int shares_start(struct shares *shares)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < shares->n; i++) {
		rc = -pthread_create(&shares->at[i].thread, NULL, share_run, &shares->at[i]);
		shares->at[i].started = rc == 0;
	}
	return rc;
}

void shares_stop(struct shares *shares)
{
	for (size_t i = 0; shares != NULL && i < shares->n; i++)
		pause_stop(&shares->at[i].pause);
	for (size_t i = 0; shares != NULL && i < shares->n; i++) {
		if (shares->at[i].started)
			pthread_join(shares->at[i].thread, NULL);
		shares->at[i].started = false;
	}
}

struct shares *shares_free(struct shares *shares)
{
	if (shares == NULL)
		return NULL;
	shares_stop(shares);
	for (size_t i = 0; i < shares->n; i++)
		share_deinit(&shares->at[i]);
	free(shares->at);
	free(shares);
	return NULL;
}
