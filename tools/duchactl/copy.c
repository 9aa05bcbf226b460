/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of a store, as of one moment. The files are read here; a daemon is asked only where they
 * lie. */
#include "show.h"

#include "copy/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void say_failed(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "duchactl copy: %s\n", sentence);
}

/* Once a second at most; *context: when it was said last. */
static void say_went(void *context, int64_t bytes, int64_t of)
{
	time_t *said = context, now = time(NULL);
	if (now == *said)
		return;
	*said = now;
	fprintf(stderr, "\r%lld of %lld MiB", (long long)bytes >> 20,
		(long long)(of > bytes ? of : bytes) >> 20);
}

static int copy_all(const struct ctl_options *options, const char *directory, struct copy_sum *sum)
{
	time_t said = time(NULL), began = said;
	bool seen = isatty(STDERR_FILENO) != 0;
	struct copy_setup setup = {.from = directory,
				   .to = options->target,
				   .failed = say_failed,
				   .went = seen ? say_went : NULL,
				   .context = &said};
	int r = copy_store(&setup, sum);
	if (said != began)
		fputs("\r\033[K", stderr);
	return r == 0 ? CTL_OK : CTL_FAILED;
}

static int print_sum(const struct ctl_options *options, const struct copy_sum *sum)
{
	if (options->json)
		printf("{\"files\":%lld,\"bytes\":%lld,\"held_ms\":%lld}\n", (long long)sum->files,
		       (long long)sum->bytes, (long long)sum->held_ms);
	else
		printf("%lld files, %lld bytes; check them with: duchactl verify %s\n",
		       (long long)sum->files, (long long)sum->bytes, options->target);
	return fflush(stdout) == 0 ? CTL_OK : CTL_FAILED;
}

int copy_directory(const struct ctl_options *options, const char *directory)
{
	struct copy_sum sum;
	int result = copy_all(options, directory, &sum);
	return result == CTL_OK ? print_sum(options, &sum) : result;
}

/* --- the configuration in force, which a running daemon knows --- */

static bool file_write(const char *path, const char *text)
{
	size_t n = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool good = fd >= 0 && write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

/* config/00-NAME is the file itself, then what it includes in order. */
static bool files_write(const char *target, const json_t *files)
{
	char path[4400];
	json_t *file;
	size_t i;
	snprintf(path, sizeof path, "%s/config", target);
	bool good = mkdir(path, 0700) == 0;
	json_array_foreach(files, i, file)
	{
		const char *name = show_string(file, "name"), *slash = strrchr(name, '/');
		snprintf(path, sizeof path, "%s/config/%02zu-%.80s", target, i,
			 slash != NULL ? slash + 1 : name);
		good = good && file_write(path, show_string(file, "text"));
	}
	return good;
}

static int configuration_copy(struct client *client, const struct ctl_options *options)
{
	struct client_answer answer = {0};
	client_path(client, "/api/v1/configuration");
	int result = show_fetch(client, &answer);
	json_t *json = result == CTL_OK ? show_parse(&answer) : NULL;
	if (json != NULL && !files_write(options->target, json_object_get(json, "files"))) {
		fprintf(stderr, "duchactl copy: %s/config: %s\n", options->target, strerror(errno));
		result = CTL_FAILED;
	}
	json_decref(json);
	client_answer_deinit(&answer);
	return json == NULL ? CTL_FAILED : result;
}

static int copy_of_daemon(const struct ctl_options *options, const char *directory)
{
	struct client client;
	struct copy_sum sum;
	int result = copy_all(options, directory, &sum);
	if (result != CTL_OK || !client_open(&client, options->socket))
		return CTL_FAILED;
	result = configuration_copy(&client, options);
	client_close(&client);
	return result == CTL_OK ? print_sum(options, &sum) : result;
}

int show_copy(struct client *client, const struct ctl_options *options)
{
	return show_of_store(client, options, copy_of_daemon);
}
