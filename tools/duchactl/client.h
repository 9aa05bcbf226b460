/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Client: one request to the daemon's socket, one whole answer.
 */
#include "core/text.h"

#include <curl/curl.h>

struct client {
	CURL *curl;
	const char *socket;
	struct curl_slist *headers;
	struct text url;
	char why[CURL_ERROR_SIZE];
};

struct client_answer {
	long status;
	struct text body;
	char next[24]; /* of a CSV page; "" when there is none */
};

/** client_open() - a handle with all limits set. Return: true; false without memory. */
bool client_open(struct client *client, const char *socket);
void client_close(struct client *client);

/** client_path(), client_parameter() - build the request's address; @value is escaped */
void client_path(struct client *client, const char *path);
void client_parameter(struct client *client, const char *name, const char *value);
/** client_header() - one more header for all requests of this handle */
void client_header(struct client *client, const char *header);

/**
 * client_do() - GET, or POST when @post is not NULL
 * @answer: emptied first; client_answer_deinit() it in any case
 * Return: 0 with any status; CTL_ABSENT and a sentence on stderr where nobody answers.
 */
int client_do(struct client *client, const char *post, struct client_answer *answer);
/** client_send() - POST bytes that are no JSON; as client_do() */
int client_send(struct client *client, const void *data, size_t size, struct client_answer *answer);
void client_answer_deinit(struct client_answer *answer);

/** client_absent() - says on stderr why the daemon cannot be reached. Return: CTL_ABSENT. */
int client_absent(const struct client *client, CURLcode code);
/** client_refused() - says the answer's error on stderr. Return: CTL_FAILED. */
int client_refused(const struct client_answer *answer);
