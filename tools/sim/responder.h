/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Responder: Modbus TCP servers for thousands of instruments on one thread.
 *
 * libmodbus answers one connection at a time from a copy of all registers; here a port asks its
 * source of values at the moment of the request, and any number of clients may keep connections
 * open. Requests may come in pieces or several at once. With a plan of faults a port misbehaves:
 * its timer lives in the same descriptor, so that its owner polls for nothing else. Reference:
 * Modbus Application Protocol V1.1b3 and Messaging on TCP/IP V1.0b.
 */
#include "sim/fault.h"

#include <stddef.h>
#include <stdint.h>

struct responder;

enum { RESPONDER_ADU_BYTES = 260 };

/*
 * Where a port's values come from. @function is 1 to 4 and @count within what it allows; bits are
 * words of 0 or 1. Returns 0 and @count words, an exception code 1 to 255, or more than 255: the
 * request gets no answer.
 */
struct responder_source {
	int (*read)(void *context, uint8_t unit_id, uint8_t function, uint16_t address,
		    unsigned count, int64_t time_ms, uint16_t *words);
	void *context;
	struct fault_plan *faults; /* NULL: none; must outlive the responder */
};

/**
 * responder_reply() - the answer to one request (pure but for the source)
 * @adu: a whole request with its MBAP header, as long as the header says
 * @reply: RESPONDER_ADU_BYTES
 * Return: length of the reply, 0: none.
 */
size_t responder_reply(const struct responder_source *source, const uint8_t *adu, size_t length,
		       int64_t time_ms, uint8_t *reply);

/** responder_new() - Return: 0 or negative errno */
int responder_new(struct responder **out);
struct responder *responder_free(struct responder *r);
/**
 * responder_listen() - open one port
 * @address: an IPv4 literal
 * @port: in: wanted, 0: any free; out: the port that listens
 * Return: 0 or negative errno.
 */
int responder_listen(struct responder *r, const char *address, uint16_t *port,
		     struct responder_source source);
/** responder_fd() - readable (poll) when responder_serve() has something to do */
int responder_fd(const struct responder *r);
/** responder_serve() - does what can be done without waiting. Return: 0 or negative errno. */
int responder_serve(struct responder *r, int64_t time_ms);
/** responder_requests() - requests seen so far */
uint64_t responder_requests(const struct responder *r);
/** responder_faults() - those that were answered wrongly on purpose */
uint64_t responder_faults(const struct responder *r);
/** responder_writes() - those with another function than 1 to 4 */
uint64_t responder_writes(const struct responder *r);
/** responder_accepted() - connections so far */
uint64_t responder_accepted(const struct responder *r);
