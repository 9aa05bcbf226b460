/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping the evaluator's state across restarts.
 *
 * The bytes are a head and one named record for each monitor and each limit. A name that the plan
 * no longer has is passed over, a condition without a record starts at rest.
 */
#include "core/evaluate-state.h"

#include <stdio.h>
#include <string.h>

/* Grows when a state struct changes its meaning. */
#define KEEP_VERSION 3

struct keep_head {
	uint32_t version, monitor_bytes, limit_bytes, n_monitors;
	uint64_t n_limits;
};

enum { NAME_BYTES = 192 };

static void monitor_name(const struct plan *plan, uint32_t monitor, char *out)
{
	const struct monitor *m = &plan->monitors[monitor];
	memset(out, 0, NAME_BYTES);
	snprintf(out, NAME_BYTES, "%s/%s", plan->sites[m->site].id, m->factor);
}

size_t evaluator_save_size(const struct evaluator *e)
{
	return sizeof(struct keep_head) +
	       e->plan->n_monitors *
		       (NAME_BYTES + sizeof(struct monitor_state) + sizeof(uint32_t)) +
	       e->n_limits * (NAME_BYTES + sizeof(struct limit_state));
}

static unsigned char *put(unsigned char *at, const void *data, size_t size)
{
	memcpy(at, data, size);
	return at + size;
}

size_t evaluator_save(const struct evaluator *e, void *out)
{
	unsigned char *at = out;
	struct keep_head head = {KEEP_VERSION, sizeof(struct monitor_state),
				 sizeof(struct limit_state), (uint32_t)e->plan->n_monitors,
				 e->n_limits};
	at = put(at, &head, sizeof head);
	for (uint32_t i = 0; i < e->plan->n_monitors; i++) {
		const struct monitor *m = &e->plan->monitors[i];
		uint32_t n = (uint32_t)m->n_limits;
		char name[NAME_BYTES];
		monitor_name(e->plan, i, name);
		at = put(at, name, sizeof name);
		at = put(at, &e->monitors[i], sizeof e->monitors[i]);
		at = put(at, &n, sizeof n);
		for (uint32_t j = 0; j < n; j++) {
			memset(name, 0, sizeof name);
			snprintf(name, sizeof name, "%s", m->limits[j].key);
			at = put(at, name, sizeof name);
			at = put(at, &e->limits[e->first_limit[i] + j], sizeof *e->limits);
		}
	}
	return (size_t)(at - (unsigned char *)out);
}

/* Bytes still to read; take() fails for good once they do not suffice. */
struct rest {
	const unsigned char *at;
	size_t size;
	bool failed;
};

static const void *take(struct rest *rest, size_t size)
{
	if (rest->failed || rest->size < size) {
		rest->failed = true;
		return NULL;
	}
	const void *at = rest->at;
	rest->at += size;
	rest->size -= size;
	return at;
}

static uint32_t find_monitor(const struct plan *plan, const char *wanted, uint32_t guess)
{
	char name[NAME_BYTES];
	for (uint32_t i = 0; i < plan->n_monitors; i++) {
		uint32_t at = (guess + i) % (uint32_t)plan->n_monitors;
		monitor_name(plan, at, name);
		if (strncmp(name, wanted, NAME_BYTES) == 0)
			return at;
	}
	return NO_INDEX;
}

static void take_limit(struct evaluator *e, struct rest *rest, uint32_t monitor)
{
	const char *key = take(rest, NAME_BYTES);
	const void *state = take(rest, sizeof(struct limit_state));
	if (state == NULL || monitor == NO_INDEX)
		return;
	const struct monitor *m = &e->plan->monitors[monitor];
	for (uint32_t i = 0; i < m->n_limits; i++)
		if (strncmp(m->limits[i].key, key, NAME_BYTES - 1) == 0)
			memcpy(&e->limits[e->first_limit[monitor] + i], state, sizeof *e->limits);
}

