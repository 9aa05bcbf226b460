/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The HJ 212 driver's inside, shared by its parts: server.c (listeners, sessions' birth and death,
 * the tick), session.c (bytes to messages, messages to samples), answer.c (what is answered when it
 * is on disk), stations.c (which monitors an MN has), next.c (the next plan of a reload). All of it
 * belongs to the thread of one event loop.
 */
#include "base/log.h"
#include "drivers/driver.h"
#include "drivers/hj212/frame.h"
#include "drivers/hj212/hj212.h"

enum {
	OWED_MOST = 32,          /* answers that one session waits for; then it is not read from */
	ANSWERS_MOST = 4096,     /* of all sessions; a power of two */
	SECOND_MOST = 256 << 10, /* bytes that one session may send in a second */
	STRANGE_MOST = 256,      /* causes and senders that are told apart in the log */
	FRESH_MOST = 32,         /* of them newly said in a minute */
};

/* What became of a telegram: a label of ducha_telegrams_total, and a cause in the log. */
enum outcome {
	TELEGRAM_OK,
	TELEGRAM_SYSTEM, /* taken, though the standard has no such ST */
	TELEGRAM_CRC,
	TELEGRAM_LENGTH,
	TELEGRAM_GARBAGE,
	TELEGRAM_SYNTAX,
	TELEGRAM_MN,
	TELEGRAM_PASSWORD,
	TELEGRAM_COMMAND,
	OUTCOMES,
	/* What is said of a telegram that was taken. */
	SAID_VALUE = OUTCOMES,
	SAID_CLOCK,
};

struct station { /* what is wanted of one MN */
	const char *mn;
	const struct hj212_point *points;
	size_t n;
};

struct stations {
	struct station *at; /* by mn */
	size_t n;
};

/* A cause at one sender: each has a count of its own by which it is said again. */
struct strange {
	uint64_t key; /* 0: free */
	struct log_repeat said;
};

struct hj212;

struct listener {
	struct hj212 *hj212;
	const struct hj212_connection *config;
	struct stations stations;
	int fd;
	bool muted; /* no descriptor is left: not watched until the next second */
	size_t n_sessions;
	struct metric *up, *sessions, *outcomes[OUTCOMES];
	struct strange strange[STRANGE_MOST];
	int fresh_left;
};

/* The telegram at the head of a session's buffer, while it cannot be taken whole. */
struct under_way {
	size_t done;     /* so many of its values are dealt with */
	uint64_t newest; /* for door_stored() */
	uint64_t frame;
};

struct session {
	struct session *next, **link;
	struct listener *listener;
	int fd;
	char peer[64];    /* the address, without the port */
	int64_t heard_ns; /* when it was let in, then of its last message of a known MN */
	bool known;       /* it has sent one */
	bool waits;       /* the head of its buffer is tried again; nothing is read meanwhile */
	bool failed;      /* to be dropped */
	bool deaf;        /* it is not read from */
	size_t spent;     /* bytes in this second */
	size_t owed;
	struct under_way way;
	size_t fill, done; /* done: with so many bytes, while it is worked through */
	char buffer[HJ212_FRAME_MOST];
};

struct answer {
	struct session *session; /* NULL: it is gone */
	uint64_t seq;            /* may leave when this is stored; ascending */
	size_t n;
	char frame[3 * HJ212_ECHO_MOST + 80];
};

struct answers {
	struct answer *at; /* ANSWERS_MOST, a ring; NULL without connections */
	size_t first, n;
};

struct hj212 {
	struct driver_host host;
	struct listener *listeners;
	size_t n_listeners;
	struct session *sessions; /* newest first */
	size_t n_sessions, n_waiting;
	struct answers answers;
	uint64_t newest;      /* handed in, or seen at the door */
	bool submitted, owes; /* since the last batch of events: samples, answers */
	int64_t second_ns, fresh_ns;
	struct metric *bad_value, *ring_full, *crowded, *silent;
};

/* --- server.c --- */

/** hj212_new() - all of it but what is watched; addresses of @before are left to hj212_succeed() */
int hj212_new(struct hj212 **out, const struct driver_host *host,
	      const struct hj212_connection *configs, size_t n, const struct hj212 *before);
void hj212_free(struct hj212 *hj212);
const struct listener *hj212_listener_of(const struct hj212 *hj212, const char *address);
/** listener_watch() - let callers in. Return: 0, negative errno. */
int listener_watch(struct listener *listener);
void session_drop(struct session *session);
/** session_link() - put it first in the list of @hj212 */
void session_link(struct session *session, struct hj212 *hj212);
/**
 * listener_note() - count what became of a telegram, and see whether that is to be said
 * @who: an MN or an address
 * Return: true if it is; each cause of each sender is said at the 1st, 2nd, 4th … time
 */
bool listener_note(struct listener *listener, enum outcome outcome, struct hj212_text who);

/* --- session.c --- */

void session_ready(void *context, uint32_t events);
/** session_watch() - read from it, unless it waits or has spent its bytes */
void session_watch(struct session *session);
/** session_work() - take what the buffer holds; it may be `failed` then */
void session_work(struct session *session);

/* --- answer.c --- */

bool answers_have_room(const struct session *session);
/** answer_owe() - answer @message with @command when @seq is stored, or at once as is configured */
void answer_owe(struct session *session, const struct hj212_message *message, int command,
		uint64_t seq);
/** answers_wait() - is there one whose readings are not stored? */
bool answers_wait(const struct hj212 *hj212);
/** answers_send() - those whose readings are stored */
void answers_send(struct hj212 *hj212);
void answers_forget(struct session *session);

/* --- stations.c --- */

int stations_init(struct stations *stations, const struct hj212_connection *config);
void stations_deinit(struct stations *stations);
const struct station *stations_find(const struct stations *stations, struct hj212_text mn);

/* --- next.c: as in drivers/driver.h --- */

int hj212_prepare(const struct driver_host *host, const void *connections, size_t n,
		  const void *instance, void **next);
void *hj212_succeed(void *next, void *instance);
void hj212_drop(void *next);
