/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/readers.h"

void readers_init(struct readers *readers, const char *directory, const struct plan *plan)
{
	*readers = (struct readers){.directory = directory, .plan = plan};
	pthread_mutex_init(&readers->mutex, NULL);
}

void readers_deinit(struct readers *readers)
{
	while (readers->n_idle > 0)
		daybook_reader_close(readers->idle[--readers->n_idle]);
	pthread_mutex_destroy(&readers->mutex);
}

int readers_take(struct readers *readers, struct daybook_reader **out)
{
	*out = NULL;
	pthread_mutex_lock(&readers->mutex);
	if (readers->n_idle > 0)
		*out = readers->idle[--readers->n_idle];
	pthread_mutex_unlock(&readers->mutex);
	return *out != NULL ? 0 : daybook_reader_open(out, readers->directory, readers->plan);
}

void readers_give(struct readers *readers, struct daybook_reader *reader, bool broken)
{
	if (!broken) {
		pthread_mutex_lock(&readers->mutex);
		if (readers->n_idle < READERS_MOST) {
			readers->idle[readers->n_idle++] = reader;
			reader = NULL;
		}
		pthread_mutex_unlock(&readers->mutex);
	}
	daybook_reader_close(reader);
}
