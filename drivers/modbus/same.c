/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/same.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_packet(const struct modbus_packet *a, const struct modbus_packet *b)
{
	return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}

static bool same_packets(const struct modbus_packet *a, const struct modbus_packet *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return same_packet(&a[0], &b[0]) && same_packet(&a[1], &b[1]);
}

static bool same_serial(const struct modbus_serial *a, const struct modbus_serial *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return same_text(a->device, b->device) && a->baud == b->baud &&
	       a->data_bits == b->data_bits && a->stop_bits == b->stop_bits &&
	       a->parity == b->parity && a->direction == b->direction &&
	       a->rts_delay_us == b->rts_delay_us && a->echo == b->echo;
}

bool modbus_same_link(const struct modbus_connection *a, const struct modbus_connection *b)
{
	return same_text(a->id, b->id) && same_text(a->host, b->host) && a->port == b->port &&
	       a->framing == b->framing && a->interval_ms == b->interval_ms &&
	       a->timeout_ms == b->timeout_ms && same_serial(a->serial, b->serial) &&
	       same_text(a->listen, b->listen) && same_packets(a->packets, b->packets) &&
	       a->idle_ms == b->idle_ms && a->request_gap_ms == b->request_gap_ms &&
	       a->connect_pause_ms == b->connect_pause_ms;
}

static bool same_place(const struct modbus_place *a, const struct modbus_place *b)
{
	return a->table == b->table && a->address == b->address && a->type == b->type &&
	       a->order == b->order && a->bit == b->bit;
}

static bool same_meaning(const struct modbus_meaning *a, const struct modbus_meaning *b)
{
	return a->bits == b->bits && a->value == b->value && a->flag == b->flag &&
	       a->no_value == b->no_value && a->factor == b->factor;
}

static bool same_extra(const struct modbus_extra *a, const struct modbus_extra *b)
{
	if (a->role != b->role || !same_place(&a->at, &b->at) || a->times != b->times ||
	    a->sign != b->sign || a->bias != b->bias || a->mask != b->mask ||
	    a->n_meanings != b->n_meanings || !same_meaning(&a->otherwise, &b->otherwise) ||
	    a->clock != b->clock || a->is_utc != b->is_utc)
		return false;
	for (size_t i = 0; i < a->n_meanings; i++)
		if (!same_meaning(&a->meanings[i], &b->meanings[i]))
			return false;
	return true;
}

static bool same_more(const struct modbus_more *a, const struct modbus_more *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->n_extras != b->n_extras || a->n_invalid != b->n_invalid)
		return false;
	for (size_t i = 0; i < a->n_extras; i++)
		if (!same_extra(&a->extras[i], &b->extras[i]))
			return false;
	for (size_t i = 0; i < a->n_invalid; i++)
		if (a->invalid[i] != b->invalid[i])
			return false;
	return true;
}

static bool same_point(const struct modbus_point *a, const struct modbus_point *b)
{
	return a->unit_id == b->unit_id && a->table == b->table && a->address == b->address &&
	       a->type == b->type && a->order == b->order && a->bit == b->bit &&
	       a->scale == b->scale && a->offset == b->offset && a->every == b->every &&
	       a->exact == b->exact && a->block == b->block && a->block_count == b->block_count &&
	       a->registers == b->registers && same_more(a->more, b->more);
}

bool modbus_same_points(const struct modbus_connection *a, const struct modbus_connection *b)
{
	if (a->n_points != b->n_points || a->max_gap != b->max_gap ||
	    a->max_registers != b->max_registers)
		return false;
	for (size_t i = 0; i < a->n_points; i++)
		if (!same_point(&a->points[i], &b->points[i]))
			return false;
	return true;
}
