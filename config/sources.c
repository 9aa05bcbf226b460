/* SPDX-License-Identifier: Apache-2.0 */
#include "config/sources.h"

#include "config/reader.h"
#include "config/scan.h"

int config_sources(const char *file,
		   void (*fn)(void *context, const char *name, const char *text, size_t length),
		   void *context)
{
	struct scan scan = {0};
	int r = scan_read(&scan, file, &reader_disk);

	for (size_t i = 0; r == 0 && i < scan.n_files; i++)
		if (scan.files[i].text != NULL)
			fn(context, scan.files[i].name, scan.files[i].text, scan.files[i].length);
	scan_deinit(&scan);
	return r;
}
