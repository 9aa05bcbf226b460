/* SPDX-License-Identifier: Apache-2.0 */
#include "config/schema.h"

const struct feature features[] = {
	{"driver", "modbus"},
	{"driver", "mqtt"},
	{"driver", "hj212"},
	{"transport", "tcp"},
	{"transport", "rtu"},
	{"transport", "rtu-over-tcp"},
	{"transport", "dtu"},
	{"delivery type", "file"},
	{"delivery type", "webhook"},
	{"delivery type", "smtp"},
	{"delivery type", "mqtt"},
	{"delivery type", "alertmanager"},
	{"delivery type", "postgresql"},
	{"influx api", "v1"},
	{"influx api", "v2"},
	{"influx api", "v3"},
};
const size_t n_features = sizeof(features) / sizeof(features[0]);
