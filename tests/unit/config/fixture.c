/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The data lie beside the configuration, where a build that is not installed looks for them. */
static int link_data(const struct fixture *fixture, const char *name)
{
	char from[512], to[128];
	snprintf(from, sizeof(from), TEST_DATA "/%s", name);
	snprintf(to, sizeof(to), "%s/%s", fixture->folder, name);
	return symlink(from, to);
}

int fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	strcpy(fixture->folder, "/tmp/ducha-config-XXXXXX");
	fixture->today = FIXTURE_TODAY;
	*state = fixture;
	unsetenv("CREDENTIALS_DIRECTORY");
	if (!mkdtemp(fixture->folder))
		return -1;
	return link_data(fixture, "catalogue") || link_data(fixture, "standards");
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
	(void)about;
	(void)kind;
	(void)place;
	return remove(path);
}

static void forget(struct fixture *fixture)
{
	fixture->config = config_free(fixture->config);
	config_faults_deinit(&fixture->faults);
}

int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;
	forget(fixture);
	nftw(fixture->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(fixture);
	return 0;
}

void fixture_write(struct fixture *fixture, const char *name, const char *text)
{
	snprintf(fixture->path, sizeof(fixture->path), "%s/%s", fixture->folder, name);
	FILE *file = fopen(fixture->path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

void fixture_load(struct fixture *fixture, const char *text)
{
	fixture_write(fixture, "main.cfg", text);
	fixture_load_file(fixture, fixture->path);
}

void fixture_load_file(struct fixture *fixture, const char *path)
{
	forget(fixture);
	const struct config_dates dates = {fixture->today, !fixture->lenient};
	fixture->result = config_load(path, fixture->today ? &dates : NULL, &fixture->config,
				      &fixture->faults);
}

static void show(const struct fixture *fixture)
{
	config_faults_print(&fixture->faults, stderr);
}

static void expect_one(struct fixture *fixture, size_t i, const char *wanted, size_t length)
{
	char text[512];
	snprintf(text, sizeof(text), "%.*s", (int)length, wanted);
	const struct config_fault *fault = &fixture->faults.at[i];
	char *message;
	int line = (int)strtol(text, &message, 10);
	message += strspn(message, ": ");
	if (i >= fixture->faults.n || fault->line != line || !strstr(fault->message, message)) {
		show(fixture);
		fail_msg("fault %zu is not \"%s\"", i, text);
	}
}

void expect(struct fixture *fixture, const char *wanted)
{
	size_t n = 0;
	assert_int_equal(fixture->result, -22);
	assert_null(fixture->config);
	for (; *wanted; n++) {
		size_t length = strcspn(wanted, "\n");
		expect_one(fixture, n, wanted, length);
		wanted += length + (wanted[length] == '\n');
	}
	if (n != fixture->faults.n) {
		show(fixture);
		fail_msg("%zu faults and not %zu", fixture->faults.n, n);
	}
}

void expect_ok(struct fixture *fixture)
{
	show(fixture);
	assert_int_equal(fixture->result, 0);
	assert_non_null(fixture->config);
	assert_int_equal(fixture->faults.n, 0);
}

void check_examples(struct fixture *fixture, const struct example *examples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		print_message("example %zu\n", i);
		fixture_load(fixture, examples[i].text);
		expect(fixture, examples[i].faults);
	}
}
