/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/stream.h"

#include "base/log.h"
#include "base/pulse.h"
#include "serve/redact.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TICK_MS = 50, IDLE_MS = 5000, EVENTS_AT_ONCE = 64, BLOCK_BYTES = 16384 };

struct stream {
	struct streams *owner;
	struct MHD_Connection *connection;
	struct stream *next;
	bool suspended; /* under the owner's mutex */
	/* of the connection's thread; the ticker looks only while suspended */
	int64_t cursor; /* events up to here are written or not wanted */
	int64_t written_mono_ms;
	char *site; /* NULL: all */
	enum stream_reader reader;
	_Atomic bool ended; /* by a reload */
	struct text pending;
	size_t sent; /* of pending */
};

static int64_t mono_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- writing --- */

static bool stream_wants(const char *site, const struct ledger_event *event)
{
	return site == NULL || (event->site != NULL && strcmp(event->site, site) == 0);
}

static void stream_data(struct stream *stream, const char *json)
{
	struct text data = {0};
	text_add_n(&data, json, strcspn(json, "\r\n"));
	pthread_mutex_lock(&stream->owner->mutex); /* of the plan */
	const struct redactor by = redactor_of(stream->owner->plan, stream->owner->ledger);
	if (stream->reader == STREAM_EVERYBODY && !redact(&by, 0, &data))
		stream->pending.failed = true;
	pthread_mutex_unlock(&stream->owner->mutex);
	text_add_n(&stream->pending, data.at == NULL ? "" : data.at, data.length);
	text_deinit(&data);
}

/* Who asks for one site would know whose it is. */
static bool stream_withholds(const struct stream *stream, const struct ledger_event *event)
{
	if (stream->reader != STREAM_EVERYBODY || stream->site == NULL)
		return false;
	pthread_mutex_lock(&stream->owner->mutex); /* of the plan */
	const struct redactor by = redactor_of(stream->owner->plan, stream->owner->ledger);
	bool withholds = redact_withholds(&by, event->json);
	pthread_mutex_unlock(&stream->owner->mutex);
	return withholds;
}

static bool stream_event(void *context, const struct ledger_event *event)
{
	struct stream *stream = context;
	stream->cursor = event->id;
	if (!stream_wants(stream->site, event) || stream_withholds(stream, event))
		return true;
	text_format(&stream->pending, "id: %lld\nevent: %s\ndata: ", (long long)event->id,
		    event->type);
	stream_data(stream, event->json);
	text_add(&stream->pending, "\n\n");
	return true;
}

/* Fills `pending` with what is new, or a comment line when that is due. Return: 0, negative errno.
 */
static int stream_fill(struct stream *stream)
{
	struct streams *streams = stream->owner;
	int64_t newest = ledger_event_last(streams->ledger);
	text_clear(&stream->pending);
	stream->sent = 0;
	while (stream->cursor < newest && stream->pending.length == 0) {
		int64_t before = stream->cursor;
		int result = ledger_events(streams->ledger, stream->cursor, EVENTS_AT_ONCE,
					   stream_event, stream);
		if (result != 0)
			return result;
		if (stream->cursor == before) /* those up to the newest are no longer kept */
			stream->cursor = newest;
	}
	if (stream->pending.length == 0 && mono_ms() - stream->written_mono_ms >= streams->ping_ms)
		text_add(&stream->pending, ": ping\n\n");
	return stream->pending.failed ? -ENOMEM : 0;
}

/* Nothing to say: sleep until the ticker wakes the connection, or end when the server does. */
static ssize_t stream_wait(struct stream *stream)
{
	ssize_t result = MHD_CONTENT_READER_END_OF_STREAM;
	pthread_mutex_lock(&stream->owner->mutex);
	if (!stream->owner->stopping && !stream->ended) {
		stream->suspended = true;
		MHD_suspend_connection(stream->connection);
		result = 0;
	}
	pthread_mutex_unlock(&stream->owner->mutex);
	return result;
}

