/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Where each rule of the plan comes from, as the configuration kept it.
 */
#include "config/config.h"
#include "core/plan.h"

struct rule_place place_of_rule(struct config_origin from);
/** places_fill() - of all sites, monitors and limits of the plan, which are filled
 * Return: 0, -ENOMEM */
int places_fill(struct plan *plan, const struct config *config);
void places_deinit(struct plan *plan);
