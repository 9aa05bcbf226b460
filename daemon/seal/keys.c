/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/keys.h"

#include "base/log.h"
#include "seal/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET "seal.key"
#define SECRET_NEXT "seal.key.next"
enum { PATH_BYTES = 4400 };

/* --- the secret's file --- */

static int secret_write(const struct keys *keys, const char *name, const void *bytes, int flags)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/%s", keys->secret, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);
	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, bytes, SIGN_SECRET_BYTES);
	int r = n == SIGN_SECRET_BYTES ? 0 : n < 0 ? -errno : -ENOSPC;
	if (r == 0 && fsync(fd) != 0)
		r = LINE_FILE_FATAL;
	close(fd);
	return r;
}

/* Overwritten before its name goes; the disk's own copies are out of reach (ducha-evidence(7)). */
static int secret_wipe(const struct keys *keys, const char *name)
{
	static const uint8_t nothing[SIGN_SECRET_BYTES];

	int r = secret_write(keys, name, nothing, 0);
	return r == -ENOENT ? 0 : r;
}

/* Is it there, and does it fit @public? *out is its key then, else NULL. */
static int secret_read(const struct keys *keys, const char *name,
		       const uint8_t public[SEAL_PUBLIC_BYTES], struct sign_key **out)
{
	uint8_t secret[SIGN_SECRET_BYTES], its[SEAL_PUBLIC_BYTES];
	char path[PATH_BYTES];

	*out = NULL;
	snprintf(path, sizeof path, "%s/%s", keys->secret, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	ssize_t n = read(fd, secret, sizeof secret);
	int r = n < 0 ? -errno : 0;
	close(fd);
	if (n == SIGN_SECRET_BYTES && sign_take(out, secret) == 0 &&
	    (sign_public(*out, its) != 0 || memcmp(its, public, sizeof its) != 0))
		*out = sign_free(*out);
	sign_wipe(secret, sizeof secret);
	return r;
}

/* The next secret becomes the one in use. */
static int secret_take_over(const struct keys *keys)
{
	char from[PATH_BYTES], to[PATH_BYTES];

	int r = secret_wipe(keys, SECRET);
	if (r != 0)
		return r;
	snprintf(from, sizeof from, "%s/%s", keys->secret, SECRET_NEXT);
	snprintf(to, sizeof to, "%s/%s", keys->secret, SECRET);
	if (rename(from, to) != 0)
		return -errno;
	return sync_folder(keys->secret);
}

/* --- a new key --- */

static int secret_keep(const struct keys *keys, const struct sign_key *key)
{
	uint8_t secret[SIGN_SECRET_BYTES];

	int r = sign_secret(key, secret);
	if (r == 0)
		r = secret_write(keys, SECRET_NEXT, secret, O_CREAT | O_TRUNC);
	sign_wipe(secret, sizeof secret);
	return r == 0 ? sync_folder(keys->secret) : r;
}

static int sign_line(const struct sign_key *key, struct text *line)
{
	uint8_t signature[SEAL_SIGNATURE_BYTES];

	if (line->failed)
		return -ENOMEM;
	int r = sign_bytes(key, line->at, line->length, signature);
	if (r == 0)
		line_signature(line, signature);
	return r == 0 && line->failed ? -ENOMEM : r;
}

int keys_sign(const struct keys *keys, struct text *line)
{
	return sign_line(keys->key, line);
}

/* Say the new public key, signed by @by. */
static int key_publish(struct keys *keys, const struct sign_key *key, const struct sign_key *by,
		       struct key_line *line)
{
	struct text text = {0};

	snprintf(line->node, sizeof line->node, "%s", keys->node);
	memcpy(line->previous, keys->last, sizeof keys->last);
	int r = sign_public(key, line->public);
	key_line_text(&text, line);
	if (r == 0)
		r = sign_line(by, &text);
	if (r == 0)
		r = line_file_add(keys->folder, KEYS_FILE, &text);
	if (r == 0)
		r = hash_bytes(text.at, text.length, keys->last);
	text_deinit(&text);
	return r;
}

static int key_tidy(struct keys *keys)
{
	keys->untidy = true;
	int r = secret_take_over(keys);
	keys->untidy = r != 0;
	return r;
}

/* @by NULL: signed by itself. */
static int key_begin(struct keys *keys, const struct sign_key *by, int64_t seal, int64_t now_ms)
{
	struct key_line line = {.number = keys->number + 1, .time_ms = now_ms, .seal = seal};
	struct sign_key *next;

	int r = sign_make(&next);
	if (r == 0)
		r = secret_keep(keys, next);
	if (r == 0)
		r = key_publish(keys, next, by != NULL ? by : next, &line);
	if (r != 0) {
		sign_free(next);
		return r;
	}
	sign_free(keys->key);
	keys->key = next;
	keys->number = line.number;
	keys->born_ms = now_ms;
	return key_tidy(keys);
}

int keys_roll(struct keys *keys, int64_t seal, int64_t now_ms)
{
	int r = keys->untidy ? key_tidy(keys) : 0;

	return r == 0 ? key_begin(keys, keys->key, seal, now_ms) : r;
}

/* --- opening --- */

static int folders_make(struct keys *keys, const char *directory)
{
	snprintf(keys->folder, sizeof keys->folder, "%.4096s/%s", directory, KEYS_FOLDER);
	snprintf(keys->secret, sizeof keys->secret, "%.4096s/secret", directory);
	if (mkdir(keys->folder, 0750) != 0 && errno != EEXIST)
		return -errno;
	if (mkdir(keys->secret, 0700) != 0 && errno != EEXIST)
		return -errno;
	return sync_folder(directory);
}

/* The secret of the last public key, wherever a kill left it. */
static int key_find(struct keys *keys, const struct key_line *last)
{
	int r = secret_read(keys, SECRET, last->public, &keys->key);

	if (r == 0 && keys->key != NULL)
		return secret_wipe(keys, SECRET_NEXT);
	if (r == 0)
		r = secret_read(keys, SECRET_NEXT, last->public, &keys->key);
	return r == 0 && keys->key != NULL ? secret_take_over(keys) : r;
}

static int key_last(struct keys *keys, struct key_line *last, bool *any)
{
	struct text line = {0};
	size_t length;

	int r = line_file_last(keys->folder, KEYS_FILE, &line);
	*any = r == 0 && line.length > 0;
	if (*any && key_line_parse(line.at, line.length, last, &length) != NULL)
		r = -EBADMSG;
	if (*any && r == 0)
		r = hash_bytes(line.at, line.length, keys->last);
	text_deinit(&line);
	return r;
}

int keys_open(struct keys *keys, const char *directory, const char *node, int64_t seal,
	      int64_t now_ms)
{
	struct key_line last = {0};
	bool any = false;

	*keys = (struct keys){0};
	snprintf(keys->node, sizeof keys->node, "%.71s", node);
	int r = folders_make(keys, directory);
	if (r == 0)
		r = key_last(keys, &last, &any);
	if (r == 0 && any) {
		keys->number = last.number;
		keys->born_ms = last.time_ms;
		keys->found_seal = last.seal;
		r = key_find(keys, &last);
	}
	if (r != 0 || keys->key != NULL)
		return r;
	if (any)
		log_event(LOGGED_KEY_ANEW, ABOUT_NOTHING,
			  "%s/%s does not fit the last public key in %s/%s: a key begins anew, "
			  "which only the office can tell from a forged one",
			  keys->secret, SECRET, keys->folder, KEYS_FILE);
	return key_begin(keys, NULL, seal, now_ms);
}

void keys_close(struct keys *keys)
{
	keys->key = sign_free(keys->key);
}
