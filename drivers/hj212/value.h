/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Value: what a record of a message is for a point: a sample, or nothing. Pure.
 *
 * A reading's time is the SampleTime of its result, which an analyser repeats in each message until
 * it has the next one; else the message's DataTime; else the receipt.
 */
#include "drivers/hj212/hj212.h"
#include "flow/door.h"

enum hj212_taken {
	HJ212_SAMPLE,     /* *out is a sample, without its frame */
	HJ212_NOT_WANTED, /* another factor, another kind of message, or not the field */
	HJ212_NO_NUMBER,
	HJ212_NO_TIME, /* a time that is none */
};

/** hj212_point_of() - does the point take readings from messages of this command? */
bool hj212_takes(const struct hj212_point *point, int command);

/**
 * hj212_sample() - @record as a sample for @point
 *
 * A flag that HJ 212-2017 does not have is taken for a fault: it is not N. A record without the
 * value, but with a flag other than N, is a sample without a value.
 */
enum hj212_taken hj212_sample(const struct hj212_point *point, const struct hj212_message *message,
			      const struct hj212_record *record, const struct zone *zone,
			      struct sample *out);
