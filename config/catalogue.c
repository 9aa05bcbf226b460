/* SPDX-License-Identifier: Apache-2.0 */
#include "config/catalogue.h"
#include "config/checks.h"
#include "config/impossible.h"
#include "config/standards.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define AT(member) offsetof(struct config_factor, member)

static const struct field factor_fields[] = {
	{"code", FIELD_TEXT, .offset = AT(code), .required = EVERY, .check = check_factor},
	{"old", FIELD_TEXT, .offset = AT(old_code), .check = check_factor},
	{"zh", FIELD_TEXT, .offset = AT(name_zh), .required = EVERY},
	{"en", FIELD_TEXT, .offset = AT(name_en), .required = EVERY},
	{"unit", FIELD_TEXT, .offset = AT(unit), .low = 0, .high = 32, .required = EVERY},
	{"other_unit", FIELD_TEXT, .offset = AT(other_unit), .check = check_unit},
	{"load", FIELD_TEXT, .offset = AT(load_unit), .check = check_unit},
	{"molar", FIELD_NUMBER, .open = true, .offset = AT(molar_g), .low = 0, .high = 1000},
	{"decimals", FIELD_INT, .offset = AT(decimals), .low = 0, .high = 9, .required = EVERY},
	{"no_multiple", FIELD_BOOL, .offset = AT(no_multiple)},
	{"no_mean", FIELD_BOOL, .offset = AT(no_mean)},
	{"dead_at", FIELD_NUMBER, .offset = AT(dead_at), .low = -1e15, .high = 1e15},
	{"drift", FIELD_NUMBER, .open = true, .offset = AT(drift), .low = 0, .high = 1e15},
	{"drift_air", FIELD_NUMBER, .open = true, .offset = AT(drift_air), .low = 0, .high = 1e15},
	{"drift_confidence", FIELD_CHOICE, .offset = AT(drift_confidence),
	 .choices = confidence_names},
	{"zero_beside", FIELD_BOOL, .offset = AT(zero_beside)},
	{"most", FIELD_NUMBER, .offset = AT(most), .low = -1e15, .high = 1e15},
	{"source", FIELD_TEXT, .offset = NOWHERE, .required = EVERY},
};
static const struct schema factor_schema = {"a factor", NULL, factor_fields,
					    sizeof(factor_fields) / sizeof(factor_fields[0])};

static const struct field file_fields[] = {
	{"factors", FIELD_LATER},
	{"codes", FIELD_LATER},
	{"fills", FIELD_LATER},
	{"unreal_from", FIELD_NUMBER, .open = true, .offset = NOWHERE, .low = 0, .high = 1e300},
};
static const struct schema file_schema = {"a catalogue", NULL, file_fields,
					  sizeof(file_fields) / sizeof(file_fields[0])};

static void read_document(struct walk *walk, const char *path,
			  void (*read)(void *context, struct walk *walk), void *context)
{
	struct document document = {0};
	size_t first = walk->faults->list.n;
	int error = document_read(&document, path, walk->reader, walk->faults);
	walk->document = &document;
	walk->file = path;
	if (!error) {
		read(context, walk);
		document_notes(&document, walk->faults, first);
	}
	if (error == -ENOMEM)
		walk->faults->no_memory = true;
	document_deinit(&document);
}

int data_files(const char *data, const char *folder, const struct reader *reader,
	       struct faults *faults, void (*read)(void *context, struct walk *walk), void *context)
{
	char **names = NULL, *path = reader_join(data, folder);
	size_t n = 0, before = faults->list.n;
	int error = path ? reader_list(reader, path, &names, &n) : -ENOMEM;
	if (error && error != -ENOMEM)
		faults_add(faults, path, 1,
			   "cannot be read: %s; node.data_directory names the folder that holds it",
			   strerror(-error));
	for (size_t i = 0; !error && i < n; i++) {
		char *file = reader_join(path, names[i]);
		struct walk walk = {.faults = faults, .reader = reader};
		if (file)
			read_document(&walk, file, read, context);
		else
			faults->no_memory = true;
		free(file);
	}
	if (!error)
		reader_free_names(names, n);
	free(path);
	if (error == -ENOMEM || faults->no_memory)
		return -ENOMEM;
	return faults->list.n > before ? -EINVAL : 0;
}

static struct config_factor *next_factor(struct catalogue *catalogue)
{
	if (catalogue->n == catalogue->room) {
		size_t room = catalogue->room ? 2 * catalogue->room : 128;
		struct config_factor *grown = realloc(catalogue->at, room * sizeof(*grown));
		if (!grown)
			return NULL;
		catalogue->at = grown;
		catalogue->room = room;
	}
	struct config_factor *factor = &catalogue->at[catalogue->n];
	*factor = (struct config_factor){0};
	return factor;
}

/* A code names one factor, whether it is a new or an old one. */
static void refuse_again(struct walk *walk, const struct catalogue *catalogue,
			 const config_setting_t *group, const char *key, const char *code)
{
	if (code && catalogue_find(catalogue, code))
		FAULT(walk, schema_key(group, key), "factor \"%s\" is in the catalogue already",
		      code);
}

static void read_factor(struct catalogue *catalogue, struct walk *walk,
			const config_setting_t *group)
{
	size_t before = walk->faults->list.n;
	struct config_factor *factor = next_factor(catalogue);
	if (!factor) {
		walk->faults->no_memory = true;
		return;
	}
	schema_read(walk, &factor_schema, group, 0, factor);
	impossible_of_factor(walk, group, factor);
	refuse_again(walk, catalogue, group, "code", factor->code);
	refuse_again(walk, catalogue, group, "old", factor->old_code);
	if (walk->faults->list.n == before && !walk->faults->no_memory)
		catalogue->n++;
	else
		config_factor_deinit(factor);
}

static void read_factors(void *context, struct walk *walk)
{
	const config_setting_t *root = config_root_setting(&walk->document->tree);
	schema_read(walk, &file_schema, root, 0, NULL);
	impossible_codes(walk, context, root);
	impossible_fills(walk, context, root);
	size_t n = schema_length(walk, root, "factors");
	for (size_t i = 0; i < n; i++)
		read_factor(context, walk, schema_element(root, "factors", i));
}

int catalogue_read(struct catalogue *catalogue, const char *data, const struct reader *reader,
		   struct faults *faults)
{
	return data_files(data, "catalogue", reader, faults, read_factors, catalogue);
}

void config_factor_deinit(struct config_factor *factor)
{
	schema_free(&factor_schema, factor);
	free(factor->file);
	factor->file = NULL;
}

void catalogue_deinit(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->n; i++)
		config_factor_deinit(&catalogue->at[i]);
	free(catalogue->at);
	free(catalogue->codes);
	free(catalogue->codes_file);
	free(catalogue->fills);
	free(catalogue->fills_file);
	*catalogue = (struct catalogue){0};
}

const struct config_factor *catalogue_find(const struct catalogue *catalogue, const char *code)
{
	for (size_t i = 0; i < catalogue->n; i++)
		if (strcmp(catalogue->at[i].code, code) == 0 ||
		    (catalogue->at[i].old_code && strcmp(catalogue->at[i].old_code, code) == 0))
			return &catalogue->at[i];
	return NULL;
}

const char *catalogue_nearest(const struct catalogue *catalogue, const char *code)
{
	for (size_t i = 0; i < catalogue->n; i++)
		if (strcasecmp(catalogue->at[i].code, code) == 0)
			return catalogue->at[i].code;
	return NULL;
}
