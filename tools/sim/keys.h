/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Keys: reading a libconfig group with a fault, said with file and line, for everything that is
 * not as it should be. All faults are said, not only the first.
 */
#include <libconfig.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct keys {
	const char *file;
	FILE *faults;
	int n_faults;
	bool out_of_memory;
};

void keys_fault(struct keys *k, const config_setting_t *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** keys_only() - @names: the known ones, with a space between each two; others are faults */
void keys_only(struct keys *k, const config_setting_t *group, const char *names);
/** keys_number() - 50 and 50.0 alike; @fallback where the key is missing, NAN: it must be there */
double keys_number(struct keys *k, const config_setting_t *group, const char *name, double low,
		   double high, double fallback);
/** keys_whole() - the same for whole numbers; @fallback INT64_MIN: it must be there */
int64_t keys_whole(struct keys *k, const config_setting_t *group, const char *name, int64_t low,
		   int64_t high, int64_t fallback);
/** keys_text() - a copy, free() it; NULL where the key is missing */
char *keys_text(struct keys *k, const config_setting_t *group, const char *name, bool is_needed);
/** keys_word() - index of the value in @words, NULL-terminated; @fallback -1: it must be there */
int keys_word(struct keys *k, const config_setting_t *group, const char *name,
	      const char *const *words, int fallback);
/** keys_list() - a list of groups; NULL where the key is missing, with a fault if it is needed */
config_setting_t *keys_list(struct keys *k, const config_setting_t *group, const char *name,
			    bool is_needed);
