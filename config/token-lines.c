/* SPDX-License-Identifier: Apache-2.0 */
#include "config/token-lines.h"

#include "config/scan.h"

#include <stdio.h>
#include <string.h>

enum { HASH_DIGITS = 2 * TOKEN_HASH_BYTES };

/* The roles of "handler,leader". Return: 0 where one is unknown, and then it is @unknown. */
static unsigned read_roles(char *text, const char **unknown)
{
	static const char *const names[] = {"handler", "inspector", "leader"};
	unsigned roles = 0;
	for (char *rest = text, *name; (name = strsep(&rest, ",")) != NULL;) {
		unsigned role = 0;
		for (unsigned i = 0; i < 3; i++)
			role |= strcmp(names[i], name) == 0 ? 1u << i : 0;
		*unknown = name;
		if (role == 0)
			return 0;
		roles |= role;
	}
	return roles;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hash(const char *text, uint8_t out[static TOKEN_HASH_BYTES])
{
	if (strlen(text) != HASH_DIGITS || strspn(text, "0123456789abcdef") != HASH_DIGITS)
		return false;
	for (size_t i = 0; i < TOKEN_HASH_BYTES; i++)
		out[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
	return true;
}

static bool good_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return name[0] && strlen(name) <= TOKEN_NAME_BYTES && scan_utf8(name, strlen(name));
}

/* Return: NULL; else what is wrong, which may lie in @room. */
static const char *read_line(char *text, struct token_line *line, char room[TOKEN_WRONG_BYTES])
{
	const char *unknown = "";
	char *rest = text, *name = strsep(&rest, ":"), *roles = strsep(&rest, ":");
	if (!roles || !rest || !good_name(name))
		return "a line is NAME:ROLE,ROLE:HASH";
	line->name = name;
	line->roles = read_roles(roles, &unknown);
	if (line->roles == 0) {
		snprintf(room, TOKEN_WRONG_BYTES,
			 "\"%.40s\" is no role; there are handler, inspector and leader", unknown);
		return room;
	}
	if (!read_hash(rest, line->hash))
		return "the hash is not SHA-256 in 64 digits 0 to 9 and a to f, as of "
		       "`printf %s TOKEN | sha256sum`";
	return NULL;
}

void token_lines(char *text,
		 void (*take)(void *context, const struct token_line *line, const char *wrong),
		 void *context)
{
	struct token_line line = {0};
	char room[TOKEN_WRONG_BYTES];
	for (char *rest = text, *at; (at = strsep(&rest, "\n")) != NULL;) {
		line.number++;
		at[strcspn(at, "\r")] = '\0';
		if (at[0] && at[0] != '#')
			take(context, &line, read_line(at, &line, room));
	}
}
