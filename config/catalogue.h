/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Catalogue: the factors that can be measured, by HJ 525 (water) and HJ 524 (air) code, from the
 * files catalogue/NAME.cfg of the data directory.
 */
#include "config/schema.h"

struct fill {
	double value;
	bool is_register; /* all there is room for: before any scaling, too */
};

struct catalogue {
	struct config_factor *at;
	size_t n, room;
	double *codes; /* of loggers */
	size_t n_codes;
	double codes_from;
	double unreal_from; /* amounts so large are no measurement of anything; 0: not said */
	char *codes_file;   /* where they stand; NULL: there are none */
	int codes_line;
	struct fill *fills; /* of loggers and registers, which may be amounts as well */
	size_t n_fills;
	char *fills_file;
	int fills_line;
};

/**
 * catalogue_read() - read every file of DATA/catalogue; faults name file and line there
 * Return: 0; -EINVAL with faults; -ENOMEM
 */
int catalogue_read(struct catalogue *catalogue, const char *data, const struct reader *reader,
		   struct faults *faults);
void catalogue_deinit(struct catalogue *catalogue);
/** catalogue_find() - by code or by the old code of HJ/T 212-2005; NULL: there is none */
const struct config_factor *catalogue_find(const struct catalogue *catalogue, const char *code);
/** catalogue_nearest() - the code that differs by capitals only, or NULL; codes are
 * too dense for a guess by letters */
const char *catalogue_nearest(const struct catalogue *catalogue, const char *code);
void config_factor_deinit(struct config_factor *factor);

/** data_files() - call @read for each file of DATA/@folder; a missing folder is a fault */
int data_files(const char *data, const char *folder, const struct reader *reader,
	       struct faults *faults, void (*read)(void *context, struct walk *walk),
	       void *context);
