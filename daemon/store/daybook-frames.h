/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The frames of a daybook file: NAME.frames beside NAME.db, records of core/frame.h one behind the
 * other. They may go long before the readings do, so they have a file of their own, and the chain
 * holds the SHA-256 of what a batch brought instead of the bytes (core/chain.h). The bytes are on
 * disk before the batch is committed; what a crash leaves behind the last batch is cut off when the
 * file is opened next. Private to the store; the writing side is the recorder's.
 */
#include "core/chain.h"
#include "store/daybook-file.h"

struct hash;

struct day_frames {
	char path[4300];
	int fd;            /* -1: not opened, since there was nothing to write */
	int64_t end, next; /* committed, and with the open transaction */
	struct hash *hash;
	sqlite3_stmt *add;
};

/** day_frames_path() - of the daybook file @path, "….db" */
void day_frames_path(char *out, size_t size, const char *path);
/** day_frames_prepare() - for day_frames_of(); *out NULL where the file is of a version without
 * frames */
int day_frames_prepare(sqlite3 *db, sqlite3_stmt **out);
/** day_frames_of() - what batch @batch brought; first == last: nothing */
int day_frames_of(sqlite3_stmt *statement, int64_t batch, struct chain_frames *out);
/** day_frames_remove() - the frames of the daybook file @path, if there are any */
int day_frames_remove(const char *path);
/** day_frames_connect() - of the open file at @path; a crash's end is cut off */
int day_frames_connect(struct day_frames *frames, sqlite3 *db, const char *path);
void day_frames_disconnect(struct day_frames *frames);
/** day_frames_resync() - look how far the file goes; nothing of the open transaction counts */
int day_frames_resync(struct day_frames *frames, sqlite3 *db);
/** day_frames_add() - records for the open transaction. Return: 0, negative errno. */
int day_frames_add(struct day_frames *frames, const uint8_t *bytes, size_t n);
/**
 * day_frames_end() - make them durable and note them for batch @batch
 * @out: what goes into the link; first == last: there are none
 * Return: 0, negative errno, SQL_FATAL for a failed fsync.
 */
int day_frames_end(struct day_frames *frames, int64_t batch, struct chain_frames *out);
/** day_frames_done() - the transaction was committed */
void day_frames_done(struct day_frames *frames);
