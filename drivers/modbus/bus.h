/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Bus: what one connection is asked for, and what became of it. It knows no socket and no line.
 *
 * Whoever carries the bytes (line.h) takes the spans in turn from the rounds (round.h) and says
 * here what came: a reply, an exception, nothing. The bus hands in the readings, keeps the record
 * of its units (units.h) and says an outage once when it begins and once when it ends.
 *
 * Three rounds without any reply, or three refusals in a row, are a lost link. All of it belongs
 * to the thread that carries the bytes.
 */
#include "drivers/driver.h"
#include "drivers/modbus/codec.h"
#include "drivers/modbus/planner.h"
#include "drivers/modbus/units.h"
#include "drivers/modbus/value.h"

enum { BUS_MISSES_OF_A_LOST_LINK = 3 };

/* What the buses of one thread share. */
struct bus_host {
	struct driver_host driver;
	struct metric *late;
	struct histogram *seconds;
	bool submitted; /* in this batch, and nobody was woken for it */
};

enum bus_link { BUS_UNKNOWN, BUS_UP, BUS_DOWN };

struct bus_span {
	uint64_t next_round;
	bool pending;  /* in the running round */
	uint16_t said; /* exception codes already logged, as bits; 0 for those above 15 */
};

struct bus {
	const struct modbus_connection *config;
	struct bus_host *host;
	struct modbus_asked asked;
	struct modbus_plan plan; /* of what is asked */
	struct values values;
	struct bus_span *spans;
	struct sample *samples; /* of the reply at hand; room for all that is asked */
	struct modbus_units units;
	int64_t interval_ns;

	/* The rounds' (round.h). */
	int64_t due_ns;          /* of round `round`, the next to begin */
	uint64_t round, running; /* running: the one that runs or ran last */
	size_t turn;             /* span of the running round; plan.n_spans: no round runs */
	int64_t round_due_ns;
	bool first, answered; /* of the running round: none asked yet; somebody replied */
	bool doubtful;        /* of the running round: those that answer are through */

	enum bus_link link;
	uint64_t rounds_missed;
	const char *cause; /* of the last failure */
	bool cause_is_timeout;
	struct modbus_request request; /* the last one */
	uint64_t frame;                /* of its reply, while that is handed in; else 0 */
	struct metric *ok, *timeout, *exception, *error, *up;
};

/** bus_host_init() - Return: 0, -ENOMEM */
int bus_host_init(struct bus_host *host, const struct driver_host *driver);
/** bus_host_flush() - wake the readers once for all that a batch brought */
void bus_host_flush(struct bus_host *host);

/** bus_init() - a bus for @config, which stays the caller's and outlives it. Return: 0, negative
 * errno of the plan. bus_deinit() is to be called in any case. */
int bus_init(struct bus *bus, struct bus_host *host, const struct modbus_connection *config);
void bus_deinit(struct bus *bus);
/**
 * bus_succeed() - @next goes on where @old is, whose connection is the same
 *
 * With the same points the round goes on, and the exchange that is under way; with others the next
 * round begins when it was due. @old is to be deinitialised as ever.
 * Return: true where the round goes on.
 */
bool bus_succeed(struct bus *next, struct bus *old);

/** bus_ask() - make the request for the span whose turn it is, sent at @now_ns */
void bus_ask(struct bus *bus, int64_t now_ns);

/**
 * bus_replied() - @reply to the request came @after_ns after it (MODBUS_COMPLETE or _EXCEPTION)
 *
 * A request for several values that is refused for an address in it (exception 2) is parted for
 * good, and its parts are asked in the same round. Else the turn moves on.
 */
void bus_replied(struct bus *bus, enum modbus_verdict verdict, const struct modbus_reply *reply,
		 int64_t after_ns);

/** bus_frame() - what was exchanged for the request, before bus_replied() */
void bus_frame(struct bus *bus, enum frame_kind kind, const uint8_t *asked, size_t n_asked,
	       const uint8_t *answered, size_t n_answered);

/** bus_cause() - why nothing came; @cause is a literal or of strerrordesc_np() */
void bus_cause(struct bus *bus, const char *cause, bool is_timeout);

/** bus_failed() - the exchange that was under way brought nothing; the turn moves on */
void bus_failed(struct bus *bus);

/** bus_without_value() - all points of span @i get a reading without value; 0: none, span @i was
 * not read and there is nothing to say of them */
void bus_without_value(struct bus *bus, size_t i, char flag);

/** bus_link_down() - nobody answers there; said once */
void bus_link_down(struct bus *bus);

/** bus_say_units() - say those units whose outage is new, while others answer here */
void bus_say_units(struct bus *bus);
