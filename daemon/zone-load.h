/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The system's time zone database into the table that core works with.
 */
#include "core/zone.h"

/**
 * zone_load() - all changes of a zone between 1970 and 2100
 * @name: such as "Asia/Shanghai"; sets $TZ (main thread, before others start)
 *
 * Return: 0 and *zone, whose table the caller frees; -ENOMEM.
 */
int zone_load(struct zone *zone, const char *name);
