/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "seal/hash.h"
#include "seal/keys.h"
#include "seal/sealer.h"

#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int set_up(void **state)
{
	char *name = strdup("/tmp/ducha-seal-XXXXXX");
	*state = name;
	return name != NULL && mkdtemp(name) != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static int tear_down(void **state)
{
	nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

static char *path_of(void **state, const char *name)
{
	static char path[256];
	snprintf(path, sizeof path, "%s/%s", (const char *)*state, name);
	return path;
}

static void read_whole(const char *path, struct text *out)
{
	char block[4096];
	size_t n;
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while ((n = fread(block, 1, sizeof block, file)) > 0)
		text_add_n(out, block, n);
	fclose(file);
}

/* --- keys --- */

static struct keys keys_of(void **state, int64_t seal)
{
	struct keys keys;
	assert_int_equal(keys_open(&keys, *state, "edge-01", seal, 1000 * seal), 0);
	return keys;
}

/* The lines of the key file: each is signed by the one before it. Return: how many. */
static int check_key_lines(void **state)
{
	struct text all = {0};
	struct key_line line, former = {0};
	size_t length;
	int n = 0;
	read_whole(path_of(state, "seals/keys"), &all);
	for (char *at = all.at, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		assert_null(key_line_parse(at, (size_t)(end - at), &line, &length));
		assert_int_equal(line.number, ++n);
		assert_true(sign_verify(n == 1 ? line.public : former.public, at, length,
					line.signature));
		former = line;
	}
	text_deinit(&all);
	return n;
}

static void test_each_key_is_signed_by_the_one_before_it(void **state)
{
	struct keys keys = keys_of(state, 1);
	struct stat status;
	for (int64_t seal = 2; seal < 6; seal++)
		assert_int_equal(keys_roll(&keys, seal, 1000 * seal), 0);
	keys_close(&keys);
	assert_int_equal(check_key_lines(state), 5);
	assert_int_equal(stat(path_of(state, "secret/seal.key"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(stat(path_of(state, "secret"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	assert_int_not_equal(access(path_of(state, "secret/seal.key.next"), F_OK), 0);
}

static void test_a_key_goes_on_after_a_restart(void **state)
{
	struct keys keys = keys_of(state, 1), again;
	keys_close(&keys);
	again = keys_of(state, 9);
	assert_int_equal(again.number, 1);
	assert_int_equal(again.born_ms, 1000);
	assert_int_equal(keys_roll(&again, 9, 9000), 0);
	keys_close(&again);
	assert_int_equal(check_key_lines(state), 2);
}

/* The secret that is in use is nowhere on disk in its old place after a roll. */
static void test_a_roll_leaves_no_old_secret(void **state)
{
	struct keys keys = keys_of(state, 1);
	struct text before = {0}, after = {0};
	read_whole(path_of(state, "secret/seal.key"), &before);
	assert_int_equal(keys_roll(&keys, 2, 2000), 0);
	keys_close(&keys);
	read_whole(path_of(state, "secret/seal.key"), &after);
	assert_int_equal(before.length, SIGN_SECRET_BYTES);
	assert_int_equal(after.length, SIGN_SECRET_BYTES);
	assert_memory_not_equal(before.at, after.at, SIGN_SECRET_BYTES);
	text_deinit(&before);
	text_deinit(&after);
}

static void copy(void **state, const char *from, const char *to)
{
	struct text bytes = {0};
	char path[256];
	read_whole(path_of(state, from), &bytes);
	snprintf(path, sizeof path, "%s/%s", (const char *)*state, to);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes.at, 1, bytes.length, file), bytes.length);
	fclose(file);
	text_deinit(&bytes);
}

/* What a kill within a roll leaves: the new secret beside the old one, its public key said or not.
 */
static void test_a_kill_within_a_roll_leaves_a_secret_that_fits(void **state)
{
	for (int said = 0; said < 2; said++) {
		struct keys keys = keys_of(state, 1);
		int64_t number = keys.number;
		copy(state, "secret/seal.key", "old");
		copy(state, "seals/keys", "lines");
		assert_int_equal(keys_roll(&keys, 2, 2000), 0);
		keys_close(&keys);
		copy(state, "secret/seal.key", "secret/seal.key.next");
		copy(state, "old", "secret/seal.key");
		if (!said)
			copy(state, "lines", "seals/keys");
		keys = keys_of(state, 3);
		assert_int_equal(keys.number, number + said);
		assert_int_equal(keys_roll(&keys, 4, 4000), 0);
		keys_close(&keys);
		check_key_lines(state);
		assert_int_not_equal(access(path_of(state, "secret/seal.key.next"), F_OK), 0);
	}
}

/* A backup holds no secret: the key begins anew, signed by itself, for all to see. */
static void test_without_a_secret_a_key_begins_anew(void **state)
{
	struct keys keys = keys_of(state, 1);
	struct text all = {0};
	struct key_line line;
	size_t length;
	keys_close(&keys);
	assert_int_equal(remove(path_of(state, "secret/seal.key")), 0);
	keys = keys_of(state, 2);
	keys_close(&keys);
	read_whole(path_of(state, "seals/keys"), &all);
	const char *second = strchr(all.at, '\n') + 1;
	assert_null(key_line_parse(second, strlen(second) - 1, &line, &length));
	assert_int_equal(line.number, 2);
	assert_true(sign_verify(line.public, second, length, line.signature));
	text_deinit(&all);
}

static void test_a_torn_line_is_cut_off(void **state)
{
	struct text line = {0}, last = {0};
	text_add(&line, "first");
	assert_int_equal(line_file_add(*state, "lines", &line), 0);
	FILE *file = fopen(path_of(state, "lines"), "ae");
	assert_non_null(file);
	fputs("seco", file);
	fclose(file);
	assert_int_equal(line_file_last(*state, "lines", &last), 0);
	assert_string_equal(last.at, "first");
	text_clear(&line);
	text_add(&line, "third");
	assert_int_equal(line_file_add(*state, "lines", &line), 0);
	text_clear(&last);
	read_whole(path_of(state, "lines"), &last);
	assert_string_equal(last.at, "first\nthird\n");
	assert_int_equal(line_file_last(*state, "none", &last), 0);
	assert_int_equal(last.length, 0);
	text_deinit(&line);
	text_deinit(&last);
}

/* --- the sealer --- */

struct world {
	int64_t batch;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int sealed;
	enum seal_reason reason;
};

static void heads(void *context, struct chain_head *daybook, struct chain_head *ledger)
{
	struct world *w = context;
	*daybook = (struct chain_head){.number = ++w->batch, .hash = {1, 2, 3}};
	*ledger = (struct chain_head){.number = 7, .hash = {4}};
}

static void sealed(void *context, const struct sealed *last)
{
	struct world *w = context;
	pthread_mutex_lock(&w->lock);
	w->sealed++;
	w->reason = last->line.reason;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void fatal(void *context)
{
	(void)context;
	fail();
}

static void await_seals(struct world *w, int n)
{
	pthread_mutex_lock(&w->lock);
	while (w->sealed < n)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

static const struct zone_change changes[] = {{0, 8 * 3600}};
static const struct zone zone = {changes, 1};

static struct sealer *sealer_of(void **state, struct world *w, int64_t every_ms, int64_t roll_ms)
{
	struct sealer *sealer;
	struct sealer_setup setup = {.directory = *state,
				     .node = "edge-01",
				     .zone = &zone,
				     .every_ms = every_ms,
				     .roll_ms = roll_ms,
				     .heads = heads,
				     .sealed = sealed,
				     .fatal = fatal,
				     .context = w};
	assert_int_equal(sealer_new(&sealer, &setup), 0);
	return sealer;
}

#define WORLD                                                                                      \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER             \
	}

/* All seal lines in order: numbers without a gap, each naming the hash of the one before it. */
static int check_seals(void **state, enum seal_reason *reasons, int most)
{
	struct text all = {0};
	struct seal_line line;
	uint8_t former[CHAIN_HASH_BYTES] = {0};
	glob_t found;
	size_t length;
	int n = 0;
	assert_int_equal(glob(path_of(state, "seals/*.seals"), 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		read_whole(found.gl_pathv[i], &all);
	globfree(&found);
	for (char *at = all.at, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		assert_null(seal_line_parse(at, (size_t)(end - at), &line, &length));
		assert_true(n < most);
		reasons[n] = line.reason;
		assert_int_equal(line.number, ++n);
		assert_memory_equal(line.previous, former, sizeof former);
		assert_int_equal(hash_bytes(at, (size_t)(end - at), former), 0);
	}
	text_deinit(&all);
	return n;
}

static void test_it_seals_at_the_start_in_time_on_events_and_at_the_stop(void **state)
{
	struct world w = WORLD;
	enum seal_reason reasons[16];
	struct sealed last;
	struct sealer *sealer = sealer_of(state, &w, 3600000, 3600000);
	assert_int_equal(sealer_start(sealer), 0);
	sealer_wake(sealer);
	await_seals(&w, 2);
	sealer_stop(sealer, true);
	sealer_last(sealer, &last);
	assert_int_equal(last.line.number, 3);
	assert_int_equal(last.line.daybook.number, w.batch);
	sealer_free(sealer);
	assert_int_equal(check_seals(state, reasons, 16), 3);
	assert_int_equal(reasons[0], SEAL_START);
	assert_int_equal(reasons[1], SEAL_EVENT);
	assert_int_equal(reasons[2], SEAL_STOP);
}

static void test_who_waits_has_sealed_what_he_names(void **state)
{
	struct world w = WORLD;
	struct sealed last;
	struct sealer *sealer = sealer_of(state, &w, 3600000, 3600000);
	assert_true(sealer_await(sealer, 1, 7, 0));
	assert_false(sealer_await(sealer, 2, 7, 0));
	assert_int_equal(sealer_start(sealer), 0);
	assert_true(sealer_await(sealer, 2, 7, 600000));
	assert_false(sealer_await(sealer, 1, 8, 0));
	sealer_last(sealer, &last);
	assert_true(last.line.daybook.number >= 2);
	sealer_stop(sealer, true);
	sealer_free(sealer);
}

static void test_time_alone_seals_and_rolls_the_key(void **state)
{
	struct world w = WORLD;
	enum seal_reason reasons[16];
	struct sealer *sealer = sealer_of(state, &w, 1, 1);
	assert_int_equal(sealer_start(sealer), 0);
	await_seals(&w, 3);
	sealer_stop(sealer, false);
	sealer_free(sealer);
	int n = check_seals(state, reasons, 16);
	assert_true(n >= 3);
	assert_int_equal(reasons[1], SEAL_TIME);
	assert_true(check_key_lines(state) >= 3);
	sealer = sealer_of(state, &w, 1000, 3600000); /* goes on behind what is there */
	sealer_stop(sealer, true);
	sealer_free(sealer);
	assert_int_equal(check_seals(state, reasons, 16), n + 2);
}

/* Signing by another thread while the key rolls with each seal: each signature is one of a key that
 * was published. */
static void test_what_leaves_the_node_is_signed_by_a_published_key(void **state)
{
	struct world w = WORLD;
	uint8_t signature[SEAL_SIGNATURE_BYTES], public[SEAL_PUBLIC_BYTES];
	char hex[2 * SEAL_PUBLIC_BYTES + 1];
	struct text keys = {0};
	struct sealer *sealer = sealer_of(state, &w, 1, 1);
	assert_int_equal(sealer_start(sealer), 0);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(sealer_sign(sealer, &i, sizeof i, signature, public), 0);
		assert_true(sign_verify(public, &i, sizeof i, signature));
		text_clear(&keys);
		read_whole(path_of(state, "seals/keys"), &keys);
		chain_hex(hex, public, sizeof public);
		assert_non_null(strstr(keys.at, hex));
	}
	text_deinit(&keys);
	sealer_stop(sealer, true);
	sealer_free(sealer);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_key_is_signed_by_the_one_before_it),
		TEST(test_a_key_goes_on_after_a_restart),
		TEST(test_a_roll_leaves_no_old_secret),
		TEST(test_a_kill_within_a_roll_leaves_a_secret_that_fits),
		TEST(test_without_a_secret_a_key_begins_anew),
		TEST(test_a_torn_line_is_cut_off),
		TEST(test_it_seals_at_the_start_in_time_on_events_and_at_the_stop),
		TEST(test_who_waits_has_sealed_what_he_names),
		TEST(test_time_alone_seals_and_rolls_the_key),
		TEST(test_what_leaves_the_node_is_signed_by_a_published_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
