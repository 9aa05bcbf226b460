/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/wording.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two texts, "a" and "b", the way msgfmt writes them. */
static const struct {
	uint32_t head[5], originals[4], translations[4];
	char texts[16];
} good = {{0x950412de, 0, 2, 20, 36}, {1, 52, 1, 54}, {3, 56, 0, 60}, "a\0b\0\xe5\x85\xab\0"};

static int parse(struct wording *words, const void *data, size_t size)
{
	char *copy = malloc(size == 0 ? 1 : size);
	memcpy(copy, data, size);
	return wording_parse(words, copy, size);
}

static void test_texts_are_found_and_others_stay_english(void **state)
{
	struct wording words;
	(void)state;
	assert_int_equal(parse(&words, &good, sizeof good), 0);
	assert_string_equal(wording_find(&words, "a"), "\xe5\x85\xab");
	assert_string_equal(wording_find(&words, "b"), "b"); /* not translated */
	assert_string_equal(wording_find(&words, "c"), "c");
	assert_string_equal(wording_find(NULL, "a"), "a");
	wording_deinit(&words);
	assert_string_equal(wording_find(&words, "a"), "a");
}

static void test_a_file_that_is_cut_or_changed_is_refused(void **state)
{
	struct wording words;
	char bytes[sizeof good];
	(void)state;
	for (size_t size = 0; size < 61; size++)
		assert_int_equal(parse(&words, &good, size), -EBADMSG);
	static const struct {
		size_t at;
		char byte;
	} faults[] = {{0, 0},  {6, 1},   {11, 1},   {15, 1},      {19, 1},  {20, 2},
		      {27, 1}, {40, 57}, {52, 'c'}, {56, '\xff'}, {59, 'x'}};
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		memcpy(bytes, &good, sizeof good);
		bytes[faults[i].at] = faults[i].byte;
		assert_int_equal(parse(&words, bytes, sizeof bytes), -EBADMSG);
		assert_string_equal(wording_find(&words, "a"), "a");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_are_found_and_others_stay_english),
		cmocka_unit_test(test_a_file_that_is_cut_or_changed_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
