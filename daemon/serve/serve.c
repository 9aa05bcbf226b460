/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/serve.h"

#include "base/log.h"
#include "serve/api.h"
#include "serve/listen.h"
#include "serve/office.h"
#include "serve/pages.h"
#include "serve/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	DISCARDED_BYTES_MOST = 4 * 1024 * 1024,
	PARAMETERS_MOST = 16,
	SOCKET_THREADS = 4,
	LISTEN_THREADS = 3,
	CONNECTIONS_MOST = 192, /* over all threads of one door */
	TIMEOUT_S = 30,
	PEER_BYTES = 64,
	UNSENT_MOST = 64 << 20, /* bytes of answers that clients have not read yet, all together */
	HELD_MOST = 64 << 20,   /* bytes of bodies on their way in, all together */
};

/* One of the two ways in. */
struct serve_door {
	struct serve *serve;
	struct MHD_Daemon *daemon; /* NULL: off */
	bool may_act;
};

/* A figure of the ledger that is read when metrics are printed. */
struct serve_gauge {
	struct ledger *ledger;
	int which; /* enum alert_kind or enum case_status */
};

struct serve {
	struct api api;
	pthread_rwlock_t plan; /* read while a request is answered */
	uint64_t reloads;      /* under plan */
	struct streams streams;
	struct serve_door socket, listen;
	struct officers officers;
	struct listen_file file;
	uint16_t port;
	_Atomic size_t unsent, held;
	struct serve_gauge alerts[ALERT_KINDS], cases[CASE_STATUSES];
};

_Static_assert((int)READERS_MOST >= (int)SOCKET_THREADS + (int)LISTEN_THREADS,
	       "one for each thread");

/* --- one request --- */

struct serve_request {
	struct serve *serve;
	struct text body;
	size_t received, most, held;
	enum officers_result token;
	const struct serve_officer *officer; /* of the list as of @reloads */
	uint64_t reloads;
};

static int64_t mono_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum api_method method_of(const char *name)
{
	if (strcmp(name, MHD_HTTP_METHOD_GET) == 0)
		return METHOD_GET;
	if (strcmp(name, MHD_HTTP_METHOD_HEAD) == 0)
		return METHOD_HEAD;
	return strcmp(name, MHD_HTTP_METHOD_POST) == 0 ? METHOD_POST : METHOD_OTHER;
}

/* Whose token is it, by the list in force? */
static void request_know(struct serve_request *request, struct MHD_Connection *connection,
			 bool acts)
{
	const char *token =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
	request->reloads = request->serve->reloads;
	request->token =
		officers_find(&request->serve->officers, token, acts, mono_ms(), &request->officer);
}

/* Without a right to act nothing of what is sent is kept. */
static enum MHD_Result request_begin(struct serve_door *door, struct MHD_Connection *connection,
				     const char *path, const char *method, void **state)
{
	int64_t id;
	struct serve_request *request = calloc(1, sizeof *request);
	*state = request;
	if (request == NULL)
		return MHD_NO;
	request->serve = door->serve;
	if (!door->may_act) {
		pthread_rwlock_rdlock(&door->serve->plan);
		request_know(request, connection, method_of(method) == METHOD_POST);
		pthread_rwlock_unlock(&door->serve->plan);
	}
	bool may_act = door->may_act || request->officer != NULL;
	request->most = may_act ? endpoint_body_most(endpoint_find(path, &id)) : 0;
	return MHD_YES;
}

static bool request_hold(struct serve_request *request, size_t size)
{
	if (atomic_fetch_add(&request->serve->held, size) + size > HELD_MOST) {
		atomic_fetch_sub(&request->serve->held, size);
		return false;
	}
	request->held += size;
	return true;
}

static enum MHD_Result request_body(struct serve_request *request, const char *data, size_t *size)
{
	request->received += *size;
	if (request->received <= request->most && request_hold(request, *size))
		text_add_n(&request->body, data, *size);
	*size = 0;
	return request->received > request->most + DISCARDED_BYTES_MOST ? MHD_NO : MHD_YES;
}

static void request_end(void *context, struct MHD_Connection *connection, void **state,
			enum MHD_RequestTerminationCode why)
{
	struct serve_request *request = *state;
	(void)context;
	(void)connection;
	(void)why;
	if (request != NULL) {
		atomic_fetch_sub(&request->serve->held, request->held);
		text_deinit(&request->body);
	}
	free(request);
	*state = NULL;
}

struct pairs {
	struct query_pair at[PARAMETERS_MOST];
	size_t n;
	bool too_many;
};

