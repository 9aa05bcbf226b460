/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and seals: the signatures, and that none is missing. */
#include "verify/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4400 };

/* --- lines --- */

/* One whole line. Return: 0, VERIFY_BAD, negative errno. */
typedef int (*line_fn)(struct verify *v, const char *file, int64_t n, const char *line,
		       size_t length);

/* What stands behind the last line end may be the begin of the next line, as a crash leaves it, or
 * nothing but zeros, as a power cut does. */
static int torn(struct verify *v, const char *file, const char *kind, const char *line,
		size_t length)
{
	char begin[256];
	bool zeros = true;

	snprintf(begin, sizeof begin, "%s 1 %s %s %lld ", kind, SEAL_ALGORITHMS, v->node,
		 (long long)(kind[0] == 'k' ? v->sum->keys : v->sum->last.number) + 1);
	for (size_t i = 0; i < length; i++)
		zeros &= line[i] == '\0';
	size_t n = length < strlen(begin) ? length : strlen(begin);
	if (!zeros && memcmp(line, begin, n) != 0)
		return verify_bad(v, "%s: the last line is no line, and no begin of the next one",
				  file);
	verify_note(v, "%s: the last line is torn, as a crash leaves it", file);
	if (kind[0] == 's')
		v->torn_file = file;
	return 0;
}

/* @kind: NULL: what is torn was said */
static int lines_walk(struct verify *v, const char *file, const char *kind, line_fn fn)
{
	char path[PATH_BYTES], *line = NULL;
	size_t capacity = 0;
	int64_t n = 0;
	ssize_t length;
	int r = 0;

	snprintf(path, sizeof path, "%s/%s", v->setup->directory, file);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return -errno;
	while (r == 0 && (length = getline(&line, &capacity, f)) > 0) {
		if (line[length - 1] == '\n')
			r = fn(v, file, ++n, line, (size_t)length - 1);
		else if (kind != NULL)
			r = torn(v, file, kind, line, (size_t)length);
	}
	if (ferror(f))
		r = -EIO;
	free(line);
	fclose(f);
	return r;
}

/* --- keys --- */

static bool trusted(const struct verify *v, const uint8_t public[SEAL_PUBLIC_BYTES])
{
	uint8_t bytes[SEAL_PUBLIC_BYTES];

	return v->setup->trusted != NULL && strlen(v->setup->trusted) == 2 * sizeof bytes &&
	       chain_unhex(bytes, sizeof bytes, v->setup->trusted) &&
	       memcmp(bytes, public, sizeof bytes) == 0;
}

/* The key that must have signed: the one before it, the first itself. */
static int key_signed(struct verify *v, const char *file, const char *line, size_t length,
		      const struct key_line *key)
{
	const struct key_known *former = v->n_keys > 0 ? &v->keys[v->n_keys - 1] : NULL;

	if (sign_verify(former != NULL ? former->public : key->public, line, length,
			key->signature))
		return 0;
	if (!sign_verify(key->public, line, length, key->signature))
		return verify_bad(v, "%s: key %lld: the signature is not right", file,
				  (long long)key->number);
	if (!trusted(v, key->public))
		return verify_bad(v,
				  "%s: key %lld signs itself: the store came back without its "
				  "secret, or somebody forged what follows; if the office knows "
				  "this key, verify with --trust",
				  file, (long long)key->number);
	verify_note(v, "%s: key %lld begins anew and is trusted", file, (long long)key->number);
	return 0;
}

static int key_add(struct verify *v, const struct key_line *key)
{
	void *grown = reallocarray(v->keys, v->n_keys + 1, sizeof *v->keys);

	if (grown == NULL)
		return -ENOMEM;
	v->keys = grown;
	struct key_known *known = &v->keys[v->n_keys++];
	*known = (struct key_known){
		.number = key->number, .seal = key->seal, .time_ms = key->time_ms};
	memcpy(known->public, key->public, sizeof known->public);
	if (v->n_keys == 1)
		memcpy(v->sum->first_key, key->public, sizeof v->sum->first_key);
	v->sum->keys = (int64_t)v->n_keys;
	return 0;
}

