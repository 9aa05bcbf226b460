/* SPDX-License-Identifier: Apache-2.0 */
#include "config/document.h"

void config_fault(const char *file, const char *key, const char *message,
		  struct config_faults *faults)
{
	struct document document;
	struct faults found = {.list = *faults};
	const config_setting_t *setting = NULL;
	if (document_read(&document, file, &reader_disk, &found) == 0)
		setting = config_lookup(&document.tree, key);
	if (setting != NULL)
		document_fault(&document, &found, setting, "%s", message);
	else
		faults_add_text(&found, file, 1, message);
	document_deinit(&document);
	*faults = found.list;
}
