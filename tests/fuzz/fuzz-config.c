/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a configuration: scanned, parsed and checked without a crash or a leak. Files come
 * from the memory: "include.cfg" is what follows a byte 1 in the input, "m.cfg", a model of an
 * instrument, what follows a byte 2 (or a good one), and the other data are a few entries, of
 * which the practice is "p".
 */
#include "config/config.h"
#include "config/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
	const char *main, *include, *model;
	size_t main_length, include_length, model_length;
};

static const char factors[] =
	"factors: ( { code = \"w01018\"; zh = \"x\"; en = \"COD\"; unit = \"mg/L\"; decimals = 1;"
	"source = \"test\"; } );";
static const char standard[] =
	"standard: { id = \"S-1\"; zh = \"s\"; en = \"s\"; classes = (\"A\", \"B\"); tables: (\n"
	"{ clause = \"t\"; average = (\"instant\", \"day\"); opens = (\"alert\", \"case\");"
	"from = \"2001-01-01\"; source = \"s\"; confidence = \"low\"; limits: (\n"
	"{ factor = \"w01018\"; unit = \"g/L\"; max = (1, 2); to = \"2026-02-28\"; },\n"
	"{ factor = \"w01018\"; unit = \"g/L\"; max = 1; from = \"2026-03-01\"; condition = \"c\";"
	"usual_at = (\"outfall\"); }); } ); };";

static const char model[] =
	"model: { id = \"m\"; name = \"m\"; source = \"s\"; confidence = \"low\"; inputs = 2; "
	"exact = "
	"true; bus: { max_gap = 3; }; quantities: ( { id = \"q\"; unit = \"mg/L\"; table = "
	"\"holding\"; address = 0x10; step = 40; type = \"int32\"; order = \"CDAB\"; block = (16, "
	"30); "
	"invalid = (-1, 2.5); rollover = 1e9; exponent: { address = 18; step = 40; negative = "
	"true; "
	"}; plus: ( { address = 19; step = 40; times = 1e8; } ); unit_code: { address = 21; step = "
	"40; "
	"units: ( { value = 1; factor = 3; } ); }; status: { address = 22; step = 40; mask = 255; "
	"flags: ( { bits = 6; flag = \"M\"; } ); otherwise = \"N\"; no_value = true; }; "
	"sample_time: "
	"{ address = 23; step = 40; }; } ); };";

static const char kinds[] =
	"contradictions: ( { reason = \"r\"; factor = \"w01018\"; above = \"w01018\"; source = "
	"\"s\"; "
	"} ); practices: ( { id = \"p\"; kind = \"outfall\"; clues = true; rules: ( { at_once = "
	"true; "
	"analyser = true; cycle_s = 60; link_s = 60; result_s = 90; flat_count = 4; step_times = "
	"3; "
	"step_share = 0.5; on_count = 2; off_count = 3; deadband_share = 0.05; under_range = true; "
	"opens = (\"case\", \"alert\", \"case\"); } ); } );";

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
	if (strcmp(name, "kinds.cfg") == 0)
		return copy(kinds, sizeof(kinds) - 1, text, length);
	if (strcmp(name, "m.cfg") == 0)
		return copy(memory->model, memory->model_length, text, length);
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
		(*names)[0] = strdup(strstr(folder, "standards") ? "s.cfg"
				     : strstr(folder, "models")  ? "m.cfg"
				     : strstr(folder, "signals") ? "kinds.cfg"
								 : "factors.cfg");
	return *names && (*names)[0] ? 0 : -ENOMEM;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *third = size ? memchr(text, '\x02', size) : NULL;
	struct memory memory = {.model = model, .model_length = sizeof(model) - 1};
	if (third) {
		memory.model = third + 1;
		memory.model_length = size - (size_t)(third - text) - 1;
		size = (size_t)(third - text);
	}
	const char *cut = size ? memchr(text, '\x01', size) : NULL;
	size_t first = cut ? (size_t)(cut - text) : size;
	memory.main = text;
	memory.main_length = first;
	memory.include = cut ? cut + 1 : text;
	memory.include_length = cut ? size - first - 1 : 0;
	struct reader reader = {memory_read, memory_list, &memory};
	const struct config_dates dates = {"2026-07-01", size % 2 == 0};
	struct config *config;
	struct config_faults faults;
	int result = config_load_with("main.cfg", &dates, &reader, &config, &faults);
	if ((result == 0) != (config != NULL) || (result == -EINVAL) != (faults.n > 0))
		abort();
	config_free(config);
	config_faults_deinit(&faults);
	return 0;
}
