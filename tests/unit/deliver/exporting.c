/* SPDX-License-Identifier: Apache-2.0 */
#include "exporting.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct house house;
struct responder responder;

_Atomic bool failing_sync, ended;

/* Before that of the C library: of refused text it fails on request. */
int fsync(int fd)
{
	char link[32], path[512] = "";
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	if (n > 0 && atomic_load(&failing_sync) && strstr(path, "/rejected/") != NULL) {
		errno = EIO;
		return -1;
	}
	return fdatasync(fd);
}

static void end(void *context)
{
	(void)context;
	atomic_store(&ended, true);
}

struct script script;

size_t count_lines(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static const char *play(void *context, const char *body, size_t n)
{
	(void)context;
	if (n < atomic_load(&script.times) ||
	    (script.poison != NULL && strstr(body, script.poison) != NULL))
		return script.trouble;
	if (script.most_lines > 0 && count_lines(body) > script.most_lines)
		return REPLY("413 Large", "{\"error\":\"Request Entity Too Large\"}");
	return RESPONDER_204;
}

int build(void **state)
{
	(void)state;
	memset(&script, 0, sizeof script);
	atomic_store(&ended, false);
	house_build(&house);
	responder_start(&responder, play, NULL);
	return 0;
}

int tear_down(void **state)
{
	(void)state;
	responder_stop(&responder);
	house_tear_down(&house);
	return 0;
}

struct exporter *start_with(size_t batch_lines)
{
	struct exporter *exporter;
	const struct exporter_setup setup = {.influx = {.url = responder.url, .database = "ducha"},
					     .batch_lines = batch_lines,
					     .flush_ms = 10,
					     .pause_ms = PAUSE_MS,
					     .directory = house.directory,
					     .plan = &house.plan,
					     .daybook = house.daybook,
					     .ledger = house.ledger,
					     .metrics = house.metrics,
					     .fatal = end,
					     .heartbeat = &house.heartbeat};
	assert_int_equal(exporter_new(&exporter, &setup), 0);
	assert_int_equal(exporter_start(exporter), 0);
	return exporter;
}

struct exporter *start(void)
{
	return start_with(8);
}

int64_t readings_cursor(void)
{
	return ledger_cursor(house.ledger, "influx/readings", -1);
}

/* The last of them goes to @last with its comment line, at least 1024 bytes; may be NULL. */
size_t read_rejected(char *last)
{
	char path[192], file[512], line[1024];
	size_t n = 0;
	snprintf(path, sizeof path, "%s/rejected", house.directory);
	DIR *stream = opendir(path);
	for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
		snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
		FILE *text = entry->d_name[0] == '.' ? NULL : fopen(file, "r");
		for (size_t at = 0; text != NULL && fgets(line, sizeof line, text) != NULL;) {
			n += line[0] != '#';
			if (last != NULL && at < 512)
				at += (size_t)snprintf(last + at, 512, "%s", line);
		}
		if (text != NULL)
			fclose(text);
	}
	if (stream != NULL)
		closedir(stream);
	return n;
}

size_t count_rejected_lines(void)
{
	return read_rejected(NULL);
}

void wait_for_failed_lines(double least)
{
	int64_t until = servers_now_ms() + 30000;
	while (house_metric(&house, ERRORS) < least) {
		assert_true(servers_now_ms() < until);
		poll(NULL, 0, 1);
	}
}

void keeps_everything(const char *trouble)
{
	script.times = 1;
	script.trouble = trouble;
	house_record(&house, HOUSE_PLAIN, 20, 100);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_int_equal(house_metric(&house, OK_LINES), 20);
	exporter_free(exporter);
	assert_int_equal(count_rejected_lines(), 0);
}
