/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical bytes are for ever: each is compared with what is written down here by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/chain.h"
#include "core/reading.h"
#include "core/sealline.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void check_bytes(const uint8_t *from, const uint8_t *end, const char *expected)
{
	char hex[1200];

	chain_hex(hex, from, (size_t)(end - from));
	assert_string_equal(hex, expected);
}

static const struct chain_reading one = {.sequence = 258,
					 .boot = 3,
					 .ring = 4,
					 .ring_seq = 5,
					 .monitor = 6,
					 .measured_ms = 7,
					 .received_ms = -1,
					 .has_value = true,
					 .value = 1,
					 .flag = 'N',
					 .raw = 0xfedcba9876543210u};

static void test_a_reading_has_fixed_bytes(void **state)
{
	uint8_t bytes[CHAIN_READING_BYTES];
	(void)state;
	assert_ptr_equal(chain_reading_bytes(bytes, &one), bytes + sizeof bytes);
	check_bytes(bytes, bytes + sizeof bytes,
		    "72"
		    "0201000000000000"
		    "0300000000000000"
		    "04"
		    "0500000000000000"
		    "0600000000000000"
		    "0700000000000000"
		    "ffffffffffffffff"
		    "000000000000f03f"
		    "4e"
		    "1032547698badcfe");
}

/* SQLite keeps no sign of a zero and no NaN: a reading must hash alike before and after. */
static void test_values_are_those_that_the_table_gives_back(void **state)
{
	uint8_t a[CHAIN_READING_BYTES], b[CHAIN_READING_BYTES];
	struct chain_reading zero = one, minus = one, nan_value = one, none = one;
	(void)state;
	zero.value = 0;
	minus.value = -0.0;
	chain_reading_bytes(a, &zero);
	chain_reading_bytes(b, &minus);
	assert_memory_equal(a, b, sizeof a);
	nan_value.value = NAN;
	none.has_value = false;
	chain_reading_bytes(a, &nan_value);
	chain_reading_bytes(b, &none);
	assert_memory_equal(a, b, sizeof a);
	chain_reading_bytes(b, &zero);
	assert_memory_not_equal(a, b, sizeof a); /* no value is not 0 */
}

