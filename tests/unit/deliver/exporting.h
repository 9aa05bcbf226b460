/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Exporting: a house, a responder that plays a script, and an exporter between them, for the tests
 * of what leaves and of what is refused.
 */
#include "deliver/exporter.h"
#include "house.h"
#include "servers.h"

#define OK_LINES "ducha_influx_lines_total{result=\"ok\"}"
#define REJECTED "ducha_influx_lines_total{result=\"rejected\"}"
#define ERRORS "ducha_influx_lines_total{result=\"error\"}"
#define BACKLOG "ducha_influx_backlog"

#define REPLY(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body

enum { PAUSE_MS = 10, FOR_EVER = 1000000 };

/* What the responder is to do: @trouble for the first @times requests, or for bodies with @poison.
 */
struct script {
	const char *trouble, *poison;
	_Atomic size_t times;
	size_t most_lines;
};
extern struct script script;
extern struct house house;
extern struct responder responder;
extern _Atomic bool failing_sync; /* of refused text */
extern _Atomic bool ended;        /* the exporter said that an fsync failed */

size_t count_lines(const char *text);
int build(void **state);
int tear_down(void **state);
/** start_with() - with so many lines in a batch; start(): eight */
struct exporter *start_with(size_t batch_lines);
struct exporter *start(void);
int64_t readings_cursor(void);
/** read_rejected() - lines put aside; the last file's beginning goes to @last, at least 1024 bytes,
 * may be NULL */
size_t read_rejected(char *last);
size_t count_rejected_lines(void);
void wait_for_failed_lines(double least);
/** keeps_everything() - one such answer costs no line of 20 */
void keeps_everything(const char *trouble);

#define TEST(name) cmocka_unit_test_setup_teardown(name, build, tear_down)
