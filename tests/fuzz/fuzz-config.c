/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a configuration: scanned, parsed and checked without a crash or a leak. Files come
 * from the memory: "include.cfg" is the second half of the input, the data are a few entries.
 */
#include "config/config.h"
#include "config/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
	const char *main, *include;
	size_t main_length, include_length;
};

static const char factors[] =
	"factors: ( { code = \"w01018\"; zh = \"x\"; en = \"COD\"; unit = \"mg/L\"; decimals = 1;"
	"source = \"test\"; } );";
static const char standard[] =
	"standard: { id = \"S-1\"; zh = \"s\"; en = \"s\"; classes = (\"A\"); limits: (\n"
	"{ factor = \"w01018\"; unit = \"g/L\"; max = 1; average = \"day\"; opens = \"case\";"
	"from = \"2001-01-01\"; table = \"t\"; source = \"s\"; confidence = \"low\"; } ); };";

static int copy(const char *from, size_t length, char **text, size_t *out)
{
	*text = malloc(length + 1);
	if (!*text)
		return -ENOMEM;
	if (length)
		memcpy(*text, from, length);
	(*text)[length] = '\0';
	*out = length;
	return 0;
}

static int memory_read(void *context, const char *path, char **text, size_t *length)
{
	const struct memory *memory = context;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	if (strcmp(name, "factors.cfg") == 0)
		return copy(factors, sizeof(factors) - 1, text, length);
	if (strcmp(name, "s.cfg") == 0)
		return copy(standard, sizeof(standard) - 1, text, length);
	if (strcmp(name, "main.cfg") == 0)
		return copy(memory->main, memory->main_length, text, length);
	if (strcmp(name, "include.cfg") == 0)
		return copy(memory->include, memory->include_length, text, length);
	return -ENOENT;
}

static int memory_list(void *context, const char *folder, char ***names, size_t *n)
{
	(void)context;
	*names = calloc(2, sizeof(**names));
	*n = 1;
	if (*names)
		(*names)[0] = strdup(strstr(folder, "standards") ? "s.cfg" : "factors.cfg");
	return *names && (*names)[0] ? 0 : -ENOMEM;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *cut = size ? memchr(text, '\x01', size) : NULL;
	size_t first = cut ? (size_t)(cut - text) : size;
	struct memory memory = {text, cut ? cut + 1 : text, first, cut ? size - first - 1 : 0};
	struct reader reader = {memory_read, memory_list, &memory};
	struct config *config;
	struct config_faults faults;
	int result = config_load_with("main.cfg", &reader, &config, &faults);
	if ((result == 0) != (config != NULL) || (result == -EINVAL) != (faults.n > 0))
		abort();
	config_free(config);
	config_faults_deinit(&faults);
	return 0;
}
