/* SPDX-License-Identifier: Apache-2.0 */
#include "config/schema.h"

/* A line becomes true when the part is built. */
const struct feature features[] = {
	{"driver", "modbus", true},
	{"driver", "mqtt", true},
	{"driver", "hj212", false},
	{"transport", "tcp", true},
	{"transport", "rtu", true},
	{"transport", "rtu-over-tcp", true},
	{"transport", "dtu", true},
	{"delivery type", "file", true},
	{"delivery type", "webhook", true},
	{"delivery type", "smtp", true},
	{"delivery type", "mqtt", true},
	{"delivery type", "alertmanager", true},
	{"delivery type", "postgresql", true},
	{"influx api", "v1", true},
	{"influx api", "v2", true},
	{"influx api", "v3", true},
};
const size_t n_features = sizeof(features) / sizeof(features[0]);
