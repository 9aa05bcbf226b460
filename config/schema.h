/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Schema: tables that say which keys a group knows, and the one function that checks a group
 * against its table and fills a struct from it.
 *
 * A group may come in variants (a connection is tcp, mqtt, …): a field says which variants know it
 * and which need it. Everything wrong is added to the faults, and the walk goes on.
 */
#include "config/document.h"

#include <stdint.h>

enum field_type {
	FIELD_TEXT,    /* char *; low and high are bytes */
	FIELD_INT,     /* int */
	FIELD_INT64,   /* int64_t */
	FIELD_NUMBER,  /* double */
	FIELD_BOOL,    /* bool */
	FIELD_CHOICE,  /* int: the index in choices */
	FIELD_FEATURE, /* char *: a name of the feature table, kind @feature */
	FIELD_TEXTS,   /* struct texts */
	FIELD_SECRET,  /* char *: the content of the file named */
	FIELD_FILE,    /* char *: the path of a readable file, found as secrets are */
	FIELD_LATER,   /* known here, read by the caller: groups and lists */
};

#define NOWHERE SIZE_MAX /* offset of a key that is checked and not kept */
#define EVERY (~0u)      /* variants */

struct texts {
	char **at;
	size_t n;
};

struct field {
	const char *name;
	enum field_type type;
	bool open; /* the ends of the range are excluded */
	size_t offset;
	double low, high;
	unsigned only;     /* bits of the variants that know the key; 0: every */
	unsigned required; /* bits of the variants that need it; EVERY: also where none is known */
	const char *const *choices;
	const char *feature;
	const char *(*check)(const char *text); /* NULL, or what would be right */
};

struct schema {
	const char *what;            /* "a monitor" */
	const char *const *variants; /* names for messages: "mqtt" */
	const struct field *fields;
	size_t n;
};

/* What every reading function has at hand. */
struct walk {
	const struct document *document;
	struct faults *faults;
	const struct reader *reader;
	const char *file; /* the configuration's: relative names are found beside it */
};

/**
 * schema_read() - check @group against @schema and fill @target
 * @variant: a bit of the fields' masks; 0 where it is not known: then no key is refused for it
 * Return: bit i is set if the group has a good value for field i
 */
uint64_t schema_read(struct walk *walk, const struct schema *schema, const config_setting_t *group,
		     unsigned variant, void *target);
/** schema_has() - does the group hold the key, right or wrong */
bool schema_has(const config_setting_t *group, const char *key);
/** schema_key() - the setting to blame: the key's, else the group itself */
const config_setting_t *schema_key(const config_setting_t *group, const char *key);
/** schema_free() - free the texts of @target and forget them */
void schema_free(const struct schema *schema, void *target);
/** schema_length() - how many elements the list under @key has; 0 if it is missing or no list */
size_t schema_length(struct walk *walk, const config_setting_t *group, const char *key);
/** schema_element() - the element, a group or not */
const config_setting_t *schema_element(const config_setting_t *group, const char *key, size_t i);
/** schema_peek() - the text under @key without any fault; NULL if there is none */
const char *schema_peek(const config_setting_t *group, const char *key);
/** schema_number() - any number as double. Return: false if it is none */
bool schema_number(const config_setting_t *setting, double *value);
/** schema_text() - a text that is valid and of low to high bytes, else NULL and a fault */
const char *schema_text(struct walk *walk, const config_setting_t *setting, double low,
			double high);
/** schema_texts() - a list of texts, each checked as @field says */
bool schema_texts(struct walk *walk, const struct field *field, const config_setting_t *setting,
		  struct texts *texts);
/** schema_copy() - strdup() that tells @walk of lost memory */
char *schema_copy(struct walk *walk, const char *text);
#define FAULT(walk, setting, ...)                                                                  \
	document_fault((walk)->document, (walk)->faults, setting, __VA_ARGS__)
#define NOTE(walk, setting, ...)                                                                   \
	document_note((walk)->document, (walk)->faults, setting, __VA_ARGS__)

/** number_text() - the shortest decimal that reads back as the same double */
const char *number_text(double value, char text[static 32]);
/** nearest() - the one of @names that @word is a misspelling of, or NULL */
const char *nearest(const char *word, const char *const *names, size_t n);
/** listed() - "a", "b", "c"; to be freed; NULL: no memory */
char *listed(const char *const *names, size_t n);

/* What this program knows: the one table of that. */
struct feature {
	const char *kind, *name;
};
extern const struct feature features[];
extern const size_t n_features;
