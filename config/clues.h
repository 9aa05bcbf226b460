/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Clues: the group `clues` of a site, and the factors that contradict each other, from the files
 * signals/NAME.cfg of the data directory, which hold the practices, too.
 */
#include "config/practice.h"

/* Two factors of one site, as in the data. */
struct contradicting {
	char *reason, *factor, *above, *saturated_at; /* one of the last two */
	double times;
	char *file;
	int line;
};
struct signals {
	struct contradicting *at;
	size_t n;
	struct practices practices;
};

/** signals_wanted() - does the file @root ask for clues or a practice? */
bool signals_wanted(const config_setting_t *root);
/** signals_read() - read every file of DATA/signals; faults name file and line there
 * Return: 0; -EINVAL with faults; -ENOMEM */
int signals_read(struct signals *signals, const struct catalogue *catalogue, const char *data,
		 const struct reader *reader, struct faults *faults);
void signals_deinit(struct signals *signals);

/** clues_read() - the group `clues` of the site @group, once its monitors are read */
void clues_read(struct walk *walk, const struct signals *signals, struct config *config,
		const config_setting_t *group, struct config_site *site);
/** clues_free() - what a monitor's clues hold */
void clues_free(struct config_monitor *monitor);
