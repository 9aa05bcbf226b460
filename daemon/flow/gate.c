/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/gate.h"

#include <stdint.h>
#include <time.h>

int gate_init(struct gate *gate)
{
	*gate = (struct gate){.stands = false};
	pthread_mutex_init(&gate->lock, NULL);
	return -pthread_cond_init(&gate->changed, NULL);
}

void gate_deinit(struct gate *gate)
{
	pthread_cond_destroy(&gate->changed);
	pthread_mutex_destroy(&gate->lock);
}

void gate_pass(struct gate *gate)
{
	if (!gate_is_shut(gate))
		return;
	pthread_mutex_lock(&gate->lock);
	gate->stands = true;
	pthread_cond_broadcast(&gate->changed);
	while (gate_is_shut(gate))
		pthread_cond_wait(&gate->changed, &gate->lock);
	gate->stands = false;
	pthread_mutex_unlock(&gate->lock);
}

void gate_shut(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	atomic_store(&gate->shut, true);
	pthread_mutex_unlock(&gate->lock);
}

bool gate_stands(struct gate *gate, int timeout_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t ns = until.tv_nsec + (int64_t)timeout_ms * 1000000;
	until.tv_sec += ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	pthread_mutex_lock(&gate->lock);
	while (!gate->stands)
		if (pthread_cond_clockwait(&gate->changed, &gate->lock, CLOCK_MONOTONIC, &until) !=
		    0)
			break;
	bool stands = gate->stands;
	pthread_mutex_unlock(&gate->lock);
	return stands;
}

void gate_open(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	atomic_store(&gate->shut, false);
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}
