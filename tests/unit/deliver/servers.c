/* SPDX-License-Identifier: Apache-2.0 */
#include "servers.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define INFLUXD "/usr/bin/influxd"
#define VICTORIA "/usr/bin/victoria-metrics"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition,        \
				strerror(errno));                                                  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int64_t servers_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int listen_somewhere(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0);
	CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
	CHECK(listen(fd, 16) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
	*port = ntohs(address.sin_port);
	return fd;
}

int servers_port(void)
{
	int port;
	close(listen_somewhere(&port));
	return port;
}

void servers_temporary(char *out, size_t size)
{
	const char *base = getenv("TMPDIR");
	snprintf(out, size, "%s/ducha-deliver-XXXXXX", base != NULL ? base : "/tmp");
	CHECK(mkdtemp(out) != NULL);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(path);
}

void servers_remove(const char *directory)
{
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- influxd --- */

bool influxd_here(void)
{
	return access(INFLUXD, X_OK) == 0;
}

void influxd_init(struct influxd *influxd)
{
	*influxd = (struct influxd){.port = servers_port(), .rpc_port = servers_port()};
	servers_temporary(influxd->directory, sizeof influxd->directory);
	snprintf(influxd->url, sizeof influxd->url, "http://127.0.0.1:%d", influxd->port);
	char path[160];
	snprintf(path, sizeof path, "%s/influxdb.conf", influxd->directory);
	FILE *file = fopen(path, "w");
	CHECK(file != NULL);
	fprintf(file,
		"reporting-disabled = true\nbind-address = \"127.0.0.1:%d\"\n"
		"[meta]\n  dir = \"%s/meta\"\n"
		"[data]\n  dir = \"%s/data\"\n  wal-dir = \"%s/wal\"\n  query-log-enabled = false\n"
		"[monitor]\n  store-enabled = false\n"
		"[http]\n  bind-address = \"127.0.0.1:%d\"\n  log-enabled = false\n",
		influxd->rpc_port, influxd->directory, influxd->directory, influxd->directory,
		influxd->port);
	CHECK(fclose(file) == 0);
}

static size_t gather(char *data, size_t size, size_t n, void *context)
{
	FILE *stream = context;
	return fwrite(data, size, n, stream) * size;
}

char *servers_request(const char *url, const char *post, long *status)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	CURL *easy = curl_easy_init();
	CHECK(stream != NULL && easy != NULL);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 20000L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, gather);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, stream);
	if (post != NULL)
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post);
	*status = 0;
	if (curl_easy_perform(easy) == CURLE_OK)
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, status);
	curl_easy_cleanup(easy);
	fclose(stream);
	return text;
}

static pid_t spawn(const char *directory, const char *const *arguments)
{
	char log[160];
	snprintf(log, sizeof log, "%s/log", directory);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(fd, 1);
		dup2(fd, 2);
		execv(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	return pid;
}

static void wait_for(const char *url, long wanted)
{
	int64_t until = servers_now_ms() + 30000;
	long status = 0;
	while (status != wanted) {
		CHECK(servers_now_ms() < until);
		free(servers_request(url, NULL, &status));
		poll(NULL, 0, 50);
	}
}

void influxd_start(struct influxd *influxd)
{
	char config[160], url[80];
	snprintf(config, sizeof config, "%s/influxdb.conf", influxd->directory);
	snprintf(url, sizeof url, "%s/ping", influxd->url);
	influxd->pid =
		spawn(influxd->directory, (const char *const[]){INFLUXD, "-config", config, NULL});
	wait_for(url, 204);
}

void influxd_stop(struct influxd *influxd)
{
	if (influxd->pid <= 0)
		return;
	kill(influxd->pid, SIGTERM);
	waitpid(influxd->pid, NULL, 0);
	influxd->pid = 0;
}

void influxd_deinit(struct influxd *influxd)
{
	influxd_stop(influxd);
	servers_remove(influxd->directory);
}

char *influxd_query(struct influxd *influxd, const char *query)
{
	char *escaped = curl_easy_escape(NULL, query, 0), *url = NULL;
	long status;
	CHECK(asprintf(&url, "%s/query?db=ducha&epoch=ns&q=%s", influxd->url, escaped) > 0);
	char *text = servers_request(url, "", &status);
	curl_free(escaped);
	free(url);
	return text;
}

int64_t influxd_count(struct influxd *influxd, const char *measurement, const char *field)
{
	char query[128], time[] = "[0,";
	snprintf(query, sizeof query, "SELECT COUNT(%s) FROM %s", field, measurement);
	char *text = influxd_query(influxd, query);
	const char *at = strstr(text, time);
	int64_t n = at == NULL ? 0 : strtoll(at + strlen(time), NULL, 10);
	free(text);
	return n;
}

/* --- VictoriaMetrics --- */

bool victoria_here(void)
{
	return access(VICTORIA, X_OK) == 0;
}

void victoria_start(struct victoria *victoria)
{
	int port = servers_port();
	char listen[64], data[192], url[96];
	servers_temporary(victoria->directory, sizeof victoria->directory);
	snprintf(victoria->url, sizeof victoria->url, "http://127.0.0.1:%d", port);
	snprintf(listen, sizeof listen, "-httpListenAddr=127.0.0.1:%d", port);
	snprintf(data, sizeof data, "-storageDataPath=%s", victoria->directory);
	snprintf(url, sizeof url, "%s/health", victoria->url);
	victoria->pid = spawn(victoria->directory,
			      (const char *const[]){VICTORIA, listen, data, "-retentionPeriod=100y",
						    "-memory.allowedBytes=64MB", NULL});
	wait_for(url, 200);
}

void victoria_stop(struct victoria *victoria)
{
	kill(victoria->pid, SIGTERM);
	waitpid(victoria->pid, NULL, 0);
	servers_remove(victoria->directory);
}

char *victoria_export(struct victoria *victoria, const char *name)
{
	char url[192];
	long status;
	snprintf(url, sizeof url, "%s/internal/force_flush", victoria->url);
	free(servers_request(url, NULL, &status));
	snprintf(url, sizeof url, "%s/api/v1/export?match[]=%s", victoria->url, name);
	char *text = servers_request(url, NULL, &status);
	CHECK(status == 200);
	return text;
}

/* --- responder --- */

const char responder_reset[] = "reset", responder_silence[] = "silence";
const char responder_half[] = "HTTP/1.1 204 No Con", responder_trickle[] = RESPONDER_204 " ";
const char responder_endless[] = "HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n";

static bool send_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = send(fd, text, length, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		text += n;
		length -= (size_t)n;
	}
	return true;
}

