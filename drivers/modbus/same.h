/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Same: is a connection of the next plan the one that is served already? Pure.
 *
 * Which monitor a point belongs to may differ: that is only a number of the plan.
 */
#include "drivers/modbus/modbus.h"

/** modbus_same_link() - the same id, way and times: what is connected may stay so */
bool modbus_same_link(const struct modbus_connection *a, const struct modbus_connection *b);
/** modbus_same_points() - the same requests and values, in the same order */
bool modbus_same_points(const struct modbus_connection *a, const struct modbus_connection *b);