static enum MHD_Result pair_add(void *context, enum MHD_ValueKind kind, const char *name,
				const char *value)
{
	struct pairs *pairs = context;
	(void)kind;
	if (pairs->n == PARAMETERS_MOST) {
		pairs->too_many = true;
		return MHD_NO;
	}
	pairs->at[pairs->n++] = (struct query_pair){.name = name, .value = value};
	return MHD_YES;
}

/* Who is at the other end of the Unix socket: the user's name, or the number where it has none. */
static void peer_name(struct MHD_Connection *connection, char *out)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred peer;
	socklen_t length = sizeof peer;
	struct passwd entry, *found = NULL;
	char buffer[4096];
	snprintf(out, PEER_BYTES, "unknown");
	if (info == NULL ||
	    getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
		return;
	if (getpwuid_r(peer.uid, &entry, buffer, sizeof buffer, &found) == 0 && found != NULL)
		snprintf(out, PEER_BYTES, "%s", found->pw_name);
	else
		snprintf(out, PEER_BYTES, "uid %u", (unsigned)peer.uid);
}

/* A body on its way; clients that do not read may not fill the memory with theirs. */
struct unsent {
	struct serve *serve;
	struct text body;
};

static void unsent_free(void *context)
{
	struct unsent *unsent = context;
	atomic_fetch_sub(&unsent->serve->unsent, unsent->body.length);
	text_deinit(&unsent->body);
	free(unsent);
}

static struct MHD_Response *response_of(struct serve *serve, struct api_answer *answer)
{
	if (atomic_load(&serve->unsent) + answer->body.length > UNSENT_MOST)
		api_error(answer, 503, "too many answers wait to be read; ask again, or for less");
	struct unsent *unsent = malloc(sizeof *unsent);
	if (unsent == NULL) {
		text_deinit(&answer->body);
		return NULL;
	}
	*unsent = (struct unsent){serve, answer->body};
	atomic_fetch_add(&serve->unsent, unsent->body.length);
	struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
		unsent->body.length, unsent->body.at, unsent_free, unsent);
	if (response == NULL)
		unsent_free(unsent);
	return response;
}

