/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/rejects.h"
#include "servers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char directory[128];
static int failing_sync; /* the Nth from now on; 0: none */

/* Before that of the C library. */
int fsync(int fd)
{
	(void)fd;
	if (failing_sync == 0 || --failing_sync > 0)
		return 0;
	errno = EIO;
	return -1;
}

static int make_directory(void **state)
{
	(void)state;
	servers_temporary(directory, sizeof directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	servers_remove(directory);
	return 0;
}

static size_t removed; /* by the last keep() */

static int keep(const char *name, const char *why, const char *text)
{
	return rejects_keep(directory, name, why, text, strlen(text), &removed);
}

static size_t count_files(void)
{
	char path[160];
	size_t n = 0;
	snprintf(path, sizeof path, "%s/rejected", directory);
	DIR *stream = opendir(path);
	assert_non_null(stream);
	for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
		n += entry->d_name[0] != '.';
	closedir(stream);
	return n;
}

static void test_refused_text_is_kept_with_its_reason(void **state)
{
	(void)state;
	char path[160], text[64] = "";
	assert_int_equal(keep("a.lp", "dropped=1", "x y=1 1\n"), 0);
	assert_int_equal(keep("a.lp", "dropped=1", "x y=1 1\n"), 0);
	snprintf(path, sizeof path, "%s/rejected/a.lp", directory);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	size_t n = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[n] = '\0';
	assert_string_equal(text, "# dropped=1\nx y=1 1\n");
	assert_int_equal(count_files(), 1);
}

static void test_the_oldest_refused_text_goes_first(void **state)
{
	(void)state;
	char name[32], path[192];
	for (int i = 0; i < 105; i++) {
		snprintf(name, sizeof name, "%03d.lp", 999 - i);
		assert_int_equal(keep(name, "why", "x\n"), 0);
		assert_int_equal(removed, i >= 100);
		snprintf(path, sizeof path, "%s/rejected/%s", directory, name);
		const struct timespec times[2] = {{.tv_sec = 1000 + i}, {.tv_sec = 1000 + i}};
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	}
	assert_int_equal(count_files(), 100);
	snprintf(path, sizeof path, "%s/rejected/%03d.lp", directory, 999 - 104);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof path, "%s/rejected/%03d.lp", directory, 999 - 4);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void test_a_place_that_cannot_be_written_is_said(void **state)
{
	(void)state;
	char path[160];
	snprintf(path, sizeof path, "%s/rejected", directory);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_true(keep("a.lp", "why", "x\n") < 0);
}

/* Its text, and then its name in the directory. */
static void test_what_is_not_synced_is_not_kept(void **state)
{
	(void)state;
	for (int nth = 1; nth <= 2; nth++) {
		failing_sync = nth;
		assert_int_equal(keep("a.lp", "why", "x\n"), REJECTS_FATAL);
	}
	assert_int_equal(keep("a.lp", "why", "x\n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused_text_is_kept_with_its_reason,
						make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_the_oldest_refused_text_goes_first,
						make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_a_place_that_cannot_be_written_is_said,
						make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_what_is_not_synced_is_not_kept, make_directory,
						remove_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
