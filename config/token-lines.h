/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Token lines: the text of http.officers_file, and nothing but the text: a pure function, for
 * config/tokens.c and for the fuzzer.
 *
 * One officer a line, "NAME:ROLE,ROLE:HASH", the hash being SHA-256 of the token in 64 hexadecimal
 * digits; empty lines and lines that begin with # are skipped. A line may end with CR LF.
 */
#include <stddef.h>
#include <stdint.h>

enum { TOKEN_HASH_BYTES = 32, TOKEN_NAME_BYTES = 200, TOKEN_WRONG_BYTES = 160 };

struct token_line {
	int number;       /* from 1 */
	const char *name; /* UTF-8 without control characters, not empty; in the text */
	unsigned roles;   /* OR of 1 handler, 2 inspector, 4 leader; at least one */
	uint8_t hash[TOKEN_HASH_BYTES];
};

/**
 * token_lines() - each line that is not skipped
 * @text: ends with NUL; changed
 * @take: gets each; @wrong: NULL, or a sentence that says what is wrong, and then only the number
 *        is to be used. Both live during the call
 */
void token_lines(char *text,
		 void (*take)(void *context, const struct token_line *line, const char *wrong),
		 void *context);
