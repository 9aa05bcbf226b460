/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Dossier: all of one case on one page, for the screen and for A4 paper.
 *
 * The page needs nothing from outside, and allows nothing: style and drawing are in it, and its
 * content security policy names the hash of the one and forbids the rest. What the machine has
 * registered is a clue until a person has accepted it, and the page says so at its head and foot.
 *
 * Readings are drawn as they count: what was marked later is hatched and reaches no limit, beside
 * the flag that it came with.
 *
 * A public page names units and posts. Persons, notes and file names are left out, and an
 * enterprise as long as the case against it is unverified: then the page says that there is a case,
 * and no more (core/secrecy.h). No case is shown to be linked to such a one.
 */
#include "core/chain.h"
#include "core/secrecy.h"
#include "core/text.h"
#include "deliver/chart.h"
#include "core/window.h"
#include "store/daybook.h"
#include "store/ledger.h"

/* What was exchanged for a reading; in hexadecimal. */
struct dossier_frame {
	const char *kind;
	int64_t measured_ms;
	bool has_value;
	double value;
	struct text asked, answered;
};
enum { DOSSIER_FRAMES = 4 };
struct dossier_frames {
	bool many; /* the readings are too many to look at, and nothing else is said */
	size_t readings, kept;
	uint8_t digest[CHAIN_HASH_BYTES]; /* of frames.csv, as the evidence archive has it */
	struct dossier_frame shown[DOSSIER_FRAMES];
	size_t n_shown;
};

/* The curve of a factor, a picture for each period (dossier-periods.h): its own of the case has
 * several, those of factors that have joined one each, and what is more is not drawn. */
enum { DOSSIER_PANELS = 4, DOSSIER_FURTHER = 5 };
struct dossier_panel {
	struct chart *chart;
	size_t number; /* of the period, from 1 */
	bool cut;      /* the readings were too many: chart->last_ms is where it ends */
};
struct dossier_panels {
	struct dossier_panel at[DOSSIER_PANELS]; /* oldest first */
	size_t n, periods;                       /* periods: of them n are drawn */
};
struct dossier_further {
	struct dossier_panels at[DOSSIER_FURTHER];
	size_t n;
};

/* The load of the year in which a case of a load began, in tonnes. */
struct dossier_month {
	double load;
	int64_t covered_ms;
};
struct dossier_load {
	struct chart *chart; /* of the sum; NULL: no permit of this plan */
	struct span year;
	struct dossier_month months[12];
	double total;
	int64_t readings, valid; /* of the factor, that the sum rests on */
};

/* What a rain gauge measured before and during an exceedance. */
struct dossier_rain_sum {
	struct chart_span span;
	double sum;      /* in the gauge's unit, of the valid readings */
	size_t n, valid; /* of whatever flag; with flag N, not marked later */
};
struct dossier_rain {
	bool known;  /* the site has a gauge, and it was looked at */
	bool unread; /* the readings could not be read, or are too many */
	uint32_t gauge;
	struct dossier_rain_sum before, during; /* 24 h; until it ended or now */
};

struct dossier {
	const struct plan *plan;
	const struct wording *words; /* NULL: English */
	bool open;                   /* to the public */
	struct ledger *ledger;       /* NULL: later marks are not shown */
	int64_t now_ms;
	const json_t *c;                       /* the case as ledger_case_json() writes it */
	const struct dossier_panels *panels;   /* NULL: the case has no readings */
	bool unread;                           /* they are there and could not be read */
	const struct dossier_frames *frames;   /* NULL: not looked at */
	const struct dossier_further *further; /* NULL: not looked at */
	const struct dossier_load *load;       /* NULL: not looked at, or of another case */
	struct dossier_rain rain;
};

/** dossier_write() - adds the whole page to @out (any thread) */
void dossier_write(struct text *out, const struct dossier *dossier);

/**
 * dossier_panels() - the readings around each period of a factor: a fifth of its length, one to
 * twelve hours, before and behind
 * @most: pictures, at most DOSSIER_PANELS
 * @out: zeroed; dossier_panels_deinit() it in any case
 * What takes longer than DOSSIER_READ_MS for all of a factor is cut.
 * Return: 1; 0 where the case has no such monitor of this plan; negative errno of the daybook.
 */
enum { DOSSIER_READ_MS = 8000 };
int dossier_panels(const struct dossier *dossier, struct daybook_reader *reader, const char *factor,
		   size_t most, struct dossier_panels *out);
void dossier_panels_deinit(struct dossier_panels *panels);

/** dossier_further() - the worst or newest period of each factor that has joined
 * @out: dossier_further_deinit() it in any case
 * Return: 0, negative errno; what was read until then is there. */
int dossier_further(const struct dossier *dossier, struct daybook_reader *reader,
		    struct dossier_further *out);
void dossier_further_deinit(struct dossier_further *further);

/** dossier_rain() - adds up the rain beside the worst period of an exceedance; of another case, or
 * where there is no gauge (deliver/rain.h), nothing */
void dossier_rain(const struct dossier *dossier, struct daybook_reader *reader,
		  struct dossier_rain *out);

/** dossier_frames() - what is kept of the wire for the case's readings
 * @directory: of the store; @out: dossier_frames_deinit() it in any case
 * Return: 0, negative errno. */
int dossier_frames(const struct dossier *dossier, const char *directory,
		   struct daybook_reader *reader, struct dossier_frames *out);
void dossier_frames_deinit(struct dossier_frames *frames);

/** dossier_load() - adds up the load of the year that a case of a load is about
 * @directory: of the store; @out: zeroed; dossier_load_deinit() it in any case
 * Return: 0, also where nothing was added up; negative errno. */
int dossier_load(const struct dossier *dossier, const char *directory, struct dossier_load *out);
void dossier_load_deinit(struct dossier_load *load);

/* All that is read for one dossier; it points into this. */
struct dossier_taken {
	struct dossier_panels panels;
	struct dossier_frames frames;
	struct dossier_further further;
	struct dossier_load load;
};
/** dossier_take() - reads whatever the case in @dossier needs; what cannot be read is left out, and
 * the page says so
 * @out: dossier_taken_deinit() it in any case, behind dossier_write()
 * Return: 0; negative errno where its readings could not be read */
int dossier_take(struct dossier *dossier, const char *directory, struct daybook_reader *reader,
		 struct dossier_taken *out);
void dossier_taken_deinit(struct dossier_taken *taken);

/** dossier_policy() - adds the hash of its style, as a source of a content security policy */
void dossier_policy(struct text *out);

/** dossier_secrecy() - what of the case an open page may tell */
enum secrecy dossier_secrecy(const struct plan *plan, const json_t *c);
/** dossier_unit_tells() - may an open page tell to whom the case was given? Not to an enterprise
 * before it is verified. */
bool dossier_unit_tells(const struct plan *plan, const json_t *c, const char *unit);
