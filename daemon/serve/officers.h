/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Officers: who acts over the listener, known by a bearer token (RFC 6750, 2.1).
 *
 * Only hashes of tokens are here. A token is looked for in the whole list, whatever it is, so that
 * the time says nothing of it. Wrong ones are answered at a bounded rate, and each officer acts at
 * a bounded rate; a flood of wrong tokens keeps no officer out. Any thread; the time is an
 * argument.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OFFICER_HASH_BYTES = 32 };

struct serve_officer {
	const char *name;
	unsigned roles;                         /* OR of enum role */
	unsigned char hash[OFFICER_HASH_BYTES]; /* SHA-256 of the token */
};

enum officers_result {
	OFFICERS_NONE,  /* no token was given */
	OFFICERS_KNOWN, /* @officer is set */
	OFFICERS_WRONG, /* nobody's */
	OFFICERS_MANY,  /* too many wrong ones, or too much of one officer */
};

struct bucket {
	double left;
	int64_t at_ms;
};

struct officers {
	const struct serve_officer *at;
	size_t n;
	pthread_mutex_t lock;
	struct bucket wrong, *acts; /* acts: by officer */
};

/** officers_init() - @at outlives it. Return: 0, -ENOMEM. */
int officers_init(struct officers *officers, const struct serve_officer *at, size_t n);
void officers_deinit(struct officers *officers);
/** officers_succeed() - take over the list of @next, which has the old one then; wrong tokens stay
 * counted (while nobody asks) */
void officers_succeed(struct officers *officers, struct officers *next);
/**
 * officers_find() - whose token is it?
 * @authorization: the header's value; NULL: none
 * @acts: the request is to change something, which counts
 * @now_ms: CLOCK_MONOTONIC
 */
enum officers_result officers_find(struct officers *officers, const char *authorization, bool acts,
				   int64_t now_ms, const struct serve_officer **officer);