static ssize_t stream_read(void *context, uint64_t position, char *buffer, size_t size)
{
	struct stream *stream = context;
	(void)position;
	if (stream->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (stream->sent == stream->pending.length) {
		int result = stream_fill(stream);
		if (result != 0) {
			errno = -result;
			log_warn("http: an event stream ends: the ledger cannot be read");
			return MHD_CONTENT_READER_END_WITH_ERROR;
		}
	}
	size_t left = stream->pending.length - stream->sent;
	if (left == 0)
		return stream_wait(stream);
	size_t n = left < size ? left : size;
	memcpy(buffer, stream->pending.at + stream->sent, n);
	stream->sent += n;
	stream->written_mono_ms = mono_ms();
	return (ssize_t)n;
}

/* --- where a stream begins --- */

/* The ids of the newest wanted events seen so far, in a ring. */
struct newest {
	const struct stream *stream;
	int64_t *ids;
	size_t most, n;
	int64_t cursor;
};

static bool newest_add(void *context, const struct ledger_event *event)
{
	struct newest *newest = context;
	newest->cursor = event->id;
	if (stream_wants(newest->stream->site, event) && !stream_withholds(newest->stream, event))
		newest->ids[newest->n++ % newest->most] = event->id;
	return true;
}

static int newest_scan(struct ledger *ledger, struct newest *newest, int64_t after)
{
	newest->n = 0;
	newest->cursor = after;
	for (int64_t before = -1; newest->cursor != before;) {
		before = newest->cursor;
		int result = ledger_events(ledger, before, 256, newest_add, newest);
		if (result != 0)
			return result;
	}
	return 0;
}

/* The cursor after which the last @most wanted events follow: looks back ever further. */
static int stream_back(const struct stream *stream, size_t most, int64_t *cursor)
{
	struct ledger *ledger = stream->owner->ledger;
	struct newest newest = {
		.stream = stream, .most = most, .ids = calloc(most, sizeof(int64_t))};
	int64_t first = ledger_event_first(ledger), last = ledger_event_last(ledger);
	int64_t span = (int64_t)most;
	int result = newest.ids == NULL ? -ENOMEM : 0;
	*cursor = last;
	while (result == 0 && first > 0) {
		int64_t after = last - span < first ? first - 1 : last - span;
		result = newest_scan(ledger, &newest, after);
		if (newest.n >= most || after < first) {
			size_t oldest = newest.n >= most ? newest.n % most : 0;
			if (newest.n > 0)
				*cursor = newest.ids[oldest] - 1;
			break;
		}
		span *= 8;
	}
	free(newest.ids);
	return result;
}

/* Last-Event-ID: an id up to the newest is honoured, anything else gets all that is kept. */
static int64_t stream_after(struct ledger *ledger, const char *last_event_id)
{
	size_t length = strlen(last_event_id);
	if (length > 18 || strspn(last_event_id, "0123456789") != length)
		return 0;
	int64_t id = strtoll(last_event_id, NULL, 10);
	return id <= ledger_event_last(ledger) ? id : 0;
}

static int stream_begin(struct stream *stream, const struct query *query, const char *last_event_id)
{
	struct ledger *ledger = stream->owner->ledger;
	if (last_event_id == NULL)
		last_event_id = query->last_event_id;
	if (query->site != NULL && (stream->site = strdup(query->site)) == NULL)
		return -ENOMEM;
	stream->cursor = ledger_event_last(ledger);
	if (last_event_id != NULL && last_event_id[0] != '\0') {
		stream->cursor = stream_after(ledger, last_event_id);
	} else if (query->last > 0) {
		int result = stream_back(stream, query->last, &stream->cursor);
		if (result != 0)
			return result;
	}
	/* tells a client where it stands before the first event */
	text_format(&stream->pending, ": at %lld\n\n", (long long)stream->cursor);
	return stream->pending.failed ? -ENOMEM : 0;
}

/* --- birth and death --- */

static void stream_free(void *context)
{
	struct stream *stream = context;
	struct streams *streams = stream->owner;
	pthread_mutex_lock(&streams->mutex);
	struct stream **at = &streams->first;
	while (*at != stream)
		at = &(*at)->next;
	*at = stream->next;
	streams->n--;
	pthread_mutex_unlock(&streams->mutex);
	text_deinit(&stream->pending);
	free(stream->site);
	free(stream);
}

static int streams_add(struct streams *streams, struct stream *stream)
{
	int result = -EBUSY;
	pthread_mutex_lock(&streams->mutex);
	if (streams->n < STREAMS_MOST && !streams->stopping) {
		stream->next = streams->first;
		streams->first = stream;
		streams->n++;
		pthread_cond_signal(&streams->changed);
		result = 0;
	}
	pthread_mutex_unlock(&streams->mutex);
	return result;
}

int streams_open(struct streams *streams, struct MHD_Connection *connection,
		 enum stream_reader reader, const struct query *query, const char *last_event_id,
		 struct MHD_Response **out)
{
	struct stream *stream = calloc(1, sizeof *stream);
	if (stream == NULL)
		return -ENOMEM;
	*stream = (struct stream){.owner = streams,
				  .connection = connection,
				  .reader = reader,
				  .written_mono_ms = mono_ms()};
	int result = streams_add(streams, stream);
	if (result != 0) {
		free(stream);
		return result;
	}
	result = stream_begin(stream, query, last_event_id);
	if (result == 0) {
		*out = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, stream_read,
							 stream, stream_free);
		result = *out == NULL ? -ENOMEM : 0;
	}
	if (result != 0)
		stream_free(stream);
	return result;
}

