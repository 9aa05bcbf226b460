/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/held.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stored {
	int64_t id, key;
};

static int held_load(struct held *held, int64_t passed)
{
	void *data = NULL;
	size_t size = 0;
	int rc = ledger_get(held->ledger, held->name, &data, &size);
	if (rc == -ENOENT)
		return 0;
	for (size_t i = 0; rc == 0 && i + sizeof(struct stored) <= size;
	     i += sizeof(struct stored)) {
		struct stored one;
		memcpy(&one, (const char *)data + i, sizeof one);
		if (one.id <= passed)
			rc = held_add(held, one.id, one.key, 0);
	}
	free(data);
	held->changed = false;
	return rc;
}

int held_init(struct held *held, struct ledger *ledger, const char *delivery, int64_t passed)
{
	*held = (struct held){.ledger = ledger};
	snprintf(held->name, sizeof held->name, "held/%s", delivery);
	snprintf(held->cursor, sizeof held->cursor, "delivery/%s/held", delivery);
	return held_load(held, passed);
}

void held_deinit(struct held *held)
{
	free(held->at);
	held->at = NULL;
}

/* FNV-1a; two sites of one hash only wait for each other. */
int64_t held_key(int64_t case_id, const char *site)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	if (case_id != 0)
		return case_id;
	for (const char *c = site == NULL ? "" : site; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
	return -(int64_t)(hash >> 2) - 1;
}

bool held_has(const struct held *held, int64_t key)
{
	for (size_t i = 0; i < held->n; i++)
		if (held->at[i].key == key)
			return true;
	return false;
}

int held_add(struct held *held, int64_t id, int64_t key, int64_t due_ms)
{
	if (held->n == HELD_MOST)
		return -ENOSPC;
	if (held->n == held->capacity) {
		size_t capacity = held->capacity * 2 + 16;
		struct held_event *grown = reallocarray(held->at, capacity, sizeof *grown);
		if (grown == NULL)
			return -ENOMEM;
		held->at = grown;
		held->capacity = capacity;
	}
	held->at[held->n++] = (struct held_event){.id = id, .key = key, .due_ms = due_ms};
	atomic_store(&held->count, held->n);
	held->changed = true;
	return 0;
}

static bool is_first(const struct held *held, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (held->at[i].key == held->at[at].key)
			return false;
	return true;
}

struct held_event *held_next(struct held *held, int64_t now_ms)
{
	for (size_t i = 0; i < held->n; i++)
		if (held->at[i].due_ms <= now_ms && is_first(held, i))
			return &held->at[i];
	return NULL;
}

int64_t held_due(const struct held *held)
{
	int64_t due_ms = INT64_MAX;
	for (size_t i = 0; i < held->n; i++)
		if (held->at[i].due_ms < due_ms && is_first(held, i))
			due_ms = held->at[i].due_ms;
	return due_ms;
}

void held_hurry(struct held *held)
{
	for (size_t i = 0; i < held->n; i++)
		held->at[i].due_ms = 0;
}

void held_remove(struct held *held, struct held_event *event)
{
	size_t at = (size_t)(event - held->at);
	memmove(event, event + 1, (held->n - at - 1) * sizeof *event);
	atomic_store(&held->count, --held->n);
	held->changed = true;
}

static int store_list(struct held *held)
{
	struct stored *list = calloc(held->n + 1, sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < held->n; i++)
		list[i] = (struct stored){held->at[i].id, held->at[i].key};
	int rc = ledger_put(held->ledger, held->name, list, held->n * sizeof *list);
	free(list);
	return rc;
}

/* The cursor holds back pruning before the list names an event, and lets go after it does not. */
int held_store(struct held *held)
{
	if (!held->changed)
		return 0;
	int64_t before = held->n > 0 ? held->at[0].id - 1 : INT64_MAX;
	int rc = held->n > 0 ? ledger_put_cursor(held->ledger, held->cursor, before) : 0;
	if (rc == 0)
		rc = store_list(held);
	if (rc == 0 && held->n == 0)
		rc = ledger_put_cursor(held->ledger, held->cursor, before);
	if (rc == 0)
		held->changed = false;
	return rc;
}
