/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4400 };

static int stem_of(const struct frames_walk *f)
{
	return (int)(strlen(f->name) - strlen(".db"));
}

static int file_open(struct verify *v, struct frames_walk *f)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/daybook/%.*s.frames", v->setup->directory, stem_of(f),
		 f->name);
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	return f->fd < 0 && errno != ENOENT ? -errno : 0;
}

int frames_open(struct verify *v, struct frames_walk *f, sqlite3 *db, const char *name)
{
	int64_t tables = 0;

	*f = (struct frames_walk){.name = name, .fd = -1};
	int r = sql_number(db, "SELECT count(*) FROM sqlite_master WHERE name = 'frames'", 0,
			   &tables);
	if (r == 0)
		r = file_open(v, f);
	if (r != 0 || tables == 0)
		return r;
	r = sql_prepare(db, &f->rows,
			"SELECT batch, first, last, digest FROM frames ORDER BY batch");
	return r == 0 ? sql_step(f->rows, &f->row) : r;
}

void frames_close(struct frames_walk *f)
{
	sqlite3_finalize(f->rows);
	f->rows = NULL;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static int gone(struct verify *v, struct frames_walk *f)
{
	if (frames_are_gone(v, f->name))
		return 0;
	return verify_bad(v, "daybook/%.*s.frames: there is no such file", stem_of(f), f->name);
}

/* @out: of the bytes that are there; the rest is missed by their digest. */
static int bytes_digest(struct verify *v, const struct frames_walk *f,
			const struct chain_frames *said, uint8_t out[CHAIN_HASH_BYTES])
{
	uint8_t block[65536];
	int64_t at = said->first;

	hash_begin(v->digest);
	while (at < said->last) {
		size_t n = (size_t)(said->last - at) < sizeof block ? (size_t)(said->last - at)
								    : sizeof block;
		ssize_t got = pread(f->fd, block, n, at);
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		hash_add(v->digest, block, (size_t)got);
		at += got;
	}
	return hash_end(v->digest, out);
}

static int bytes_check(struct verify *v, struct frames_walk *f, int64_t batch,
		       const struct chain_frames *said)
{
	uint8_t is[CHAIN_HASH_BYTES];

	if (f->fd < 0)
		return gone(v, f);
	int r = bytes_digest(v, f, said, is);
	if (r == 0 && memcmp(is, said->digest, sizeof is) != 0)
		r = verify_bad(v,
			       "daybook/%.*s.frames: bytes %lld to %lld, of batch %lld, are not "
			       "what the chain says",
			       stem_of(f), f->name, (long long)said->first, (long long)said->last,
			       (long long)batch);
	v->sum->frames += said->last - said->first;
	return r;
}

int frames_hash(struct verify *v, struct frames_walk *f, int64_t batch)
{
	uint8_t bytes[CHAIN_FRAMES_BYTES];
	int64_t of = f->row ? sqlite3_column_int64(f->rows, 0) : INT64_MAX;

	if (of > batch)
		return 0;
	struct chain_frames said = {.first = sqlite3_column_int64(f->rows, 1),
				    .last = sqlite3_column_int64(f->rows, 2)};
	if (!cells_are(f->rows, "iiib") || !sql_hash(f->rows, 3, said.digest) || of < batch ||
	    said.first != f->end || said.last <= said.first)
		return verify_bad(v,
				  "daybook/%s: what it says of the frames of batch %lld is wrong",
				  f->name, (long long)of);
	int r = bytes_check(v, f, batch, &said);
	hash_add(v->hash, bytes, (size_t)(chain_frames_bytes(bytes, &said) - bytes));
	f->end = said.last;
	return r == 0 ? sql_step(f->rows, &f->row) : r;
}

/* A daemon that runs, or was killed, may have written more than it has committed. */
static bool may_go_on(const struct verify *v, bool newest)
{
	return newest && (v->sum->last.reason != SEAL_STOP || v->sum->unsealed > 0);
}

int frames_end(struct verify *v, struct frames_walk *f, bool newest)
{
	struct stat about;

	if (f->row)
		return verify_bad(v, "daybook/%s: frames of batch %lld are in no batch", f->name,
				  (long long)sqlite3_column_int64(f->rows, 0));
	if (f->fd < 0)
		return 0;
	if (fstat(f->fd, &about) != 0)
		return -errno;
	if (about.st_size <= f->end || may_go_on(v, newest))
		return 0;
	return verify_bad(v, "daybook/%.*s.frames: bytes from %lld on are in no batch", stem_of(f),
			  f->name, (long long)f->end);
}
