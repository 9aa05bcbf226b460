/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The ledger's tables, by steps: each takes the file from the version before it to its own, and a
 * released one never changes. Whoever verifies a ledger
 * makes an empty one by them to compare with.
 */
enum { LEDGER_VERSION = 7 };
extern const char *const ledger_schemas[LEDGER_VERSION];
