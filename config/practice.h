/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Practice: the defaults of an office for each kind of site, from the files signals/NAME.cfg of the
 * data directory. A node or a site that names one gets them for whatever it does not say itself.
 */
#include "config/catalogue.h"

enum { PRACTICE_AVERAGES = 3 }; /* enum config_average */

/* For the factors it names, or for all others; 0: says nothing of it. */
struct practice_rule {
	struct texts factors;
	bool analyser, at_once, under_range;
	double cycle_s, link_s, result_s, flat_after_s, max_step_hour, step_times, step_share,
		on_delay_s, off_delay_s, deadband, deadband_share;
	int on_count, off_count, flat_count, settle_results;
	struct texts opens; /* by average; none: says nothing of it */
	int line;
};
/* At one kind of site. */
struct practice {
	char *id, *file;
	int kind;   /* enum config_site_kind */
	bool clues; /* looks for them, with their defaults */
	double join_h;
	char *mark_until;              /* of means of the day; NULL: says nothing of it */
	double gate_below, gate_for_s; /* in L/s; 0: none */
	int line;
	struct practice_rule *rules;
	size_t n_rules;
};
struct practices {
	struct practice *at;
	size_t n;
};

/** practices_read() - those of one file @root, once its schema is checked */
void practices_read(struct walk *walk, struct practices *practices,
		    const struct catalogue *catalogue, const config_setting_t *root);
void practices_deinit(struct practices *practices);
/** practice_check() - a fault where the group's key `practice` names none that there is */
void practice_check(struct walk *walk, const struct practices *practices,
		    const config_setting_t *group);
/**
 * practice_settle() - what @site and its monitors do not say, once they and their limits are read
 * @id: NULL or "none": nothing
 */
void practice_settle(struct walk *walk, const struct practices *practices, const char *id,
		     struct config *config, const config_setting_t *group,
		     struct config_site *site);
