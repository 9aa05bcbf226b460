/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Models: what is known of kinds of instruments, from the files models/NAME.cfg of the data
 * directory, each entry with its source. A site's monitor names a model and one of its quantities,
 * and says only what differs.
 *
 * A model may have several inputs alike, of which a monitor names one (`input`); each register then
 * says by how much its address grows from one to the next (`step`).
 */
#include "config/schema.h"

struct model_quantity {
	struct config_monitor monitor; /* as a monitor would say it; for input 1 */
	char *id;
	int step, inputs;
};

struct model {
	char *id;
	int inputs;
	bool exact;
	bool alternatives; /* an instrument has one of the quantities: they may overlap */
	/* what its bus needs; 0: nothing; max_gap -1: nothing */
	int64_t request_gap_ms, connect_pause_ms, timeout_ms;
	int max_gap, max_registers;
	struct model_quantity *quantities;
	size_t n_quantities;
};

struct models {
	struct model *at;
	size_t n;
};

/**
 * models_read() - every file of DATA/models; without that folder there are none
 * Return: 0; -EINVAL with faults, also where registers of a model overlap; -ENOMEM
 */
int models_read(struct models *models, const char *data, const struct reader *reader,
		struct faults *faults);
void models_deinit(struct models *models);

/** models_find() - the model that the monitor @group names; NULL: a fault says which there are */
const struct model *models_find(const struct models *models, struct walk *walk,
				const config_setting_t *group);
/** model_quantity() - the quantity that it names; it may leave that out where there is one only */
const struct model_quantity *model_quantity(const struct model *model, struct walk *walk,
					    const config_setting_t *group);
/** model_slow_down() - what the model needs of its connection, unless the connection says it itself
 */
void model_slow_down(const struct model *model, struct config_connection *connection);
