/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Fault: how a broken instrument answers. Choosing and spoiling are pure; the responder delivers.
 *
 * The bytes of a fault are made from the right reply, so that everything else about it is right:
 * a client that overlooks the one wrong field takes a believable number for the truth.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_kind { /* in the order of fault_words */
		  FAULT_SILENCE,
		  FAULT_REFUSAL,   /* nobody listens on the port, and its connections end */
		  FAULT_HALF_OPEN, /* the connection stays, nothing is read from it any more */
		  FAULT_CLOSE,
		  FAULT_RESET,
		  FAULT_TRICKLE,     /* delay_ms before each byte */
		  FAULT_LATE,        /* after delay_ms, on the same connection */
		  FAULT_STRAY,       /* after delay_ms, on the newest connection of the port */
		  FAULT_DUPLICATE,   /* once more after delay_ms; 0: in one piece */
		  FAULT_FOREIGN,     /* the port's reply before this one, in its place */
		  FAULT_TRANSACTION, /* one more than asked */
		  FAULT_PROTOCOL,
		  FAULT_UNIT,
		  FAULT_FUNCTION,
		  FAULT_BYTE_COUNT,
		  FAULT_LENGTH_LOW,  /* the header says two bytes less than come */
		  FAULT_LENGTH_HIGH, /* two bytes more than come */
		  FAULT_CUT,         /* the last byte never comes */
		  FAULT_SURPLUS,     /* two bytes behind the frame */
		  FAULT_FEWER,       /* in good form, a register less than asked */
		  FAULT_MORE,        /* in good form, a register more than asked */
		  FAULT_GARBAGE,     /* bytes before the frame */
		  FAULT_CHATTER,     /* bytes after the frame, delay_ms later */
		  FAULT_EXCEPTION,   /* `code` */
};

extern const char *const fault_words[];

struct fault {
	enum fault_kind kind;
	int64_t delay_ms;
	uint8_t code;
};

struct fault_rule {
	struct fault fault;
	int unit_id;           /* -1: all */
	int64_t at_ms, for_ms; /* for 0: to the end */
	double share;          /* of the requests, 0 to 1 */
};

struct fault_plan {
	struct fault_rule *rules; /* the first that applies is played */
	size_t n;
	uint64_t seed;
	uint64_t n_asked; /* requests so far: with the seed, what the share is drawn from */
};

enum { FAULT_ROOM = 600 }; /* bytes that fault_spoil() may need */

/** fault_choose() - the fault for the next request to @unit_id. Return: NULL: none. */
const struct fault *fault_choose(struct fault_plan *plan, uint8_t unit_id, int64_t time_ms);
/** fault_refuses() - a refusal is on */
bool fault_refuses(const struct fault_plan *plan, int64_t time_ms);
/** fault_has_refusal() - a refusal will come, is or was on */
bool fault_has_refusal(const struct fault_plan *plan);
/**
 * fault_spoil() - make a right reply wrong; kinds that are wrong in time alone change nothing
 * @reply: FAULT_ROOM bytes, @n of them filled, at least 9
 * Return: the new length.
 */
size_t fault_spoil(const struct fault *fault, uint8_t *reply, size_t n);
