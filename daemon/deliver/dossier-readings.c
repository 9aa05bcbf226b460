/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The readings around a case, taken from the daybook piece by piece, so that neither memory nor
 * time grows with the case.
 */
#include "deliver/dossier-periods.h"
#include "deliver/rain.h"
#include "store/ledger-marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t piece_first_ms = 900000, piece_most_ms = 6 * 3600000LL,
		     margin_least_ms = 3600000, margin_most_ms = 12 * 3600000LL;

/* What reads: into which chart or sums of rain, under which marks. */
struct taking {
	struct chart *chart;
	struct dossier_rain *rain;
	struct marks marks; /* of the plan's monitors */
	uint32_t monitor;
};

/* Return: the flag that it was marked with later; 0: none. */
static uint8_t mark_of(const struct taking *taking, const struct reading *reading)
{
	enum flag mark;
	return taking->marks.n_monitors > 0 && marks_flag(&taking->marks, taking->monitor,
							  reading->measured_ms, &mark)
		       ? (uint8_t)mark
		       : 0;
}

static bool feed(void *context, const struct daybook_row *row)
{
	struct taking *taking = context;
	chart_feed(taking->chart, &row->reading, mark_of(taking, &row->reading));
	return true;
}

static bool feed_rain(void *context, const struct daybook_row *row)
{
	const struct taking *taking = context;
	const struct reading *r = &row->reading;
	struct dossier_rain_sum *sum = r->measured_ms < taking->rain->before.span.to_ms
					       ? &taking->rain->before
					       : &taking->rain->during;
	sum->n++;
	if (r->flag != FLAG_NORMAL || !r->has_value || mark_of(taking, r) != 0)
		return true;
	sum->valid++;
	sum->sum += r->value;
	return true;
}

static bool count_gap(void *context, const char *site, const char *factor, const struct gap *gap)
{
	(void)site;
	(void)factor;
	((struct chart *)context)->unrecorded += gap->count;
	return true;
}

static int64_t mono_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void take_limit(struct chart *chart, const json_t *object)
{
	const json_t *limit = json_object_get(object, "limit");
	double value = json_number_value(limit);
	if (!json_is_number(limit))
		return;
	for (size_t i = 0; i < chart->n_limits; i++)
		if (!(chart->limits[i].at < value) && !(chart->limits[i].at > value))
			return;
	if (chart->n_limits < CHART_LIMITS)
		chart->limits[chart->n_limits++] = (struct chart_level){.at = value};
}

/* The newest that fit, of the factor and the period. */
static void take_episodes(struct chart *chart, const struct dossier *dossier, const char *factor,
			  const struct period *period)
{
	const json_t *episodes = json_object_get(dossier->c, "episodes");
	for (size_t i = json_array_size(episodes); i-- > 0 && chart->n_episodes < CHART_EPISODES;) {
		const json_t *episode = json_array_get(episodes, i);
		int64_t began_ms = json_ms(episode, "began_at"),
			ended_ms = json_episode_end(dossier->c, episode, &dossier->plan->zone);
		if (!episode_is_of(episode, factor) || began_ms < period->from_ms ||
		    began_ms > period->to_ms)
			continue;
		take_limit(chart, episode);
		chart->episodes[chart->n_episodes++] =
			(struct chart_span){began_ms, ended_ms == 0 ? dossier->now_ms : ended_ms};
	}
	if (episode_is_of(dossier->c, factor) && chart->n_limits == 0)
		take_limit(chart, dossier->c);
}

/* A few results before and behind, where each is held for hours. */
static int64_t margin_least(const struct monitor *m)
{
	int64_t result_ms = m->expected_per_hour > 0
				    ? (int64_t)((double)margin_least_ms / m->expected_per_hour)
				    : m->interval_ms;
	result_ms = m->cycle_ms > result_ms ? m->cycle_ms : result_ms;
	int64_t margin = 4 * result_ms;
	return margin < margin_least_ms  ? margin_least_ms
	       : margin > margin_most_ms ? margin_most_ms
					 : margin;
}

static void begin(struct chart *chart, const struct dossier *dossier, const struct monitor *monitor,
		  const struct period *period)
{
	int64_t margin = (period->to_ms - period->from_ms) / 5, least = margin_least(monitor);
	margin = margin < least ? least : margin > margin_most_ms ? margin_most_ms : margin;
	int64_t to_ms =
		period->to_ms + margin < dossier->now_ms ? period->to_ms + margin : dossier->now_ms;
	int64_t silent_ms = monitor->stale_after_ms != 0 ? monitor->stale_after_ms
			    : monitor->interval_ms != 0  ? 3 * monitor->interval_ms
							 : 7200000;
	if (silent_ms < 60000)
		silent_ms = 60000;
	chart_begin(chart, &dossier->plan->zone, period->from_ms - margin, to_ms, silent_ms);
	chart->name = factor_words(dossier->words, monitor);
	chart->unit = monitor->unit;
	chart->decimals = monitor->decimals;
	take_episodes(chart, dossier, monitor->factor, period);
}

/* Pieces are small where other monitors fill the daybook, so that the time is kept. */
static int64_t next_piece(int64_t piece_ms, int64_t took_ms)
{
	if (took_ms < 200)
		return piece_ms * 2 < piece_most_ms ? piece_ms * 2 : piece_most_ms;
	return took_ms > 1000 && piece_ms > 60000 ? piece_ms / 2 : piece_ms;
}