static void send_slowly(int fd)
{
	for (const char *at = RESPONDER_204; *at != '\0'; at++) {
		send_all(fd, at, 1);
		poll(NULL, 0, 10);
	}
}

static void send_for_ever(struct responder *responder, int fd)
{
	static const char chunk[] = "10\r\n0123456789abcdef\r\n";
	bool going = send_all(fd, responder_endless, strlen(responder_endless));
	while (going && !atomic_load(&responder->stop))
		going = send_all(fd, chunk, strlen(chunk));
}

/* Reads into @buffer until it has @want bytes. Return: false at the end or when stopping. */
static bool read_more(struct responder *responder, int fd, char *buffer, size_t *have, size_t most)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	while (!atomic_load(&responder->stop)) {
		if (poll(&ready, 1, 20) <= 0)
			continue;
		ssize_t n = recv(fd, buffer + *have, most - *have, 0);
		if (n <= 0)
			return false;
		*have += (size_t)n;
		buffer[*have] = '\0';
		return true;
	}
	return false;
}

static void wait_for_stop(struct responder *responder)
{
	while (!atomic_load(&responder->stop))
		poll(NULL, 0, 10);
}

static void keep_request(struct responder *responder, const char *head, size_t head_length,
			 const char *body, size_t n)
{
	pthread_mutex_lock(&responder->mutex);
	if (n < RESPONDER_KEPT)
		responder->bodies[n] = strdup(body);
	size_t kept =
		head_length < sizeof responder->head ? head_length : sizeof responder->head - 1;
	memcpy(responder->head, head, kept);
	responder->head[kept] = '\0';
	pthread_mutex_unlock(&responder->mutex);
}

/* Return: true to go on with this connection. */
static bool serve_one(struct responder *responder, int fd, char *buffer, size_t most)
{
	size_t have = 0;
	char *end = NULL;
	while (end == NULL) {
		if (!read_more(responder, fd, buffer, &have, most))
			return false;
		end = strstr(buffer, "\r\n\r\n");
	}
	const char *header = strcasestr(buffer, "content-length:");
	size_t head_length = (size_t)(end - buffer) + 4;
	size_t total = head_length + (header == NULL ? 0 : strtoul(header + 15, NULL, 10));
	CHECK(total < most);
	while (have < total)
		if (!read_more(responder, fd, buffer, &have, most))
			return false;
	buffer[total] = '\0';
	size_t n = atomic_load(&responder->n);
	const char *answer = responder->answer(responder->context, buffer + head_length, n);
	keep_request(responder, buffer, head_length, buffer + head_length, n);
	atomic_fetch_add(&responder->n, 1);
	if (answer == responder_silence)
		wait_for_stop(responder);
	if (answer == responder_half)
		send_all(fd, answer, strlen(answer));
	if (answer == responder_trickle) {
		send_slowly(fd);
		return true;
	}
	if (answer == responder_endless) {
		send_for_ever(responder, fd);
		return false;
	}
	if (answer == responder_reset || answer == responder_silence || answer == responder_half) {
		struct linger linger = {.l_onoff = 1};
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
		return false;
	}
	send_all(fd, answer, strlen(answer));
	return strstr(answer, "Connection: close") == NULL;
}

static void *responder_run(void *context)
{
	struct responder *responder = context;
	struct pollfd ready = {.fd = responder->listener, .events = POLLIN};
	const size_t most = 8 << 20;
	char *buffer = malloc(most + 1);
	CHECK(buffer != NULL);
	while (!atomic_load(&responder->stop)) {
		if (poll(&ready, 1, 20) <= 0)
			continue;
		int fd = accept(responder->listener, NULL, NULL);
		if (fd < 0)
			continue;
		while (serve_one(responder, fd, buffer, most))
			;
		close(fd);
	}
	free(buffer);
	return NULL;
}

void responder_start(struct responder *responder,
		     const char *(*answer)(void *context, const char *body, size_t n),
		     void *context)
{
	int port;
	*responder = (struct responder){.answer = answer, .context = context};
	responder->listener = listen_somewhere(&port);
	snprintf(responder->url, sizeof responder->url, "http://127.0.0.1:%d/", port);
	CHECK(pthread_mutex_init(&responder->mutex, NULL) == 0);
	CHECK(pthread_create(&responder->thread, NULL, responder_run, responder) == 0);
}

void responder_stop(struct responder *responder)
{
	atomic_store(&responder->stop, true);
	pthread_join(responder->thread, NULL);
	close(responder->listener);
	for (size_t i = 0; i < RESPONDER_KEPT; i++)
		free(responder->bodies[i]);
	pthread_mutex_destroy(&responder->mutex);
}
