/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Client: what asks a district's service over HTTP, and the fixture that serves it.
 */
#include "district.h"

#include <curl/curl.h>
#include <jansson.h>

struct reply {
	long status;
	struct text body, headers;
	json_t *json; /* NULL if it is none */
};

struct call {
	const char *method, *path, *body;
	const char *header;
	bool listener; /* over TCP */
};

/** http() - one request. Return: the reply, which the caller gives to reply_deinit(). */
struct reply http(const struct district *district, struct call call);
struct reply get(const struct district *district, const char *path);
void reply_deinit(struct reply *reply);
/** expect() - the answer has that status and that word in it, and an error says what it is */
void expect(const struct district *district, struct call call, long status, const char *word);
/** count() - how often @word stands in @text */
size_t count(const char *text, const char *word);

int setup(void **state);
int teardown(void **state);
#define SERVED(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