static int key_line(struct verify *v, const char *file, int64_t n, const char *line, size_t length)
{
	struct key_line key;
	size_t signed_length;

	const char *why = key_line_parse(line, length, &key, &signed_length);
	if (why != NULL)
		return verify_bad(v, "%s: line %lld: %s", file, (long long)n, why);
	if (n == 1)
		memcpy(v->node, key.node, sizeof v->node);
	if (key.number != n)
		return verify_bad(v, "%s: line %lld: key %lld stands here", file, (long long)n,
				  (long long)key.number);
	if (memcmp(key.previous, v->key_hash, CHAIN_HASH_BYTES) != 0)
		return verify_bad(v, "%s: key %lld: the key line before it is another", file,
				  (long long)n);
	if (v->n_keys > 0 && key.seal < v->keys[v->n_keys - 1].seal)
		return verify_bad(v, "%s: key %lld: it begins before the one before it", file,
				  (long long)n);
	int r = key_signed(v, file, line, signed_length, &key);
	if (r == 0)
		r = hash_bytes(line, length, v->key_hash);
	return r == 0 ? key_add(v, &key) : r;
}

static int keys_read(struct verify *v)
{
	v->n_keys = 0;
	memset(v->key_hash, 0, sizeof v->key_hash);
	int r = lines_walk(v, "seals/keys", "key", key_line);
	return r == -ENOENT ? verify_bad(v, "seals/keys: there is no such file") : r;
}

/* --- seals --- */

/* The key with which a seal of this number must be signed. */
static const struct key_known *key_of(const struct verify *v, int64_t seal)
{
	size_t low = 0, high = v->n_keys;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (v->keys[middle].seal <= seal)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &v->keys[low - 1] : NULL;
}

static bool seal_signed(const struct verify *v, const struct seal_line *seal, const char *line,
			size_t length)
{
	const struct key_known *key = key_of(v, seal->number);

	return key != NULL && key->number == seal->key &&
	       sign_verify(key->public, line, length, seal->signature);
}

static int seal_add(struct verify *v, const struct seal_line *line, const char *text, size_t length)
{
	if (v->n_seals == v->seals_capacity) {
		size_t more = v->seals_capacity * 2 + 64;
		void *grown = reallocarray(v->seals, more, sizeof *v->seals);
		if (grown == NULL)
			return -ENOMEM;
		v->seals = grown;
		v->seals_capacity = more;
	}
	struct seal_known *seal = &v->seals[v->n_seals++];
	*seal = (struct seal_known){.number = line->number,
				    .key = line->key,
				    .time_ms = line->time_ms,
				    .reason = line->reason,
				    .daybook = line->daybook,
				    .ledger = line->ledger,
				    .file = v->files[v->n_files - 1]};
	memcpy(seal->previous, line->previous, sizeof seal->previous);
	int r = hash_bytes(text, length, seal->hash);
	verify_anchor(v, seal->hash);
	if (line->number > v->sum->last.number) {
		v->sum->last = *line;
		memcpy(v->sum->last_hash, seal->hash, sizeof seal->hash);
	}
	return r;
}

/* A live daemon may have rolled its key since the keys were read. */
static int seal_line(struct verify *v, const char *file, int64_t n, const char *line, size_t length)
{
	struct seal_line seal;
	size_t signed_length;

	const char *why = seal_line_parse(line, length, &seal, &signed_length);
	if (why != NULL)
		return verify_bad(v, "%s: line %lld: %s", file, (long long)n, why);
	if (!seal_signed(v, &seal, line, signed_length)) {
		int r = keys_read(v);
		if (r != 0)
			return r;
		if (!seal_signed(v, &seal, line, signed_length) && seal.key > v->sum->keys)
			return verify_bad(v,
					  "%s: line %lld: seal %lld is by key %lld, of which "
					  "seals/keys knows nothing" COPY_HINT,
					  file, (long long)n, (long long)seal.number,
					  (long long)seal.key);
		if (!seal_signed(v, &seal, line, signed_length))
			return verify_bad(v, "%s: line %lld: seal %lld: the signature is not right",
					  file, (long long)n, (long long)seal.number);
	}
	if (n > 1 && v->n_seals > 0 && seal.number < v->seals[v->n_seals - 1].number)
		return verify_bad(v, "%s: line %lld: seal %lld stands behind seal %lld", file,
				  (long long)n, (long long)seal.number,
				  (long long)v->seals[v->n_seals - 1].number);
	return seal_add(v, &seal, line, length);
}

