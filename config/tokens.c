/* SPDX-License-Identifier: Apache-2.0 */
#include "config/tokens.h"

#include "config/config.h"
#include "config/token-lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)CONFIG_HASH_BYTES == (int)TOKEN_HASH_BYTES, "both are SHA-256");

/* Where a line stands, and what it is read into. */
struct place {
	struct walk *walk;
	struct config *config;
	int line;
};
#define WRONG(place, ...)                                                                          \
	faults_add((place)->walk->faults, (place)->config->officers_file, (place)->line,           \
		   __VA_ARGS__)

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

static void take_line(void *context, const struct token_line *line, const char *wrong)
{
	struct place *place = context;
	struct config *config = place->config;
	struct config_token *token = &config->tokens[config->n_tokens];
	place->line = line->number;
	if (wrong) {
		WRONG(place, "%s", wrong);
		return;
	}
	token->roles = line->roles;
	memcpy(token->hash, line->hash, sizeof(token->hash));
	token->name = schema_copy(place->walk, line->name);
	if (!token->name)
		return;
	check_named(place, &config->cases, token->name);
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
	struct place place = {walk, config, 0};
	config->tokens = calloc(count_lines(text), sizeof(*config->tokens));
	if (config->tokens)
		token_lines(text, take_line, &place);
	else
		walk->faults->no_memory = true;
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