/* Takes the answer's body over. */
static enum MHD_Result send_answer(struct serve *serve, struct MHD_Connection *connection,
				   struct api_answer *answer)
{
	struct MHD_Response *response = response_of(serve, answer);
	if (response == NULL)
		return MHD_NO;
	char next[24];
	snprintf(next, sizeof next, "%" PRId64, answer->next);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (answer->policy != NULL)
		MHD_add_response_header(response, "Content-Security-Policy", answer->policy);
	if (answer->status == 401)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
					"Bearer realm=\"ducha\"");
	if (answer->status == 429)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "60");
	if (answer->allow != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
	if (answer->status == 503) /* whoever is refused for want of room takes none */
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (answer->next != 0)
		MHD_add_response_header(response, "Ducha-Next", next);
	enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_stream(struct serve *serve, struct MHD_Connection *connection,
				   enum stream_reader reader, const struct query *query)
{
	struct MHD_Response *response;
	struct api_answer answer = {0};
	const char *last =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Last-Event-ID");
	if (!api_site(&serve->api, query->site, &answer))
		return send_answer(serve, connection, &answer);
	int result = streams_open(&serve->streams, connection, reader, query, last, &response);
	if (result != 0) {
		api_error(&answer, result == -EBUSY ? 503 : 500,
			  result == -EBUSY ? "too many event streams are open"
					   : "the events could not be read");
		return send_answer(serve, connection, &answer);
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	enum MHD_Result queued = MHD_queue_response(connection, 200, response);
	MHD_destroy_response(response);
	return queued;
}

/* Reads the parameters. Return: true; false when @answer says what is wrong with them. */
static bool read_query(struct serve *serve, struct MHD_Connection *connection,
		       struct api_request *request, struct api_answer *answer)
{
	struct pairs pairs = {.n = 0};
	struct text error = {0};
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, pair_add, &pairs);
	bool good = !pairs.too_many &&
		    query_read(request->endpoint, pairs.at, pairs.n, &serve->api.setup.plan->zone,
			       &request->query, &error);
	if (!good)
		api_error(answer, 400, pairs.too_many ? "too many parameters" : error.at);
	text_deinit(&error);
	return good;
}

static enum MHD_Result answer_request(struct serve_door *door, struct MHD_Connection *connection,
				      struct api_request *request,
				      const struct serve_request *state)
{
	struct serve *serve = door->serve;
	struct api_answer answer = {0};
	char peer[PEER_BYTES];
	request->may_act = request->sees_persons = door->may_act || state->officer != NULL;
	request->officers = !door->may_act && serve->officers.n > 0;
	request->token = state->token;
	request->officer = state->officer;
	request->peer = peer;
	if (api_refuse(request, &answer))
		return send_answer(serve, connection, &answer);
	if (request->method == METHOD_POST && state->received != state->body.length) {
		api_error(&answer, 503, "too many files are on their way in; try again");
		return send_answer(serve, connection, &answer);
	}
	if (!read_query(serve, connection, request, &answer))
		return send_answer(serve, connection, &answer);
	if (request->endpoint == ENDPOINT_EVENTS)
		return send_stream(serve, connection,
				   door->may_act            ? STREAM_SOCKET
				   : state->officer != NULL ? STREAM_OFFICER
							    : STREAM_EVERYBODY,
				   &request->query);
	if (request->method == METHOD_POST)
		peer_name(connection, peer);
	api_answer(&serve->api, request, &answer);
	return send_answer(serve, connection, &answer);
}

/* A reload waits for all requests, so its own is none of them. */
static bool is_reload(const struct serve_door *door, const struct api_request *request)
{
	return door->may_act && request->endpoint == ENDPOINT_RELOAD &&
	       request->method == METHOD_POST && !request->body_too_large;
}

static enum MHD_Result answer_by_plan(struct serve_door *door, struct MHD_Connection *connection,
				      const char *path, const char *method,
				      struct serve_request *state)
{
	struct serve *serve = door->serve;
	struct api_answer answer = {0};
	struct api_request request = {
		.method = method_of(method),
		.accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept"),
		.body = state->body.at,
		.body_length = state->body.length,
		.path = path,
		.body_too_large = state->received > state->most,
	};
	request.endpoint = endpoint_find(path, &request.id);
	if (is_reload(door, &request)) {
		api_reload(&serve->api, &answer);
		return send_answer(serve, connection, &answer);
	}
	pthread_rwlock_rdlock(&serve->plan);
	if (!door->may_act && state->reloads != serve->reloads)
		request_know(state, connection, false);
	enum MHD_Result result = answer_request(door, connection, &request, state);
	pthread_rwlock_unlock(&serve->plan);
	return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
			      const char *method, const char *version, const char *data,
			      size_t *size, void **state)
{
	(void)version;
	if (*state == NULL)
		return request_begin(context, connection, path, method, state);
	if (*size > 0)
		return request_body(*state, data, size);
	return answer_by_plan(context, connection, path, method, *state);
}

/* --- metrics --- */

static double gauge_alerts(void *context)
{
	const struct serve_gauge *gauge = context;
	return (double)ledger_active_count(gauge->ledger, (enum alert_kind)gauge->which);
}

static double gauge_cases(void *context)
{
	const struct serve_gauge *gauge = context;
	return (double)ledger_case_count(gauge->ledger, (enum case_status)gauge->which);
}

static int register_gauge(struct serve *serve, struct serve_gauge *gauge, int which,
			  const char *name, const char *help, const char *label, const char *value,
			  double (*read)(void *))
{
	char labels[64];
	*gauge = (struct serve_gauge){.ledger = serve->api.setup.ledger, .which = which};
	snprintf(labels, sizeof labels, "%s=\"%s\"", label, value);
	return metrics_gauge_read(serve->api.setup.metrics, name, help, labels, read, gauge);
}

static int register_metrics(struct serve *serve)
{
	char labels[96];
	int result = 0;
	snprintf(labels, sizeof labels, "version=\"%s\"", serve->api.setup.version);
	struct metric *info = metrics_gauge(serve->api.setup.metrics, "ducha_build_info",
					    "The running version; always 1.", labels);
	if (info == NULL)
		return -ENOMEM;
	metric_set(info, 1);
	for (int kind = 0; kind < ALERT_KINDS && result == 0; kind++)
		result = register_gauge(serve, &serve->alerts[kind], kind, "ducha_alerts_active",
					"Alerts that are active now.", "kind",
					alert_kind_name((enum alert_kind)kind), gauge_alerts);
	for (int status = 0; status < CASE_STATUSES && result == 0; status++)
		if (case_status_open((enum case_status)status))
			result = register_gauge(
				serve, &serve->cases[status], status, "ducha_cases_open",
				"Cases that are open now.", "status",
				case_status_name((enum case_status)status), gauge_cases);
	return result;
}

/* --- birth and death --- */

/* Takes @fd over: libmicrohttpd closes it. */
static int door_open(struct serve *serve, struct serve_door *door, int fd, bool may_act,
		     unsigned threads)
{
	*door = (struct serve_door){.serve = serve, .may_act = may_act};
	door->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
		NULL, handle, door, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
		threads, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_NOTIFY_COMPLETED,
		request_end, NULL, MHD_OPTION_END);
	return door->daemon == NULL ? -EIO : 0;
}