static void take_monitor(struct evaluator *e, struct rest *rest, uint32_t guess)
{
	const char *name = take(rest, NAME_BYTES);
	const void *state = take(rest, sizeof(struct monitor_state));
	const void *count = take(rest, sizeof(uint32_t));
	uint32_t n, monitor;
	if (count == NULL)
		return;
	memcpy(&n, count, sizeof n);
	monitor = find_monitor(e->plan, name, guess);
	if (monitor != NO_INDEX)
		memcpy(&e->monitors[monitor], state, sizeof *e->monitors);
	for (uint32_t i = 0; i < n && !rest->failed; i++)
		take_limit(e, rest, monitor);
}

bool evaluator_load(struct evaluator *e, const void *data, size_t size)
{
	struct rest rest = {.at = data, .size = size};
	const void *at = take(&rest, sizeof(struct keep_head));
	struct keep_head head;
	if (at == NULL)
		return false;
	memcpy(&head, at, sizeof head);
	if (head.version != KEEP_VERSION || head.monitor_bytes != sizeof(struct monitor_state) ||
	    head.limit_bytes != sizeof(struct limit_state) ||
	    rest.size != head.n_monitors * (NAME_BYTES + sizeof(struct monitor_state) +
					    sizeof(uint32_t)) +
				 head.n_limits * (NAME_BYTES + sizeof(struct limit_state)))
		return false;
	for (uint32_t i = 0; i < head.n_monitors && !rest.failed; i++)
		take_monitor(e, &rest, i);
	return !rest.failed;
}

void evaluator_resume(struct evaluator *e, int64_t alive_ms, int64_t mono_ns)
{
	for (uint32_t i = 0; i < e->plan->n_monitors; i++) {
		struct monitor_state *m = &e->monitors[i];
		int64_t silent_ms = alive_ms - m->heard_ms;
		m->heard_mono_ns = mono_ns - (silent_ms > 0 ? silent_ms : 0) * 1000000;
	}
}

/* An active alert that the ledger says was cleared: the reading that cleared it broke the run, too,
 * and may be lost. The recovery stays for an alert that is adopted again. */
static void forget_track(struct track *track)
{
	if (track->alert.active)
		track->on_run = false;
	track->alert.active = false;
}

void evaluator_forget_alerts(struct evaluator *e)
{
	for (uint32_t i = 0; i < e->plan->n_monitors; i++) {
		struct monitor_state *m = &e->monitors[i];
		m->stale.active = m->flat.active = m->step.active = m->over_range.active = false;
	}
	for (size_t i = 0; i < e->n_limits; i++) {
		forget_track(&e->limits[i].exceedance);
		forget_track(&e->limits[i].warning);
		e->limits[i].undetermined.active = false;
	}
	for (size_t i = 0; i < e->plan->n_connections; i++)
		e->links[i].alert.active = false;
	for (size_t i = 0; i < OWN_FAULTS; i++)
		e->own[i].active = false;
}

static void clamp(int64_t *ms, int64_t most)
{
	if (*ms > most)
		*ms = most;
}

static void set_back_monitor(struct evaluator *e, uint32_t monitor, int64_t wall_ms)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	struct monitor_state *state = &e->monitors[monitor];
	struct limit_state *limits = &e->limits[e->first_limit[monitor]];
	clamp(&state->newest_ms, wall_ms);
	clamp(&state->valid_ms, wall_ms);
	clamp(&state->result_ms, wall_ms);
	clamp(&state->heard_ms, wall_ms);
	clamp(&state->heard_measured_ms, wall_ms);
	clamp(&state->seen_ms, wall_ms);
	clamp(&state->seen_result_ms, wall_ms);
	state->flat_run = false;
	for (uint32_t i = 0; i < m->n_limits; i++) {
		limits[i].exceedance.on_run = limits[i].exceedance.off_run = false;
		limits[i].warning.on_run = limits[i].warning.off_run = false;
		if (m->limits[i].average != AVERAGE_INSTANT &&
		    limits[i].windows.next.start_ms > wall_ms)
			windows_start(&limits[i].windows, &e->plan->zone, m->limits[i].average,
				      wall_ms);
	}
}

