/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/hj212/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* HJ 212-2017, annex A. Its text prints the check as 1C08, which no algorithm gives. */
#define OFFICIAL                                                                                   \
	"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"   \
	"CP=&&RtdInterval=30&&1C80\r\n"
#define ANSWER                                                                                     \
	"##0077QN=20210412154520280;ST=21;CN=9014;PW=123456;MN=DXCBZ000000005;Flag=5;CP=&&&&"      \
	"0140\r\n"
#define REALTIME                                                                                   \
	"##0161QN=20400103040506007;ST=32;CN=2011;PW=123456;MN=88888880000001;Flag=5;"             \
	"CP=&&DataTime=20400103040500;w01018-Rtd=61.3,w01018-Flag=N;"                              \
	"w00000-Rtd=36.91,w00000-Flag=M&&"

/* What came out of a stream: F a telegram, x anything bad before the next; blanks are not shown. */
struct taken {
	char letters[256];
	size_t n, bytes;
	char data[HJ212_DATA_MOST + 1]; /* of the newest telegram */
};

static void note(struct taken *taken, char letter)
{
	bool goes_on = letter == 'x' && taken->n > 0 && taken->letters[taken->n - 1] == 'x';
	if (!goes_on && taken->n + 1 < sizeof taken->letters)
		taken->letters[taken->n++] = letter;
}

/* As a driver takes it. */
static void take_all(struct taken *taken, char *buffer, size_t *fill)
{
	struct hj212_frame frame;
	enum hj212_found found;
	size_t done = 0;
	while (found = hj212_frame_next(buffer + done, *fill - done, &frame), found != HJ212_MORE) {
		assert_true(frame.used > 0 && frame.used <= *fill - done);
		if (found == HJ212_FRAME) {
			memcpy(taken->data, frame.data, frame.n);
			taken->data[frame.n] = '\0';
		}
		if (found != HJ212_BLANK)
			note(taken, found == HJ212_FRAME ? 'F' : 'x');
		taken->bytes += frame.used;
		done += frame.used;
	}
	*fill -= done;
	memmove(buffer, buffer + done, *fill);
}

static struct taken run(const char *stream, size_t n, size_t step)
{
	static char buffer[HJ212_FRAME_MOST];
	struct taken taken = {.n = 0};
	size_t fill = 0;
	for (size_t at = 0; at < n; at += step) {
		size_t part = n - at < step ? n - at : step;
		assert_true(fill + part <= sizeof buffer);
		memcpy(buffer + fill, stream + at, part);
		fill += part;
		take_all(&taken, buffer, &fill);
	}
	taken.letters[taken.n] = '\0';
	return taken;
}

/* Whole, and in pieces of every size. */
static void expect(const char *stream, size_t n, const char *letters)
{
	for (size_t step = 1; step <= n; step++) {
		struct taken taken = run(stream, n, step);
		assert_string_equal(taken.letters, letters);
	}
}

#define EXPECT(stream, letters) expect(stream, sizeof(stream) - 1, letters)

static void test_the_check_is_that_of_the_standard_and_not_of_modbus(void **state)
{
	(void)state;
	assert_int_equal(hj212_crc("123456789", 9), 0x2f80);
	assert_int_equal(hj212_crc("", 0), 0xffff);
	struct taken taken = run(OFFICIAL, sizeof OFFICIAL - 1, 1000);
	assert_string_equal(taken.letters, "F");
	assert_string_equal(taken.data, "QN=20160801085857223;ST=32;CN=1062;PW=100000;"
					"MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&");
}

static void test_telegrams_come_cut_and_glued(void **state)
{
	(void)state;
	EXPECT(OFFICIAL, "F");
	EXPECT(OFFICIAL ANSWER OFFICIAL, "FFF");
	EXPECT(REALTIME "EA41\r\n", "F");
}

static void test_the_check_may_be_in_small_letters(void **state)
{
	(void)state;
	char small[] = OFFICIAL;
	small[sizeof small - 6] = 'c'; /* 1C80 */
	expect(small, sizeof small - 1, "F");
}

static void test_what_stands_between_telegrams_is_skipped(void **state)
{
	(void)state;
	EXPECT("hello\r\n" OFFICIAL, "xF");
	EXPECT("\r\n\r\n" OFFICIAL "\r\n" OFFICIAL, "FF");
	EXPECT("#" OFFICIAL, "xF");
	EXPECT("####" OFFICIAL, "xF");
	EXPECT("# 12 # #" OFFICIAL, "xF");
}

static void test_a_damaged_telegram_costs_no_other(void **state)
{
	(void)state;
	char damaged[] = OFFICIAL OFFICIAL;
	damaged[60] ^= 1;
	struct taken taken = run(damaged, sizeof damaged - 1, 1000);
	assert_string_equal(taken.letters, "xF");
	assert_int_equal(taken.bytes, sizeof damaged - 1);
}

