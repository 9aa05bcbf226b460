/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Days off: are those of the years known in which deadlines of today end? The list of a year is
 * published each autumn before it; without one, a deadline in working days falls on holidays.
 */
#include "config/config.h"
#include "core/zone.h"

/**
 * days_off_unknown() - of which year nothing is known
 *
 * That is asked of the year of @now_ms, and from November on of the next one.
 * Return: 0: of none.
 */
int days_off_unknown(const struct config_days *off, const struct zone *zone, int64_t now_ms);
