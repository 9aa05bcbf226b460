/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Record: one message of the log by value, so that it can be kept for later.
 */
#include "base/log.h"

enum log_subject { ABOUT_SITE, ABOUT_FACTOR, ABOUT_CONNECTION, ABOUT_DELIVERY, LOG_SUBJECTS };

struct log_record {
	enum log_message message;
	enum log_priority priority;
	int error;
	int unit;
	int64_t case_id;
	uint64_t times;               /* how often it came since it was said; 0: this once */
	char about[LOG_SUBJECTS][72]; /* ids of the configuration, 64 bytes at most; "": none */
	char text[1024];              /* one line, without control characters */
};

/** log_message_id() - 32 hexadecimal digits; NULL for LOGGED_PLAIN */
const char *log_message_id(enum log_message message);
/** log_message_topic() - the message whose topic it is */
enum log_message log_message_topic(enum log_message message);