static void test_a_telegram_that_was_cut_costs_no_other(void **state)
{
	(void)state;
	EXPECT("##0101QN=2016080108" OFFICIAL, "xF");
	EXPECT("##9999QN=2016080108" OFFICIAL OFFICIAL, "xFF");
	EXPECT("##01" OFFICIAL, "xF");
}

static void test_a_length_that_does_not_lead_to_the_end_is_refused(void **state)
{
	(void)state;
	EXPECT("##0003CP=&&&&0140\r\n" OFFICIAL, "xF");
	EXPECT("##0100CP=&&&&0140\r\n" OFFICIAL, "xF");
	EXPECT("##-001CP=&&&&0140\r\n" OFFICIAL, "xF");
	EXPECT("##1e02CP=&&&&0140\r\n" OFFICIAL, "xF");
}

static enum hj212_found kind(const char *stream)
{
	struct hj212_frame frame;
	return hj212_frame_next(stream, strlen(stream), &frame);
}

static void test_each_fault_has_its_name(void **state)
{
	(void)state;
	assert_int_equal(kind("##0006CP=&&&&"), HJ212_MORE);
	assert_int_equal(kind("##00"), HJ212_MORE);
	assert_int_equal(kind("#"), HJ212_MORE);
	assert_int_equal(kind(" \r\n\t"), HJ212_BLANK);
	assert_int_equal(kind(" x\r\n"), HJ212_GARBAGE);
	assert_int_equal(kind("#1"), HJ212_GARBAGE);
	assert_int_equal(kind("##x"), HJ212_LENGTH);
	assert_int_equal(kind("##0009CP=\r\n"), HJ212_LENGTH);
	assert_int_equal(kind("##0007CP=&&&&FFFFx\n"), HJ212_LENGTH);
	assert_int_equal(kind("##0007CP=&&&&00G0\r\n"), HJ212_LENGTH);
	assert_int_equal(kind("##0007CP=&&&&0000\r\n"), HJ212_CRC);
}

static void test_text_of_people_is_utf_8(void **state)
{
	(void)state;
	char out[256];
	const char *data = "ST=32;CN=3020;MN=A;CP=&&i11001-Info=//停电,检修;//&&";
	size_t n = hj212_frame_write(out, data, strlen(data));
	expect(out, n, "F");
}

static void test_the_longest_telegram_fits_and_a_full_buffer_is_never_stuck(void **state)
{
	(void)state;
	char *data = malloc(HJ212_DATA_MOST), *out = malloc(HJ212_FRAME_MOST + 1);
	assert_true(data != NULL && out != NULL);
	memset(data, 'x', HJ212_DATA_MOST);
	size_t n = hj212_frame_write(out, data, HJ212_DATA_MOST);
	assert_int_equal(n, HJ212_FRAME_MOST);
	struct hj212_frame frame;
	assert_int_equal(hj212_frame_next(out, n - 1, &frame), HJ212_MORE);
	assert_int_equal(frame.used, 0);
	assert_int_equal(hj212_frame_next(out, n, &frame), HJ212_FRAME);
	out[n - 1] = 'x';
	assert_int_equal(hj212_frame_next(out, n, &frame), HJ212_LENGTH);
	memset(out, '#', n);
	assert_int_not_equal(hj212_frame_next(out, n, &frame), HJ212_MORE);
	free(data);
	free(out);
}

/* Whatever is damaged: no telegram comes out that did not go in, and all bytes are used up. */
static void test_one_wrong_byte_anywhere_never_makes_another_telegram(void **state)
{
	(void)state;
	static const char whole[] = REALTIME "EA41\r\n" OFFICIAL;
	for (size_t i = 0; i < sizeof REALTIME + 5; i++) {
		char bytes[sizeof whole];
		memcpy(bytes, whole, sizeof bytes);
		bytes[i] = (char)(bytes[i] ^ 0x11);
		struct taken taken = run(bytes, sizeof bytes - 1, 64);
		assert_int_equal(taken.bytes, sizeof bytes - 1);
		assert_int_equal(taken.letters[taken.n - 1], 'F');
		assert_non_null(strstr(taken.data, "CN=1062"));
		size_t frames = 0;
		for (size_t j = 0; j < taken.n; j++)
			frames += taken.letters[j] == 'F';
		assert_int_equal(frames, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_check_is_that_of_the_standard_and_not_of_modbus),
		cmocka_unit_test(test_telegrams_come_cut_and_glued),
		cmocka_unit_test(test_the_check_may_be_in_small_letters),
		cmocka_unit_test(test_what_stands_between_telegrams_is_skipped),
		cmocka_unit_test(test_a_damaged_telegram_costs_no_other),
		cmocka_unit_test(test_a_telegram_that_was_cut_costs_no_other),
		cmocka_unit_test(test_a_length_that_does_not_lead_to_the_end_is_refused),
		cmocka_unit_test(test_each_fault_has_its_name),
		cmocka_unit_test(test_text_of_people_is_utf_8),
		cmocka_unit_test(test_the_longest_telegram_fits_and_a_full_buffer_is_never_stuck),
		cmocka_unit_test(test_one_wrong_byte_anywhere_never_makes_another_telegram),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
