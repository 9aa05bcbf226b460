/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Marks given with recorded data: a file of them, known before anything is judged.
 */
#include "core/marks.h"
#include "core/plan.h"

#include <stdio.h>

/**
 * backtest_marks() - read the marks of @file, later lines over earlier ones
 * Unknown monitors are said on @err and passed over; a bad line is said as file:line.
 * Return: 0 and *out, to be deinitialised; 1 where a line or the file cannot be read.
 */
int backtest_marks(const struct plan *plan, const char *file, struct marks *out, FILE *err);
