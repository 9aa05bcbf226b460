/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The office's rules for cases as configured, over core's defaults.
 */
#include "config/config.h"
#include "core/caserules.h"
#include "core/supcase.h"

/** case_rules_fill() - Return: 0, -ENOMEM. Days and names live as long as @config. */
int case_rules_fill(struct case_rules *rules, const struct config *config);
/** severity_fill() - the steps of severity */
struct severity_steps severity_fill(const struct config_severity *severity);
void case_rules_deinit(struct case_rules *rules);