static int open_socket(struct serve *serve, struct text *error)
{
	const char *path = serve->api.setup.socket;
	int fd = listen_unix(path, &serve->file, error);
	if (fd < 0)
		return -EADDRINUSE;
	if (door_open(serve, &serve->socket, fd, true, SOCKET_THREADS) == 0)
		return 0;
	text_format(error, "%s: the HTTP server does not start", path);
	return -EIO;
}

static int open_doors(struct serve *serve, struct text *error)
{
	const struct serve_setup *setup = &serve->api.setup;
	int r = setup->socket == NULL ? 0 : open_socket(serve, error);
	if (r < 0 || setup->listen == NULL)
		return r;
	int fd = listen_tcp(setup->listen, &serve->port, error);
	if (fd < 0)
		return -EADDRINUSE;
	if (door_open(serve, &serve->listen, fd, false, LISTEN_THREADS) != 0) {
		text_format(error, "%s: the HTTP server does not start", setup->listen);
		return -EIO;
	}
	return 0;
}

/* A reload is not to wait for a gap between requests: those that come later wait for it. */
static void plan_lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;
	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

void serve_hold(struct serve *serve)
{
	pthread_rwlock_wrlock(&serve->plan);
}

/* Curves are read anew; without memory for them we wait. */
static void sparks_anew(struct serve *serve, const struct plan *plan)
{
	const struct serve_setup *setup = &serve->api.setup;
	sparks_stop(&serve->api.sparks);
	while (sparks_start(&serve->api.sparks, plan, setup->daybook, setup->directory) < 0) {
		sparks_stop(&serve->api.sparks);
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
}

void serve_release(struct serve *serve, const struct plan *plan, struct officers *officers)
{
	if (plan != serve->api.setup.plan) {
		serve->reloads++;
		officers_succeed(&serve->officers, officers);
		streams_succeed(&serve->streams, plan);
		sparks_anew(serve, plan);
		serve->api.setup.plan = plan;
		readers_deinit(&serve->api.readers);
		readers_init(&serve->api.readers, serve->api.setup.directory, plan);
	}
	pthread_rwlock_unlock(&serve->plan);
}

int serve_new(struct serve **out, const struct serve_setup *setup, char **error)
{
	struct text sentence = {0};
	struct serve *serve = calloc(1, sizeof *serve);
	*error = NULL;
	if (serve == NULL)
		return -ENOMEM;
	plan_lock_init(&serve->plan);
	serve->api.setup = *setup;
	serve->api.started_mono_s = page_mono_s();
	readers_init(&serve->api.readers, setup->directory, setup->plan);
	int result = streams_start(&serve->streams, setup->ledger, setup->plan, setup->ping_ms);
	if (result != 0) {
		readers_deinit(&serve->api.readers);
		streams_deinit(&serve->streams);
		pthread_rwlock_destroy(&serve->plan);
		free(serve);
		return result;
	}
	office_policy(&serve->api.office_policy);
	result = sparks_start(&serve->api.sparks, setup->plan, setup->daybook, setup->directory);
	if (result == 0)
		result = register_metrics(serve);
	if (result == 0)
		result = officers_init(&serve->officers, setup->officers, setup->n_officers);
	if (result == 0)
		result = open_doors(serve, &sentence);
	if (result != 0) {
		*error = sentence.at;
		serve_free(serve);
		return result;
	}
	*out = serve;
	return 0;
}

struct serve *serve_free(struct serve *serve)
{
	if (serve == NULL)
		return NULL;
	listen_file_remove(&serve->file);
	streams_stop(&serve->streams);
	if (serve->listen.daemon != NULL)
		MHD_stop_daemon(serve->listen.daemon);
	if (serve->socket.daemon != NULL)
		MHD_stop_daemon(serve->socket.daemon);
	sparks_stop(&serve->api.sparks);
	streams_deinit(&serve->streams);
	readers_deinit(&serve->api.readers);
	text_deinit(&serve->api.office_policy);
	officers_deinit(&serve->officers);
	pthread_rwlock_destroy(&serve->plan);
	free(serve);
	return NULL;
}

uint16_t serve_port(const struct serve *serve)
{
	return serve->port;
}