/* Return: 0; negative errno. */
static int read_pieces(struct daybook_reader *reader, struct daybook_query *query,
		       struct chart_span span, int64_t most_ms, struct taking *taking, bool *cut)
{
	int64_t begun_ms = mono_ms(), now_ms = begun_ms, piece_ms = piece_first_ms;
	*cut = false;
	for (query->to_ms = span.from_ms; query->to_ms < span.to_ms;) {
		*cut = now_ms - begun_ms > most_ms;
		if (*cut)
			break;
		query->from_ms = query->to_ms;
		query->to_ms += piece_ms;
		if (query->to_ms > span.to_ms)
			query->to_ms = span.to_ms;
		int r = daybook_range(reader, query, taking->rain != NULL ? feed_rain : feed,
				      taking);
		if (r != 0)
			return r;
		piece_ms = next_piece(piece_ms, mono_ms() - now_ms);
		now_ms = mono_ms();
	}
	return 0;
}

/* One monitor's readings in a span, under what was marked later.
 * @most_ms: what takes longer is cut. Return: 0, negative errno. */
static int take(const struct dossier *dossier, struct daybook_reader *reader,
		struct chart_span span, int64_t most_ms, struct taking *taking, bool *cut)
{
	struct daybook_query query = {.site = dossier->plan->monitors[taking->monitor].site,
				      .monitor = taking->monitor,
				      .limit = SIZE_MAX};
	int r = dossier->ledger == NULL
			? 0
			: ledger_marks(dossier->ledger, ledger_mark_last(dossier->ledger),
				       &taking->marks);
	if (r == 0)
		r = read_pieces(reader, &query, span, most_ms, taking, cut);
	marks_deinit(&taking->marks);
	return r;
}

static int take_panel(const struct dossier *dossier, struct daybook_reader *reader,
		      uint32_t monitor, int64_t most_ms, struct dossier_panel *panel)
{
	struct chart *chart = panel->chart;
	const struct monitor *m = &dossier->plan->monitors[monitor];
	struct taking taking = {.chart = chart, .monitor = monitor};
	int r = take(dossier, reader, (struct chart_span){chart->from_ms, chart->to_ms}, most_ms,
		     &taking, &panel->cut);
	if (r == 0 && !panel->cut)
		chart_end(chart, dossier->now_ms);
	return r != 0 ? r
		      : daybook_gaps(reader, dossier->plan->sites[m->site].id, m->factor,
				     chart->from_ms, chart->to_ms, count_gap, chart);
}

int dossier_panels(const struct dossier *dossier, struct daybook_reader *reader, const char *factor,
		   size_t most, struct dossier_panels *out)
{
	const struct plan *plan = dossier->plan;
	const char *site = json_words(dossier->c, "site");
	struct period periods[DOSSIER_PANELS];
	uint32_t monitor =
		site == NULL || factor == NULL ? NO_INDEX : plan_monitor(plan, site, factor);
	int r = 0;
	if (monitor == NO_INDEX)
		return 0;
	size_t n = periods_of(dossier, factor, periods, most, &out->periods);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct dossier_panel *panel = &out->at[i];
		panel->chart = malloc(sizeof *panel->chart);
		if (panel->chart == NULL)
			return -ENOMEM;
		panel->number = periods[i].number;
		begin(panel->chart, dossier, &plan->monitors[monitor], &periods[i]);
		out->n++;
		r = take_panel(dossier, reader, monitor, DOSSIER_READ_MS / (int64_t)n, panel);
	}
	return r == 0 ? 1 : r;
}

void dossier_panels_deinit(struct dossier_panels *panels)
{
	for (size_t i = 0; i < panels->n; i++)
		free(panels->at[i].chart);
}

int dossier_further(const struct dossier *dossier, struct daybook_reader *reader,
		    struct dossier_further *out)
{
	const json_t *factors = json_object_get(dossier->c, "factors");
	int r = 0;
	for (size_t i = 1; r >= 0 && i < json_array_size(factors) && out->n < DOSSIER_FURTHER;
	     i++) {
		const char *factor = json_words(json_array_get(factors, i), "factor");
		r = dossier_panels(dossier, reader, factor, 1, &out->at[out->n]);
		out->n++;
	}
	return r < 0 ? r : 0;
}

void dossier_further_deinit(struct dossier_further *further)
{
	for (size_t i = 0; i < further->n; i++)
		dossier_panels_deinit(&further->at[i]);
}

/* What was wrong at its worst; not until it was cleared, which for means is a good window more. */
static struct chart_span worst_span(const struct dossier *dossier)
{
	const json_t *episode, *episodes = json_object_get(dossier->c, "episodes");
	struct period worst;
	size_t total, i;
	periods_of(dossier, NULL, &worst, 1, &total);
	struct chart_span span = {worst.from_ms, worst.from_ms};
	json_array_foreach(episodes, i, episode)
	{
		int64_t began_ms = json_ms(episode, "began_at"),
			ended_ms = json_episode_end(dossier->c, episode, &dossier->plan->zone);
		ended_ms = ended_ms == 0 ? dossier->now_ms : ended_ms;
		if (began_ms >= worst.from_ms && began_ms <= worst.to_ms && ended_ms > span.to_ms)
			span.to_ms = ended_ms;
	}
	return span;
}

void dossier_rain(const struct dossier *dossier, struct daybook_reader *reader,
		  struct dossier_rain *out)
{
	struct chart_span span = worst_span(dossier);
	bool cut = false;
	*out = (struct dossier_rain){.gauge = rain_beside(dossier->plan, dossier->c)};
	if (out->gauge == NO_INDEX)
		return;
	out->known = true;
	out->before.span = (struct chart_span){span.from_ms - RAIN_BEFORE_MS, span.from_ms};
	out->during.span = span;
	struct taking taking = {.rain = out, .monitor = out->gauge};
	span.from_ms = out->before.span.from_ms;
	out->unread = take(dossier, reader, span, DOSSIER_READ_MS, &taking, &cut) < 0 || cut;
}
