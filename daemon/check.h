/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Check: what --check says of a configuration that is right, but asks for more than can be had.
 */
#include "assemble.h"

#include <stdio.h>

/**
 * check_cycles() - name the connections that may not hold their interval, a line each on @out
 * @file: the configuration, as given
 *
 * A connection with one request delays nobody but itself, so only its pauses count there.
 * Return: 0; negative errno.
 */
int check_cycles(const struct assembly *assembly, const char *file, FILE *out);
/** check_appointments() - name the sites whose contact is no longer appointed on @now_ms
 * Return: how many */
size_t check_appointments(const struct plan *plan, const char *file, int64_t now_ms, FILE *out);
