/* SPDX-License-Identifier: Apache-2.0 */
#include "config/tokens.h"

#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 200, HASH_DIGITS = 64 };

/* Where a line stands. */
struct place {
	struct walk *walk;
	const char *file;
	int line;
};
#define WRONG(place, ...)                                                                          \
	faults_add((place)->walk->faults, (place)->file, (place)->line, __VA_ARGS__)

static unsigned read_roles(const struct place *place, char *text)
{
	static const char *const names[] = {"handler", "inspector", "leader"};
	unsigned roles = 0;
	for (char *rest = text, *name; (name = strsep(&rest, ",")) != NULL;) {
		unsigned role = 0;
		for (unsigned i = 0; i < 3; i++)
			role |= strcmp(names[i], name) == 0 ? 1u << i : 0;
		if (role == 0)
			WRONG(place,
			      "\"%.40s\" is no role; there are handler, inspector and leader",
			      name);
		roles |= role;
	}
	return roles;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hash(const char *text, uint8_t out[static CONFIG_HASH_BYTES])
{
	if (strlen(text) != HASH_DIGITS || strspn(text, "0123456789abcdef") != HASH_DIGITS)
		return false;
	for (size_t i = 0; i < CONFIG_HASH_BYTES; i++)
		out[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
	return true;
}

static bool good_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return name[0] && strlen(name) <= NAME_BYTES && scan_utf8(name, strlen(name));
}

/* With a list of officers in the configuration, a token can only be one of theirs. */
static void check_named(const struct place *place, const struct config_cases *cases,
			const char *name)
{
	for (size_t i = 0; i < cases->n_officers; i++) {
		const struct config_officer *o = &cases->officers[i];
		if ((o->id && strcmp(o->id, name) == 0) || (o->name && strcmp(o->name, name) == 0))
			return;
	}
	if (cases->n_officers > 0)
		WRONG(place, "\"%s\" is none of the officers of the configuration", name);
}

static void check_twice(const struct place *place, const struct config *config,
			const struct config_token *token)
{
	for (size_t i = 0; i < config->n_tokens; i++) {
		const struct config_token *other = &config->tokens[i];
		if (strcmp(other->name, token->name) == 0)
			WRONG(place, "\"%s\" has a token already", token->name);
		else if (memcmp(other->hash, token->hash, sizeof(token->hash)) == 0)
			WRONG(place, "\"%s\" has the token of \"%s\"; give each their own",
			      token->name, other->name);
	}
}

static void read_line(const struct place *place, struct config *config, char *line)
{
	struct config_token *token = &config->tokens[config->n_tokens];
	char *rest = line, *name = strsep(&rest, ":"), *roles = strsep(&rest, ":");
	if (!roles || !rest || !good_name(name)) {
		WRONG(place, "a line is NAME:ROLE,ROLE:HASH");
		return;
	}
	token->roles = read_roles(place, roles);
	if (!read_hash(rest, token->hash)) {
		WRONG(place, "the hash is not SHA-256 in 64 digits 0 to 9 and a to f, as of "
			     "`printf %%s TOKEN | sha256sum`");
		return;
	}
	token->name = schema_copy(place->walk, name);
	if (!token->name)
		return;
	check_named(place, &config->cases, name);
	check_twice(place, config, token);
	config->n_tokens++;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;
	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void read_lines(struct walk *walk, struct config *config, char *text)
{
	struct place place = {walk, config->officers_file, 0};
	config->tokens = calloc(count_lines(text), sizeof(*config->tokens));
	if (!config->tokens)
		walk->faults->no_memory = true;
	for (char *rest = text, *line; config->tokens && (line = strsep(&rest, "\n")) != NULL;) {
		place.line++;
		line[strcspn(line, "\r")] = '\0';
		if (line[0] && line[0] != '#')
			read_line(&place, config, line);
	}
}

void tokens_read(struct walk *walk, struct config *config, const config_setting_t *group)
{
	char *text = NULL;
	size_t length = 0, before = walk->faults->list.n;
	if (!config->officers_file)
		return;
	if (!config->listen)
		FAULT(walk, schema_key(group, "officers_file"),
		      "key \"listen\" is missing beside officers_file");
	int error = reader_read(walk->reader, config->officers_file, &text, &length);
	if (error) {
		FAULT(walk, schema_key(group, "officers_file"), "officers_file cannot be read: %s",
		      strerror(-error));
		return;
	}
	if (strlen(text) != length)
		FAULT(walk, schema_key(group, "officers_file"), "officers_file is no text");
	else
		read_lines(walk, config, text);
	if (config->n_tokens == 0 && walk->faults->list.n == before)
		FAULT(walk, schema_key(group, "officers_file"), "officers_file names nobody");
	free(text);
}

void tokens_free(struct config *config)
{
	for (size_t i = 0; i < config->n_tokens; i++)
		free(config->tokens[i].name);
	free(config->tokens);
}
