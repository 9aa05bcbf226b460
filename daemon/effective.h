/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Effective: every rule in force, as --check --effective lists them: a line each, aligned.
 */
#include "core/plan.h"

#include <stdio.h>

/** effective_print() - site, factor, limit, rule, figure, and where it comes from
 * Return: 0; -ENOMEM */
int effective_print(const struct plan *plan, FILE *out);
/** effective_note() - which sites have the defaults of single rules, because they follow no
 * practice
 * @file: the configuration's */
void effective_note(const struct plan *plan, const char *file, FILE *out);
