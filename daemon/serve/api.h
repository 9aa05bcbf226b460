/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Api: from a whole request to a whole answer, without a word of HTTP's transport.
 */
#include "serve/query.h"
#include "serve/readers.h"
#include "serve/serve.h"
#include "serve/sparks.h"

struct api {
	struct serve_setup setup;
	struct readers readers;
	struct sparks sparks;
	struct text office_policy; /* office_policy() */
	int64_t started_mono_s;
};

enum api_method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OTHER };

struct api_request {
	enum api_method method;
	enum endpoint endpoint;
	int64_t id; /* of the case or alert in the path */
	const char *path;
	bool may_act;  /* came over the Unix socket, or from an officer */
	bool officers; /* came over a listener at which officers may act */
	enum officers_result token;
	const struct serve_officer *officer; /* NULL: none, or over the socket */
	bool sees_persons;                   /* may read names and notes: the same */
	struct query query;
	const char *accept; /* header; NULL: none */
	const char *peer;   /* who acts where the body does not say */
	const char *body;   /* NULL: empty */
	size_t body_length;
	bool body_too_large;
};

struct api_answer {
	unsigned status;
	const char *type;   /* Content-Type */
	const char *allow;  /* for 405; NULL: none */
	const char *policy; /* Content-Security-Policy of a page; NULL: none */
	int64_t next;       /* of a CSV page; 0: none */
	struct text body;
};

/** api_error() - fills @answer with {"error":@sentence} */
void api_error(struct api_answer *answer, unsigned status, const char *sentence);

/**
 * api_refuse() - what needs no query and no body: path, method, right, size
 * Return: true when @answer is filled with a refusal.
 */
bool api_refuse(const struct api_request *request, struct api_answer *answer);

/** api_answer() - everything but the event stream (any thread); @answer's body is the caller's */
void api_answer(struct api *api, const struct api_request *request, struct api_answer *answer);

/** api_now_ms() - wall clock */
int64_t api_now_ms(void);
/** api_store_failed() - the store could not be read or written: said to the log once per request,
 * without details to the client */
void api_store_failed(struct api_answer *answer, int result, const char *what);
/** api_case_result() - what the ledger says of case @id (0: a new one); @answer holds its body */
void api_case_result(struct api_answer *answer, int result, int64_t id);

/** api_reload() - wait until the configuration is taken up anew, or refused: 409 (any thread) */
void api_reload(struct api *api, struct api_answer *answer);

/** api_site() - Return: true if there is no @site wanted or the plan has it; else fills @answer */
bool api_site(const struct api *api, const char *site, struct api_answer *answer);