void streams_succeed(struct streams *streams, const struct plan *plan)
{
	pthread_mutex_lock(&streams->mutex);
	streams->plan = plan;
	for (struct stream *s = streams->first; s != NULL; s = s->next) {
		if (s->reader != STREAM_OFFICER)
			continue;
		s->ended = true;
		if (s->suspended)
			MHD_resume_connection(s->connection);
		s->suspended = false;
	}
	pthread_mutex_unlock(&streams->mutex);
}

/* --- the ticker --- */

/* Mutex held. */
static void streams_resume(struct streams *streams, int64_t newest, bool all)
{
	int64_t now = mono_ms();
	for (struct stream *s = streams->first; s != NULL; s = s->next) {
		if (!s->suspended)
			continue;
		if (!all && s->cursor >= newest && now - s->written_mono_ms < streams->ping_ms)
			continue;
		s->suspended = false;
		MHD_resume_connection(s->connection);
	}
}

static void streams_nap(struct streams *streams, int64_t ms)
{
	int64_t until_ms = mono_ms() + ms;
	const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
	pthread_cond_timedwait(&streams->changed, &streams->mutex, &until);
}

static void *streams_tick(void *context)
{
	struct streams *streams = context;
	pulse_begin(&streams->pulse, PULSE_SLOW, "event streams", NULL);
	pthread_mutex_lock(&streams->mutex);
	while (!streams->stopping) {
		pulse_beat(&streams->pulse);
		if (streams->n == 0) {
			streams_nap(streams, IDLE_MS);
			continue;
		}
		pthread_mutex_unlock(&streams->mutex);
		int64_t newest = ledger_event_last(streams->ledger);
		pthread_mutex_lock(&streams->mutex);
		streams_resume(streams, newest, false);
		if (!streams->stopping)
			streams_nap(streams, TICK_MS);
	}
	pthread_mutex_unlock(&streams->mutex);
	pulse_end(&streams->pulse);
	return NULL;
}

int streams_start(struct streams *streams, struct ledger *ledger, const struct plan *plan,
		  int64_t ping_ms)
{
	pthread_condattr_t attributes;
	*streams = (struct streams){
		.ledger = ledger, .plan = plan, .ping_ms = ping_ms > 0 ? ping_ms : 15000};
	pthread_mutex_init(&streams->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&streams->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	return -pthread_create(&streams->thread, NULL, streams_tick, streams);
}

void streams_stop(struct streams *streams)
{
	pthread_mutex_lock(&streams->mutex);
	streams->stopping = true;
	streams_resume(streams, 0, true);
	pthread_cond_broadcast(&streams->changed);
	pthread_mutex_unlock(&streams->mutex);
	pthread_join(streams->thread, NULL);
}

void streams_deinit(struct streams *streams)
{
	pthread_cond_destroy(&streams->changed);
	pthread_mutex_destroy(&streams->mutex);
}
