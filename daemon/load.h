/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Load: the configuration's file as it is today.
 */
#include "config/config.h"

enum load_use {
	LOAD_RUN,      /* limits that ended today and leave a gap are notes */
	LOAD_CHECK,    /* … are faults */
	LOAD_BACKTEST, /* … are none */
};

/**
 * load() - config_load() on a thread, whose memory is apart: the holes that the text and its tree
 * leave are given back, and not filled with the plan's large tables, which as fresh pages cost
 * nothing until used
 * Return: as config_load().
 */
int load(const char *file, enum load_use use, struct config **out, struct config_faults *faults);
