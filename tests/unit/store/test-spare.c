/* SPDX-License-Identifier: Apache-2.0 */
#include "store/spare.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static const struct site sites[] = {{.id = "bend-3", .n_monitors = 2}};
static const struct monitor monitors[] = {{.factor = "w01018"}, {.factor = "w01001"}};
static const struct plan plan = {.sites = (struct site *)(uintptr_t)sites,
				 .n_sites = 1,
				 .monitors = (struct monitor *)(uintptr_t)monitors,
				 .n_monitors = 2};
static char directory[64], path[80];

static int make_directory(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "/tmp/ducha-spare-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/spare", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	rmdir(directory);
	return 0;
}

static struct reading reading_of(uint32_t monitor, int64_t ms, double value)
{
	return (struct reading){.monitor = monitor,
				.measured_ms = ms,
				.received_ms = ms + 5,
				.has_value = true,
				.value = value,
				.raw = 77,
				.flag = 'N'};
}

static struct spare *open_spare(void)
{
	struct spare *spare;
	assert_int_equal(spare_open(&spare, directory), 0);
	return spare;
}

static bool yes(void *context)
{
	(void)context;
	return true;
}

static bool no(void *context)
{
	(void)context;
	return false;
}

/* As after a kill: nothing is closed in order before the next life looks. */
static void test_what_was_kept_is_there_in_the_next_life(void **state)
{
	(void)state;
	struct reading kept[2] = {reading_of(0, 1000, 0.1), reading_of(1, 2000, -3e300)}, *left;
	struct spare *spare = open_spare(), *next;
	kept[1].has_value = false;
	kept[1].value = 0;
	kept[1].flag = 'D';
	assert_true(spare_keep(spare, &plan, kept, 1, 10000));
	assert_true(spare_keep(spare, &plan, kept + 1, 1, 10000));
	next = open_spare();
	assert_int_equal(spare_left(next, &plan, &left), 2);
	assert_memory_equal(left, kept, sizeof kept);
	free(left);
	spare_close(next);
	spare_close(spare);
}

static void test_what_is_needed_no_more_is_forgotten(void **state)
{
	(void)state;
	struct reading one = reading_of(0, 1000, 1), *left;
	struct spare *spare = open_spare();
	assert_true(spare_keep(spare, &plan, &one, 1, 10000));
	spare_empty(spare, yes, NULL);
	struct spare *next = open_spare();
	assert_int_equal(spare_left(next, &plan, &left), 1);
	free(left);
	spare_close(next);
	spare_empty(spare, no, NULL);
	spare_close(spare);
	spare = open_spare();
	assert_int_equal(spare_left(spare, &plan, &left), 0);
	free(left);
	spare_close(spare);
}

static void test_its_room_is_taken_beforehand_and_ends(void **state)
{
	(void)state;
	struct stat file;
	struct reading many[200];
	struct spare *spare = open_spare();
	size_t n = 0;
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_size, 256 * 1024);
	assert_true(file.st_blocks * 512 >= file.st_size);
	for (size_t i = 0; i < 200; i++)
		many[i] = reading_of(0, 1000 + (int64_t)i, 1);
	while (spare_keep(spare, &plan, many, 60, 10000))
		assert_true(++n < 1000);
	assert_true(n > 50);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_size, 256 * 1024);
	spare_empty(spare, no, NULL);
	assert_true(spare_keep(spare, &plan, many, 60, 10000));
	spare_close(spare);
}

/* A line that a power cut tore was never acknowledged. */
static void test_half_a_line_is_none(void **state)
{
	(void)state;
	struct reading one = reading_of(0, 1000, 1), *left;
	struct spare *spare = open_spare();
	assert_true(spare_keep(spare, &plan, &one, 1, 10000));
	assert_true(spare_keep(spare, &plan, &one, 1, 10000));
	spare_close(spare);
	char line[512];
	size_t length = spare_line(line, sizeof line, &plan, &one) + 1;
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "\0\0\0", 3, (off_t)(2 * length - 3)), 3);
	close(fd);
	spare = open_spare();
	assert_int_equal(spare_left(spare, &plan, &left), 1);
	free(left);
	spare_close(spare);
}

static void test_lines_that_are_none(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"bend-3",
		"bend-3\tw01018\t1\t2\t0x1p+0\tN",
		"bend-3\tw01018\t1\t2\t0x1p+0\tX\t7",
		"bend-3\tw01018\t1\t2\tnan\tN\t7",
		"bend-3\tw01018\t1\t2\tinf\tN\t7",
		"bend-3\tw01018\t1\t2\t1x\tN\t7",
		"bend-3\tw01018\t1\t2\t0x1p+0\tN\t7 ",
		"gone\tw01018\t1\t2\t0x1p+0\tN\t7",
	};
	struct reading r;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(spare_parse(bad[i], &plan, &r));
	assert_true(spare_parse("bend-3\tw01018\t1\t2\t0x1p+0\tN\t7", &plan, &r));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_kept_is_there_in_the_next_life),
		TEST(test_what_is_needed_no_more_is_forgotten),
		TEST(test_its_room_is_taken_beforehand_and_ends),
		TEST(test_half_a_line_is_none),
		TEST(test_lines_that_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
