/* SPDX-License-Identifier: Apache-2.0 */
#include "store/since.h"

#include "seal/hash.h"
#include "store/sql.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Head:    magic[16] number[8] head[8] hash[32] SHA-256 of these[32]
 * Record:  length[8] number[8] head[8] check[8] bytes[length] hash[32]
 */
enum { MAGIC_BYTES = 16, HEAD_BYTES = 96, RECORD_HEAD = 32, HASH_BYTES = 32, MOST_BYTES = 1 << 30 };
static const char magic[MAGIC_BYTES] = "ducha since 1\n\n";

/* --- bytes --- */

static void put64(unsigned char *out, int64_t value)
{
	uint64_t little = htole64((uint64_t)value);

	memcpy(out, &little, sizeof little);
}

static int64_t get64(const unsigned char *from)
{
	uint64_t little;

	memcpy(&little, from, sizeof little);
	return (int64_t)le64toh(little);
}

static bool bytes_read(int fd, void *out, size_t n, int64_t at)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(fd, (char *)out + done, n - done, at + (int64_t)done);
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

/* A length that changed on the disk is not followed. */
static int64_t head_check(const unsigned char *head)
{
	uint64_t sum = 5381;

	for (size_t i = 0; i < RECORD_HEAD - 8; i += 8)
		sum = sum * UINT64_C(6364136223846793005) + (uint64_t)get64(head + i) + 1;
	return (int64_t)sum;
}

static void record_head(unsigned char *out, size_t n, int64_t number, int64_t head)
{
	put64(out, (int64_t)n);
	put64(out + 8, number);
	put64(out + 16, head);
	put64(out + 24, head_check(out));
}

static int record_hash(struct since *since, const uint8_t *former, const unsigned char *head,
		       const void *bytes, size_t n, uint8_t *out)
{
	hash_begin(since->hash);
	hash_add(since->hash, "T", 1);
	hash_add(since->hash, former, HASH_BYTES);
	hash_add(since->hash, head, RECORD_HEAD);
	hash_add(since->hash, bytes, n);
	return hash_end(since->hash, out);
}

/* --- reading --- */

struct record {
	unsigned char *bytes; /* with the hash behind them */
	size_t n, room;
};

static int record_room(struct record *record, size_t n)
{
	if (n > record->room) {
		unsigned char *more = realloc(record->bytes, n);
		if (more == NULL)
			return -ENOMEM;
		record->bytes = more;
		record->room = n;
	}
	return 0;
}

/* The record at @place, which moves on behind it. Return: 0, -ENODATA: there is none, -ENOMEM. */
static int record_next(struct since *since, struct since_place *place, struct record *record)
{
	unsigned char head[RECORD_HEAD];
	uint8_t hash[HASH_BYTES];

	if (!bytes_read(since->fd, head, sizeof head, place->at) ||
	    get64(head + 24) != head_check(head) || get64(head) < 0 || get64(head) > MOST_BYTES ||
	    get64(head + 8) != place->number + 1)
		return -ENODATA;
	size_t n = (size_t)get64(head);
	int r = record_room(record, n + HASH_BYTES);
	if (r != 0)
		return r;
	if (!bytes_read(since->fd, record->bytes, n + HASH_BYTES, place->at + RECORD_HEAD))
		return -ENODATA;
	r = record_hash(since, place->hash, head, record->bytes, n, hash);
	if (r != 0 || memcmp(hash, record->bytes + n, sizeof hash) != 0)
		return r != 0 ? r : -ENODATA;
	record->n = n;
	*place = (struct since_place){.at = place->at + (int64_t)(RECORD_HEAD + n + HASH_BYTES),
				      .number = place->number + 1,
				      .head = get64(head + 16)};
	memcpy(place->hash, hash, sizeof hash);
	return 0;
}

/* What was being appended at a kill or power cut ends with the file, or is nothing but zeros. */
static bool is_torn(const struct since *since)
{
	unsigned char head[RECORD_HEAD];
	static const unsigned char zeros[RECORD_HEAD];
	struct stat status;

	if (fstat(since->fd, &status) != 0)
		return false;
	int64_t left = status.st_size - since->last.at;
	if (left < RECORD_HEAD)
		return true;
	if (!bytes_read(since->fd, head, sizeof head, since->last.at))
		return false;
	if (memcmp(head, zeros, sizeof head) == 0)
		return true;
	return get64(head + 24) == head_check(head) && get64(head) >= 0 &&
	       get64(head) <= MOST_BYTES && get64(head) + RECORD_HEAD + HASH_BYTES >= left;
}

static int since_scan(struct since *since)
{
	struct record record = {.bytes = NULL};
	struct since_place place = since->first;
	int r;

	since->before = since->last = since->first;
	since->records = 0;
	while ((r = record_next(since, &place, &record)) == 0) {
		since->before = since->last;
		since->last = place;
		since->records++;
	}
	free(record.bytes);
	since->whole = is_torn(since);
	return r == -ENODATA ? 0 : r;
}

static int head_read(struct since *since)
{
	unsigned char head[HEAD_BYTES];
	uint8_t hash[HASH_BYTES];

	if (!bytes_read(since->fd, head, sizeof head, 0) ||
	    memcmp(head, magic, sizeof magic) != 0 ||
	    hash_bytes(head, HEAD_BYTES - HASH_BYTES, hash) != 0 ||
	    memcmp(head + HEAD_BYTES - HASH_BYTES, hash, sizeof hash) != 0)
		return -EUCLEAN;
	since->first = (struct since_place){
		.at = HEAD_BYTES, .number = get64(head + 16), .head = get64(head + 24)};
	memcpy(since->first.hash, head + 32, HASH_BYTES);
	return 0;
}

void since_init(struct since *since)
{
	*since = (struct since){.fd = -1};
}

