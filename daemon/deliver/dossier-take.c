/* SPDX-License-Identifier: Apache-2.0 */
/* What is read for a dossier, in one place for all who write one. */
#include "deliver/dossier.h"

/* The readings of a concentration say nothing of a load: there the sum is drawn. */
static int take_readings(struct dossier *dossier, struct daybook_reader *reader,
			 struct dossier_taken *taken)
{
	if (json_is(dossier->c, "kind", "load"))
		return 0;
	int r = dossier_panels(dossier, reader, json_words(dossier->c, "factor"), DOSSIER_PANELS,
			       &taken->panels);
	if (r >= 0 && dossier_further(dossier, reader, &taken->further) == 0)
		dossier->further = &taken->further;
	if (r == 1)
		dossier->panels = &taken->panels;
	return r < 0 ? r : 0;
}

int dossier_take(struct dossier *dossier, const char *directory, struct daybook_reader *reader,
		 struct dossier_taken *taken)
{
	*taken = (struct dossier_taken){0};
	int r = take_readings(dossier, reader, taken);
	if (r == 0 && dossier_frames(dossier, directory, reader, &taken->frames) == 0)
		dossier->frames = &taken->frames;
	if (json_is(dossier->c, "kind", "load") &&
	    dossier_load(dossier, directory, &taken->load) == 0)
		dossier->load = &taken->load;
	dossier_rain(dossier, reader, &dossier->rain);
	dossier->unread = r < 0;
	return r;
}

void dossier_taken_deinit(struct dossier_taken *taken)
{
	dossier_frames_deinit(&taken->frames);
	dossier_further_deinit(&taken->further);
	dossier_load_deinit(&taken->load);
	dossier_panels_deinit(&taken->panels);
}
