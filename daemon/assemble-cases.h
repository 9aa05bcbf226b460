/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The office's rules for cases as configured, over core's defaults.
 */
#include "config/config.h"
#include "core/caserules.h"

/** case_rules_fill() - Return: 0, -ENOMEM. Days and names live as long as @config. */
int case_rules_fill(struct case_rules *rules, const struct config *config);
void case_rules_deinit(struct case_rules *rules);
