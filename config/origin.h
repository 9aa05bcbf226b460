/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Origin: where each rule in force comes from, for those who ask why a rule holds.
 */
#include "config/schema.h"

/** origin_at() - a line of a file of config->files; a place that does not fit is not known */
struct config_origin origin_at(enum config_whence whence, size_t file, int line);
/** origin_said() - the place of @setting in the configuration of @walk */
struct config_origin origin_said(const struct walk *walk, const config_setting_t *setting);
/**
 * origins_of_keys() - set in @from those whose key @group has
 * @keys: @n names in the order of @from; NULL: a rule without a key of its own
 */
void origins_of_keys(const struct walk *walk, const config_setting_t *group,
		     const char *const *keys, size_t n, struct config_origin *from);
/** origin_file() - its place in config->files, at which it is put unless it stands there */
size_t origin_file(struct walk *walk, struct config *config, const char *name);
/** origins_keep() - the configuration takes over the names of its files; before any origin_file()
 */
void origins_keep(struct walk *walk, struct config *config);