static int seal_compare(const void *a, const void *b)
{
	const struct seal_known *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static bool grows(const struct chain_head *former, const struct chain_head *next)
{
	return next->number > former->number ||
	       (next->number == former->number &&
		memcmp(next->hash, former->hash, sizeof next->hash) == 0);
}

/* Its file may be gone as a whole: those before and behind it are named. */
static int seal_missing(struct verify *v, const struct seal_known *former,
			const struct seal_known *seal)
{
	if (former->file == NULL)
		return verify_bad(v, "%s: seal 1 is missing before seal %lld", seal->file,
				  (long long)seal->number);
	if (former->file == v->torn_file)
		return verify_bad(v, "%s: its last line is none, and seal %lld is missing",
				  former->file, (long long)former->number + 1);
	return verify_bad(v, "%s: seal %lld is missing before seal %lld, behind seal %lld of %s",
			  seal->file, (long long)former->number + 1, (long long)seal->number,
			  (long long)former->number, former->file);
}

static int seal_follows(struct verify *v, const struct seal_known *former,
			const struct seal_known *seal)
{
	static const struct seal_known none;

	if (former == NULL)
		former = &none;
	if (seal->number == former->number)
		return verify_bad(v, "%s: seal %lld stands in %s, too", seal->file,
				  (long long)seal->number,
				  former->file == seal->file ? "another line of it" : former->file);
	if (seal->number != former->number + 1)
		return seal_missing(v, former, seal);
	if (memcmp(seal->previous, former->hash, sizeof seal->previous) != 0)
		return verify_bad(v, "%s: seal %lld: the seal before it is another", seal->file,
				  (long long)seal->number);
	if (!grows(&former->daybook, &seal->daybook) || !grows(&former->ledger, &seal->ledger))
		return verify_bad(v, "%s: seal %lld: it seals less than the one before it",
				  seal->file, (long long)seal->number);
	if (seal->reason == SEAL_START && former->number != 0 && former->reason != SEAL_STOP)
		verify_note(v, "the daemon did not end cleanly before %s (seal %lld)",
			    time_of(seal->time_ms), (long long)seal->number);
	return 0;
}

static int seal_marks(struct verify *v, const struct seal_known *seal)
{
	int r = 0;

	if (seal->daybook.number != 0)
		r = marks_add(&v->daybook, seal->daybook.number, seal->daybook.hash, seal->number);
	if (r == 0 && seal->ledger.number != 0)
		r = marks_add(&v->ledger, seal->ledger.number, seal->ledger.hash, seal->number);
	return r;
}

/* A key is rolled for the seal that comes next, so all before that were made. */
static int keys_used(struct verify *v)
{
	const struct key_known *last = v->n_keys > 0 ? &v->keys[v->n_keys - 1] : NULL;
	char gone[GONE_BYTES];

	if (last == NULL || last->seal <= v->sum->last.number + 1)
		return 0;
	gone_seals(v, last->time_ms, gone);
	return verify_bad(
		v, "%sseal %lld is missing, since key %lld signs from seal %lld on" COPY_HINT,
		gone[0] != '\0' ? gone : "seals: ", (long long)v->sum->last.number + 1,
		(long long)last->number, (long long)last->seal);
}

static int seals_check(struct verify *v)
{
	int r = 0;

	if (v->n_seals > 1)
		qsort(v->seals, v->n_seals, sizeof *v->seals, seal_compare);
	for (size_t i = 0; r == 0 && i < v->n_seals; i++) {
		r = seal_follows(v, i > 0 ? &v->seals[i - 1] : NULL, &v->seals[i]);
		if (r == 0)
			r = seal_marks(v, &v->seals[i]);
		if (v->seals[i].reason == SEAL_START)
			v->began_batch = v->seals[i].daybook.number;
	}
	v->sum->seals = (int64_t)v->n_seals;
	return r == 0 ? keys_used(v) : r;
}

/* A file is called by the day of its seals, in a zone that nobody has to know. */
static int file_named(struct verify *v, const char *name, size_t first)
{
	int64_t from_ms, to_ms;

	if (!day_of_name(name, ".seals", &from_ms, &to_ms) ||
	    strlen(name) != strlen("YYYY-MM-DD.seals"))
		return verify_bad(v, "seals/%s: no daemon calls a file of seals so", name);
	for (size_t i = first; i < v->n_seals; i++)
		if (v->seals[i].time_ms < from_ms || v->seals[i].time_ms >= to_ms)
			return verify_bad(v, "seals/%s: seal %lld, of %s, is of another day", name,
					  (long long)v->seals[i].number,
					  time_of(v->seals[i].time_ms));
	return 0;
}

static bool is_seals(const char *name)
{
	size_t length = strlen(name);

	return length > 6 && strcmp(name + length - 6, ".seals") == 0;
}

static int file_read(struct verify *v, const char *name)
{
	void *grown = reallocarray(v->files, v->n_files + 1, sizeof *v->files);
	char *path = NULL;

	if (grown == NULL)
		return -ENOMEM;
	v->files = grown;
	if (asprintf(&path, "seals/%s", name) < 0)
		return -ENOMEM;
	v->files[v->n_files++] = path;
	size_t first = v->n_seals;
	int r = lines_walk(v, path, "seal", seal_line);
	if (r == 0 && v->n_seals == first)
		verify_note(v, "%s: it holds no seal, as a kill may leave it", path);
	return r == 0 ? file_named(v, name, first) : r;
}

static int files_each(struct verify *v, int (*fn)(struct verify *v, const char *name))
{
	char path[PATH_BYTES];
	struct dirent **names;
	int r = 0;

	snprintf(path, sizeof path, "%s/seals", v->setup->directory);
	int n = scandir(path, &names, NULL, alphasort);
	if (n < 0)
		return errno == ENOENT ? verify_bad(v, "seals: there is no such folder") : -errno;
	for (int i = 0; i < n; i++) {
		if (r == 0 && is_seals(names[i]->d_name))
			r = fn(v, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return r;
}

/* --- a daemon that began meanwhile --- */

/* The seal behind the last that was read: looked for among all, since it may be in any file. */
static int next_line(struct verify *v, const char *file, int64_t n, const char *line, size_t length)
{
	struct seal_line seal;
	size_t signed_length;

	(void)file, (void)n;
	if (seal_line_parse(line, length, &seal, &signed_length) != NULL ||
	    seal.number != v->sum->last.number + 1 ||
	    memcmp(seal.previous, v->sum->last_hash, sizeof seal.previous) != 0)
		return 0;
	int r = keys_read(v);
	v->resumed |= r == 0 && seal_signed(v, &seal, line, signed_length);
	return r;
}

static int next_in(struct verify *v, const char *name)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "seals/%.255s", name);
	return lines_walk(v, path, NULL, next_line);
}

int seals_resumed(struct verify *v, bool *resumed)
{
	int r = files_each(v, next_in);

	*resumed = v->resumed;
	return r;
}

int verify_seals(struct verify *v)
{
	v->began_mono_ms = verify_mono_ms();
	int r = keys_read(v);
	if (r == 0)
		r = files_each(v, file_read);
	if (r == 0)
		r = seals_check(v);
	return r;
}
