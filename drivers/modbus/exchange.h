/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Exchange: one request and its reply on a line.
 *
 * What has arrived is read at once into the line's own buffer and judged as it grows; a reply
 * counts only when it fits the request (codec.h).
 */
#include "drivers/modbus/line.h"

/** exchange_receive() - the socket is readable: take what came and judge it */
void exchange_receive(struct line *line, int64_t now_ns);

/** exchange_proceed() - ask for the span whose turn it is, if the line is there and quiet */
void exchange_proceed(struct line *line, int64_t now_ns);
