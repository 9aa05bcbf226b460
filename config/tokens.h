/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Tokens: http.officers_file, which names the officers who may act over HTTP; its lines are those
 * of config/token-lines.h. The token itself is in no file.
 */
#include "config/schema.h"

struct config;

/** tokens_read() - read the file that @group, http, names; the officers are read already */
void tokens_read(struct walk *walk, struct config *config, const config_setting_t *group);
void tokens_free(struct config *config);
