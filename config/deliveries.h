/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Deliveries: the part of the grammar that says who is told what, and how; and with whom readings
 * are shared.
 */
#include "config/schema.h"

struct config;

/** deliveries_read() - read the list `deliveries` of @root; connections and sites are read already
 */
void deliveries_read(struct walk *walk, struct config *config, const config_setting_t *root);
/** sharing_read() - read the list `share` of @root */
void sharing_read(struct walk *walk, struct config *config, const config_setting_t *root);
void deliveries_free(struct config *config);
