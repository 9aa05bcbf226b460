/* SPDX-License-Identifier: Apache-2.0 */
/* Who works behind a cursor of its own: deliveries, shares, exporter, tallier; and the keeper and
 * the one who works off marks. */
#include "look-again.h"
#include "revise.h"
#include "run-state.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

/* It is read before the couriers run; see load_chinese(). */
static const struct wording *mail_words(const struct run *run)
{
	const char *language = getenv("LANGUAGE"); /* as main() has set it */
	return language != NULL && strncmp(language, "zh", 2) == 0 ? &run->chinese : NULL;
}

int run_make_courier(struct run *run)
{
	return courier_new(&run->courier, &(struct courier_setup){
						  .deliveries = run->assembly->deliveries,
						  .n_deliveries = run->assembly->n_deliveries,
						  .plan = run->plan,
						  .translate = run_translate,
						  .directory = run->directory,
						  .words = mail_words(run),
						  .ledger = run->ledger,
						  .metrics = run->metrics,
						  .heartbeat = &run->beats[BEAT_COURIER].count,
					  });
}

int run_courier(struct run *run)
{
	int r = run_make_courier(run);
	if (r == 0)
		r = courier_start(run->courier);
	if (r < 0)
		run->courier = courier_free(run->courier);
	else
		run_alive(&run->beats[BEAT_COURIER]);
	return r;
}

int run_make_shares(struct run *run)
{
	return shares_new(&run->shares, &(struct shares_setup){.shares = run->assembly->shares,
							       .n_shares = run->assembly->n_shares,
							       .directory = run->directory,
							       .plan = run->plan,
							       .daybook = run->daybook,
							       .ledger = run->ledger,
							       .metrics = run->metrics});
}

int run_shares(struct run *run)
{
	int r = run_make_shares(run);
	if (r == 0)
		r = shares_start(run->shares);
	if (r < 0)
		run->shares = shares_free(run->shares);
	return r;
}

int run_make_exporter(struct run *run)
{
	const struct config *c = run->config;
	if (c->influx.url == NULL)
		return 0;
	struct exporter_setup setup = {
		.influx = {.url = c->influx.url,
			   .api = influx_api(c->influx.api),
			   .database = c->influx.database,
			   .org = c->influx.org,
			   .bucket = c->influx.bucket,
			   .username = c->influx.username,
			   .password = c->influx.password,
			   .token = c->influx.token,
			   .gzip = c->influx.gzip},
		.batch_lines = (size_t)c->influx.batch_lines,
		.flush_ms = c->influx.flush_ms,
		.directory = run->directory,
		.plan = run->plan,
		.daybook = run->daybook,
		.ledger = run->ledger,
		.metrics = run->metrics,
		.fatal = run_fatal,
		.context = run,
		.heartbeat = &run->beats[BEAT_EXPORTER].count,
	};
	return exporter_new(&run->exporter, &setup);
}

int run_exporter(struct run *run)
{
	int r = run_make_exporter(run);
	if (r == 0 && run->exporter != NULL)
		r = exporter_start(run->exporter);
	if (r < 0)
		run->exporter = exporter_free(run->exporter);
	else if (run->exporter != NULL)
		run_alive(&run->beats[BEAT_EXPORTER]);
	return r;
}

/* A load is committed and announced by who added it up. */
static int commit_load(void *context, const struct verdict *verdict)
{
	int64_t opened = 0;
	int r = run_commit(context, verdict, 1, &opened);
	if (r == 0 && verdict->type != VERDICT_PEAK)
		run_announce(context, verdict, opened);
	return r;
}

/* By the tallier's own plan: while a reload goes on, that of @context may be the next one. */
static int judge_late(void *context, const struct plan *plan, struct daybook_reader *reader,
		      const struct marks *marks, uint32_t monitor, struct span day, int64_t *beyond)
{
	(void)context;
	const struct look look = {.plan = plan,
				  .reader = reader,
				  .marks = marks->first == NULL ? NULL : marks,
				  .now_ms = day.end_ms};
	return look_late(&look, monitor, day, beyond);
}

int run_make_tallier(struct run *run)
{
	int r = tallier_new(&run->tallier,
			    &(struct tallier_setup){
				    .directory = run->directory,
				    .plan = run->plan,
				    .ledger = run->ledger,
				    .newest = daybook_sequence(run->daybook),
				    .keep_ms = run->config->keep_mean * INT64_C(86400000),
				    .age_ms = run_age_ms,
				    .commit = commit_load,
				    .fatal = run_fatal,
				    .note = revise_note_load,
				    .late = judge_late,
				    .context = run,
				    .hours = &run->hours,
				    .heartbeat = &run->beats[BEAT_TALLIER].count,
			    });
	return r == 0 ? 0 : run_failed("tally.db", r);
}

int run_tallier(struct run *run)
{
	int r = run_make_tallier(run);
	if (r == 0)
		r = tallier_start(run->tallier);
	if (r < 0)
		run->tallier = tallier_free(run->tallier);
	else
		run_alive(&run->beats[BEAT_TALLIER]);
	return r;
}

int run_keeper(struct run *run, const struct config *c, const struct plan *plan,
	       struct keeper **out)
{
	struct keeper_setup setup = {
		.directory = run->directory,
		.plan = plan,
		.ledger = run->ledger,
		.exports = c->influx.url != NULL,
		.keep_days = c->keep_raw,
		.keep_frames = c->keep_frames,
		.keep_minutes = c->keep_minute,
		.hours = &run->hours,
		.max_bytes = c->max_bytes,
		.reserve = &run->reserve,
		.age_ms = run_age_ms,
		.metrics = run->metrics,
		.fatal = run_fatal,
		.context = run,
	};
	return keeper_new(out, &setup);
}

int run_make_keeper(struct run *run)
{
	int r = run_keeper(run, run->config, run->plan, &run->keeper);
	return r == 0 ? keeper_recall(run->keeper) : r;
}

int run_revise(struct run *run, const struct plan *plan, struct judge *judge, struct revise **out)
{
	return revise_new(out, &(struct revise_setup){
				       .plan = plan,
				       .directory = run->directory,
				       .ledger = run->ledger,
				       .judge = judge,
				       .rings = &run->rings,
				       .fatal = run_fatal,
				       .context = run,
			       });
}

int run_make_revise(struct run *run)
{
	return run_revise(run, run->plan, run->judge, &run->revise);
}

void run_stop_senders(struct run *run)
{
	if (run->courier != NULL)
		courier_stop(run->courier);
	shares_stop(run->shares);
	if (run->exporter != NULL)
		exporter_stop(run->exporter);
	if (run->tallier != NULL)
		tallier_stop(run->tallier);
}
