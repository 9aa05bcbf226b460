/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Journal: messages with fields of their own for systemd's journal, where stderr leads there.
 * journal-none.c stands in where libsystemd is not built in.
 */
#include "base/record.h"

/** journal_is_stderr() - does stderr lead to the journal ($JOURNAL_STREAM, sd_journal_stream_fd(3))
 */
bool journal_is_stderr(void);
/** journal_send() - one message, from any thread. Return: false if it has to be written elsewhere
 */
bool journal_send(const struct log_record *record);
