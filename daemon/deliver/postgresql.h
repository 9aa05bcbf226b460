/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * PostgreSQL: what a server's answer means to a delivery.
 */
#include "deliver/courier-type.h"

/**
 * postgresql_judge() - from an SQLSTATE (pure); NULL: there was none
 *
 * Classes 22 and 23 speak of the event's data; 28, 3D and 42 of us (login, database, schema,
 * rights); 08, 25, 40, 53, 55, 57 and 58 of the server's state. All else is doubtful.
 */
enum courier_outcome postgresql_judge(const char *sqlstate);