static void test_names_gaps_trailers_and_entries_have_fixed_bytes(void **state)
{
	uint8_t bytes[CHAIN_NAME_MOST];
	char name[400];
	struct gap gap = {.from_ms = 1, .to_ms = 2, .count = 3};
	struct chain_trailer trailer = {1, 2, 3, 4, 5, 6, 7, CHAIN_CLOCK_UNKNOWN};
	struct chain_begin begin = {1, 2, 3, "x.db"};
	struct chain_entry entry = {.number = 1, .kind = CHAIN_HISTORY, .ref = 2};
	(void)state;
	check_bytes(bytes, chain_name_bytes(bytes, 9, "ab", "c"),
		    "6d"
		    "0900000000000000"
		    "0200"
		    "6162"
		    "0100"
		    "63");
	memset(name, 'x', sizeof name);
	name[sizeof name - 1] = '\0';
	assert_ptr_equal(chain_name_bytes(bytes, 9, name, name), bytes + CHAIN_NAME_MOST - 0);
	check_bytes(bytes, chain_gap_bytes(bytes, &gap, 8),
		    "67"
		    "0800000000000000"
		    "0100000000000000"
		    "0200000000000000"
		    "0300000000000000");
	check_bytes(bytes, chain_trailer_bytes(bytes, &trailer),
		    "62"
		    "0100000000000000"
		    "0200000000000000"
		    "0300000000000000"
		    "0400000000000000"
		    "0500000000000000"
		    "0600000000000000"
		    "0700000000000000"
		    "feffffffffffffff");
	memset(entry.digest, 0xaa, sizeof entry.digest);
	check_bytes(bytes, chain_entry_bytes(bytes, &entry),
		    "65"
		    "0100000000000000"
		    "03"
		    "0200000000000000"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	check_bytes(bytes, chain_begin_bytes(bytes, &begin),
		    "61"
		    "0100000000000000"
		    "0200000000000000"
		    "0300000000000000"
		    "0400782e6462");
}

static void test_cells_of_different_kinds_never_look_alike(void **state)
{
	uint8_t bytes[CHAIN_CELL_HEAD_BYTES];
	(void)state;
	check_bytes(bytes, chain_null_bytes(bytes), "6e");
	check_bytes(bytes, chain_int_bytes(bytes, 1),
		    "69"
		    "0100000000000000");
	check_bytes(bytes, chain_double_bytes(bytes, 1),
		    "64"
		    "000000000000f03f");
	check_bytes(bytes, chain_text_bytes(bytes, 1),
		    "74"
		    "0100000000000000");
}

/* --- seal lines --- */

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define SEAL_TEXT "seal 1 ed25519-sha256 edge-01 17 1767294245000 2 event 5 " A64 " 6 " B64 " " C64
#define KEY_TEXT "key 1 ed25519-sha256 edge-01 2 1767294245000 17 " A64 " " B64
#define SIGNATURE C64 B64

static void test_a_seal_reads_back_as_it_was_written(void **state)
{
	struct seal_line seal;
	struct text text = {0};
	size_t length;
	(void)state;
	assert_null(seal_line_parse(SEAL_TEXT " " SIGNATURE, strlen(SEAL_TEXT " " SIGNATURE), &seal,
				    &length));
	assert_int_equal(length, strlen(SEAL_TEXT));
	assert_string_equal(seal.node, "edge-01");
	assert_int_equal(seal.number, 17);
	assert_int_equal(seal.reason, SEAL_EVENT);
	assert_int_equal(seal.daybook.number, 5);
	assert_int_equal(seal.ledger.hash[31], 0xbb);
	seal_line_text(&text, &seal);
	assert_string_equal(text.at, SEAL_TEXT);
	line_signature(&text, seal.signature);
	assert_string_equal(text.at, SEAL_TEXT " " SIGNATURE);
	text_deinit(&text);
}

static void test_a_key_reads_back_as_it_was_written(void **state)
{
	struct key_line key;
	struct text text = {0};
	size_t length;
	(void)state;
	assert_null(key_line_parse(KEY_TEXT " " SIGNATURE, strlen(KEY_TEXT " " SIGNATURE), &key,
				   &length));
	assert_int_equal(length, strlen(KEY_TEXT));
	assert_int_equal(key.seal, 17);
	key_line_text(&text, &key);
	assert_string_equal(text.at, KEY_TEXT);
	text_deinit(&text);
}

/* A line has one form only: whatever byte is changed, it is refused or reads as another line. */
static void test_every_other_line_is_refused_or_another(void **state)
{
	static const char good[] = SEAL_TEXT " " SIGNATURE;
	char line[sizeof good + 1];
	struct seal_line seal;
	size_t length, n = strlen(good);
	(void)state;
	for (size_t at = 0; at < n; at++)
		for (int byte = 0; byte < 256; byte++) {
			struct text text = {0};
			memcpy(line, good, sizeof good);
			line[at] = (char)byte;
			if (seal_line_parse(line, n, &seal, &length) != NULL)
				continue;
			seal_line_text(&text, &seal);
			line_signature(&text, seal.signature);
			assert_int_equal(text.length, n);
			assert_memory_equal(text.at, line, n);
			text_deinit(&text);
		}
	for (size_t cut = 0; cut < n; cut++)
		assert_non_null(seal_line_parse(good, cut, &seal, &length));
	snprintf(line, sizeof line, "%s ", good);
	assert_non_null(seal_line_parse(line, n + 1, &seal, &length));
}

static void test_unknown_algorithms_and_versions_are_named(void **state)
{
	static const char sm[] = "seal 1 sm2-sm3 edge-01 1", second[] = "seal 2 ed25519-sha256 x";
	struct seal_line seal;
	size_t length;
	(void)state;
	assert_non_null(strstr(seal_line_parse(sm, strlen(sm), &seal, &length), "algorithms"));
	assert_non_null(strstr(seal_line_parse(second, strlen(second), &seal, &length), "version"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_reading_has_fixed_bytes),
		cmocka_unit_test(test_values_are_those_that_the_table_gives_back),
		cmocka_unit_test(test_names_gaps_trailers_and_entries_have_fixed_bytes),
		cmocka_unit_test(test_cells_of_different_kinds_never_look_alike),
		cmocka_unit_test(test_a_seal_reads_back_as_it_was_written),
		cmocka_unit_test(test_a_key_reads_back_as_it_was_written),
		cmocka_unit_test(test_every_other_line_is_refused_or_another),
		cmocka_unit_test(test_unknown_algorithms_and_versions_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
