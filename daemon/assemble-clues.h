/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Clues as configured: the rules of each monitor, who is compared with whom, and with what factor.
 */
#include "config/config.h"
#include "core/plan.h"

/** clues_fill() - into a plan whose sites and monitors stand. Return: 0, -ENOMEM. */
int clues_fill(struct plan *plan, const struct config *config);
void clues_deinit(struct plan *plan);