void evaluator_set_back(struct evaluator *e, int64_t wall_ms)
{
	for (size_t i = 0; i < e->plan->n_sites; i++)
		discharge_set_back(&e->discharges[i], wall_ms);
	for (uint32_t i = 0; i < e->plan->n_monitors; i++)
		set_back_monitor(e, i, wall_ms);
}

/* Does the plan still look for this? A check that was taken out would never clear its alert. */
static bool still_checked(const struct monitor *m, const struct verdict *v)
{
	switch (v->kind) {
	case ALERT_WARNING:
		return v->limit != NO_INDEX && m->limits[v->limit].warn_at > 0;
	case ALERT_STALE:
		return m->stale_after_ms > 0;
	case ALERT_FLAT:
		return m->flat_after_ms > 0 || m->flat_count > 0;
	case ALERT_STEP:
		return m->max_step > 0;
	case ALERT_CLUE:
		return m->has_range;
	case ALERT_EXCEEDANCE:
	case ALERT_UNDETERMINED:
		return v->limit != NO_INDEX;
	case ALERT_FAULT:
	case ALERT_CONNECTION:
	case ALERT_LOAD:
	case ALERT_KINDS:
		break;
	}
	return false;
}

static struct alert_state *place_of_own(struct evaluator *e, const char *reason)
{
	for (size_t i = 0; reason != NULL && i < OWN_FAULTS; i++)
		if (strcmp(reason, own_fault_name((enum own_fault)i)) == 0)
			return &e->own[i];
	return NULL;
}

/* The place of an alert in the state, NULL if the plan has no such condition. */
static struct alert_state *place_of(struct evaluator *e, const struct verdict *v)
{
	if (v->kind == ALERT_CONNECTION)
		return v->connection == NO_INDEX ? NULL : &e->links[v->connection].alert;
	if (v->kind == ALERT_FAULT)
		return place_of_own(e, v->reason);
	if (v->monitor == NO_INDEX || !still_checked(&e->plan->monitors[v->monitor], v))
		return NULL;
	struct monitor_state *m = &e->monitors[v->monitor];
	struct limit_state *l =
		v->limit == NO_INDEX ? NULL : &e->limits[e->first_limit[v->monitor] + v->limit];
	switch (v->kind) {
	case ALERT_EXCEEDANCE:
		return &l->exceedance.alert;
	case ALERT_WARNING:
		return &l->warning.alert;
	case ALERT_UNDETERMINED:
		return &l->undetermined;
	case ALERT_STALE:
		return &m->stale;
	case ALERT_FLAT:
		return &m->flat;
	case ALERT_STEP:
		return &m->step;
	case ALERT_CLUE:
		return &m->over_range;
	case ALERT_FAULT:
	case ALERT_CONNECTION:
	case ALERT_LOAD:
	case ALERT_KINDS:
		break;
	}
	return NULL;
}

bool evaluator_adopt(struct evaluator *e, const struct verdict *v)
{
	struct alert_state *a = place_of(e, v);
	if (a == NULL)
		return false;
	bool known = a->began_ms == v->began_ms && a->raised_ms == v->raised_ms;
	uint32_t readings = known && a->readings > v->readings ? a->readings : v->readings;
	double peak = known ? a->peak : v->peak_value;
	int64_t peak_ms = known ? a->peak_ms : v->peak_ms;
	*a = (struct alert_state){.active = true,
				  .bound = v->bound,
				  .has_value = v->has_value,
				  .began_ms = v->began_ms,
				  .raised_ms = v->raised_ms,
				  .value = v->value,
				  .last = v->last_value,
				  .readings = readings,
				  .peak = peak,
				  .peak_ms = peak_ms};
	return true;
}