int since_open(struct since *since, const char *directory)
{
	since_close(since);
	snprintf(since->path, sizeof since->path, "%s/ledger.since", directory);
	int r = hash_new(&since->hash);
	since->fd = r == 0 ? open(since->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (r == 0 && since->fd < 0)
		r = -errno;
	if (r == 0)
		r = head_read(since);
	if (r == 0)
		r = since_scan(since);
	if (r != 0)
		since_close(since);
	return r;
}

void since_close(struct since *since)
{
	if (since->fd >= 0)
		close(since->fd);
	since->fd = -1;
	since->hash = hash_free(since->hash);
}

int since_each(struct since *since, int64_t number,
	       int (*fn)(void *context, const void *bytes, size_t n), void *context)
{
	struct record record = {.bytes = NULL};
	struct since_place place = since->first;
	int r = 0;

	while (r == 0 && place.number < since->last.number) {
		r = record_next(since, &place, &record);
		if (r == 0 && place.number > number)
			r = fn(context, record.bytes, record.n);
	}
	free(record.bytes);
	return r == -ENODATA ? -EUCLEAN : r;
}

/* --- writing --- */

void since_trim(struct since *since)
{
	(void)!ftruncate(since->fd, since->last.at);
	since->whole = true;
}

/* In one piece, so that a kill leaves a part of one record at most. */
static int record_write(struct since *since, struct since_place *place, const void *bytes, size_t n)
{
	size_t all = RECORD_HEAD + n + HASH_BYTES;
	unsigned char *record = malloc(all);

	if (record == NULL)
		return -ENOMEM;
	record_head(record, n, place->number, place->head);
	memcpy(record + RECORD_HEAD, bytes, n);
	int r = record_hash(since, since->last.hash, record, bytes, n, place->hash);
	memcpy(record + RECORD_HEAD + n, place->hash, HASH_BYTES);
	ssize_t written = r == 0 ? pwrite(since->fd, record, all, since->last.at) : 0;
	if (r == 0 && written != (ssize_t)all) {
		r = written < 0 ? -errno : -ENOSPC;
		(void)!ftruncate(since->fd, since->last.at);
	}
	free(record);
	return r;
}

int since_append(struct since *since, int64_t head, const void *bytes, size_t n, bool sync)
{
	struct since_place place = {.at = since->last.at + (int64_t)(RECORD_HEAD + n + HASH_BYTES),
				    .number = since->last.number + 1,
				    .head = head};

	if (since->fd < 0 || n > MOST_BYTES)
		return since->fd < 0 ? -EBADF : -EFBIG;
	int r = record_write(since, &place, bytes, n);
	if (r == 0 && sync && fdatasync(since->fd) != 0)
		r = SQL_FATAL;
	if (r != 0)
		return r;
	since->before = since->last;
	since->last = place;
	since->records++;
	return 0;
}

int since_undo(struct since *since)
{
	if (since->last.number == since->before.number)
		return 0;
	since->last = since->before;
	since->records--;
	return ftruncate(since->fd, since->last.at) == 0 ? 0 : -errno;
}

/* Bytes of the present file that go into the next one, from @from on. */
static int bytes_carry(const struct since *since, int to, int64_t from)
{
	char bytes[65536];
	int64_t at = HEAD_BYTES;

	while (from < since->last.at) {
		int64_t n = since->last.at - from;
		n = n < (int64_t)sizeof bytes ? n : (int64_t)sizeof bytes;
		if (!bytes_read(since->fd, bytes, (size_t)n, from))
			return -EIO;
		ssize_t written = pwrite(to, bytes, (size_t)n, at);
		if (written != n)
			return written < 0 ? -errno : -ENOSPC;
		from += n;
		at += n;
	}
	return 0;
}

static int head_write(int fd, const struct since_place *behind)
{
	unsigned char head[HEAD_BYTES];

	memcpy(head, magic, sizeof magic);
	put64(head + 16, behind->number);
	put64(head + 24, behind->head);
	memcpy(head + 32, behind->hash, HASH_BYTES);
	int r = hash_bytes(head, HEAD_BYTES - HASH_BYTES, head + HEAD_BYTES - HASH_BYTES);
	if (r != 0)
		return r;
	ssize_t n = pwrite(fd, head, sizeof head, 0);
	return n == HEAD_BYTES ? 0 : n < 0 ? -errno : -ENOSPC;
}

/* A new file behind @behind, with what the present one has after that, takes its place. */
static int since_renew(struct since *since, const char *directory, const struct since_place *behind,
		       bool carry)
{
	char path[4200], next[4210];

	snprintf(path, sizeof path, "%s/ledger.since", directory);
	snprintf(next, sizeof next, "%s.new", path);
	int fd = open(next, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	int r = fd < 0 ? -errno : head_write(fd, behind);
	if (r == 0 && carry)
		r = bytes_carry(since, fd, behind->at);
	if (r == 0 && fsync(fd) != 0)
		r = SQL_FATAL;
	if (r == 0 && rename(next, path) != 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	if (r == 0)
		r = sql_sync_directory(directory);
	return r == 0 ? since_open(since, directory) : r;
}

int since_begin(struct since *since, const char *directory, int64_t number, int64_t head)
{
	const struct since_place behind = {.number = number, .head = head};

	return since_renew(since, directory, &behind, false);
}

int since_drop(struct since *since, const char *directory, int64_t number)
{
	struct since_place place = since->first;
	struct record record = {.bytes = NULL};
	int r = since->fd < 0 ? -EBADF : 0;

	while (r == 0 && place.number < number)
		r = record_next(since, &place, &record);
	free(record.bytes);
	if (r == -ENODATA)
		return -EUCLEAN;
	return r == 0 ? since_renew(since, directory, &place, true) : r;
}
