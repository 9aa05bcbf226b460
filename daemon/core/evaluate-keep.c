/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping the evaluator's state across restarts.
 *
 * The bytes are a head and one named record for each monitor and each limit. A record's parts that
 * are at rest, all zeros, are one byte, and are not written to when they are taken up. A name that
 * the plan no longer has is passed over, a condition without a record starts at rest.
 */
#include "core/evaluate-state.h"

#include <stdio.h>
#include <string.h>

/* Grows when a state struct changes its meaning. */
#define KEEP_VERSION 10

struct keep_head {
	uint32_t version, monitor_bytes, limit_bytes, n_monitors;
	uint32_t n_flows, flow_bytes, n_clues, clue_bytes, n_eights, eight_bytes, n_awaiting;
	uint64_t bytes; /* of all, the head included */
};

enum {
	NAME_BYTES = 192, /* the end of the text included */
	MONITOR_BYTES = sizeof(struct monitor_state) + sizeof(struct monitor_alerts),
	LIMIT_BYTES = sizeof(struct limit_state) + sizeof(struct limit_rest),
	PARTS = 2, /* of either, with a byte before each */
};

static void monitor_name(const struct plan *plan, uint32_t monitor, char *out)
{
	const struct monitor *m = &plan->monitors[monitor];
	memset(out, 0, NAME_BYTES);
	snprintf(out, NAME_BYTES, "%s/%s", plan->sites[m->site].id, m->factor);
}

static size_t eights_of(const struct evaluator *e)
{
	size_t n = 0;
	for (size_t i = 0; i < e->n_limits; i++)
		n += e->eights[i] != NULL;
	return n;
}

static size_t awaiting_of(const struct evaluator *e)
{
	size_t n = 0;
	for (size_t i = 0; i < e->plan->n_sites; i++)
		n += e->discharges[i].in_use ? AWAITING_MOST : 0;
	return n;
}

size_t evaluator_save_size(const struct evaluator *e)
{
	return sizeof(struct keep_head) +
	       e->plan->n_monitors * (NAME_BYTES + MONITOR_BYTES + PARTS + sizeof(uint32_t)) +
	       e->n_limits * (NAME_BYTES + LIMIT_BYTES + PARTS) +
	       e->plan->n_sites * (NAME_BYTES + sizeof(struct discharge_record)) +
	       e->plan->n_clues * (NAME_BYTES + sizeof(struct clue_state)) +
	       eights_of(e) * (2 * NAME_BYTES + sizeof(struct eight)) +
	       awaiting_of(e) * (NAME_BYTES + sizeof(struct reading));
}

static unsigned char *put(unsigned char *at, const void *data, size_t size)
{
	memcpy(at, data, size);
	return at + size;
}

static unsigned char *put_name(unsigned char *at, const char *name)
{
	int n = snprintf((char *)at, NAME_BYTES, "%s", name);
	return at + (n < NAME_BYTES ? n + 1 : NAME_BYTES);
}

static bool is_at_rest(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static unsigned char *put_part(unsigned char *at, const void *data, size_t size)
{
	bool is_there = !is_at_rest(data, size);
	*at++ = is_there;
	return is_there ? put(at, data, size) : at;
}

static unsigned char *put_monitor(const struct evaluator *e, uint32_t monitor, unsigned char *at)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	uint32_t n = (uint32_t)m->n_limits, first = e->first_limit[monitor];
	char name[NAME_BYTES];
	monitor_name(e->plan, monitor, name);
	at = put_name(at, name);
	at = put_part(at, &e->monitors[monitor], sizeof *e->monitors);
	at = put_part(at, &e->alerts[monitor], sizeof *e->alerts);
	at = put(at, &n, sizeof n);
	for (uint32_t i = 0; i < n; i++) {
		at = put_name(at, m->limits[i].key);
		at = put_part(at, &e->limits[first + i], sizeof *e->limits);
		at = put_part(at, &e->rests[first + i], sizeof *e->rests);
	}
	return at;
}

static unsigned char *put_flows(const struct evaluator *e, unsigned char *at, uint32_t *n)
{
	for (size_t i = 0; i < e->plan->n_sites; i++) {
		struct discharge_record record;
		if (!e->discharges[i].in_use)
			continue;
		discharge_save(&e->discharges[i], &record);
		at = put_name(at, e->plan->sites[i].id);
		at = put(at, &record, sizeof record);
		++*n;
	}
	return at;
}

static unsigned char *put_clues(const struct evaluator *e, unsigned char *at, uint32_t *n)
{
	for (uint32_t i = 0; i < e->plan->n_monitors; i++) {
		const struct clue_rules *rules = e->plan->monitors[i].clues;
		char name[NAME_BYTES];
		if (rules == NULL)
			continue;
		monitor_name(e->plan, i, name);
		at = put_name(at, name);
		at = put(at, &e->clues[rules - e->plan->clues], sizeof *e->clues);
		++*n;
	}
	return at;
}

static unsigned char *put_eights(const struct evaluator *e, unsigned char *at, uint32_t *n)
{
	for (uint32_t i = 0; i < e->plan->n_monitors; i++)
		for (size_t j = 0; j < e->plan->monitors[i].n_limits; j++) {
			const struct eight *eight = e->eights[e->first_limit[i] + j];
			char name[NAME_BYTES];
			if (eight == NULL)
				continue;
			monitor_name(e->plan, i, name);
			at = put_name(at, name);
			at = put_name(at, e->plan->monitors[i].limits[j].key);
			at = put(at, eight, sizeof *eight);
			++*n;
		}
	return at;
}

static unsigned char *put_awaiting(const struct evaluator *e, unsigned char *at, uint32_t *n)
{
	for (size_t i = 0; i < e->plan->n_sites; i++)
		for (uint32_t j = 0; j < e->awaiting[i].n; j++) {
			const struct reading *r = &e->awaiting[i].at[j];
			char name[NAME_BYTES];
			monitor_name(e->plan, r->monitor, name);
			at = put_name(at, name);
			at = put(at, r, sizeof *r);
			++*n;
		}
	return at;
}

size_t evaluator_save(const struct evaluator *e, void *out)
{
	unsigned char *at = out;
	struct keep_head head = {.version = KEEP_VERSION,
				 .monitor_bytes = MONITOR_BYTES,
				 .limit_bytes = LIMIT_BYTES,
				 .flow_bytes = sizeof(struct discharge_record),
				 .clue_bytes = sizeof(struct clue_state),
				 .eight_bytes = sizeof(struct eight),
				 .n_monitors = (uint32_t)e->plan->n_monitors};
	at += sizeof head;
	for (uint32_t i = 0; i < e->plan->n_monitors; i++)
		at = put_monitor(e, i, at);
	at = put_flows(e, at, &head.n_flows);
	at = put_clues(e, at, &head.n_clues);
	at = put_eights(e, at, &head.n_eights);
	at = put_awaiting(e, at, &head.n_awaiting);
	head.bytes = (uint64_t)(at - (unsigned char *)out);
	(void)put(out, &head, sizeof head);
	return (size_t)head.bytes;
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

static const char *take_name(struct rest *rest)
{
	size_t most = rest->size < NAME_BYTES ? rest->size : NAME_BYTES;
	size_t n = rest->failed ? 0 : strnlen((const char *)rest->at, most);
	if (n == most)
		rest->failed = true;
	return take(rest, n + 1);
}

/* Into @to, unless that is NULL. */
static void take_part(struct rest *rest, void *to, size_t size)
{
	const unsigned char *is_there = take(rest, 1);
	const void *data = is_there != NULL && *is_there ? take(rest, size) : NULL;
	if (data != NULL && to != NULL)
		memcpy(to, data, size);
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

static uint32_t find_limit(const struct monitor *m, const char *key)
{
	for (uint32_t i = 0; i < m->n_limits; i++)
		if (strncmp(m->limits[i].key, key, NAME_BYTES - 1) == 0)
			return i;
	return NO_INDEX;
}

static void take_limit(struct evaluator *e, struct rest *rest, uint32_t monitor)
{
	const char *key = take_name(rest);
	uint32_t limit = key == NULL || monitor == NO_INDEX
				 ? NO_INDEX
				 : find_limit(&e->plan->monitors[monitor], key);
	uint32_t at = limit == NO_INDEX ? 0 : e->first_limit[monitor] + limit;
	take_part(rest, limit == NO_INDEX ? NULL : &e->limits[at], sizeof *e->limits);
	take_part(rest, limit == NO_INDEX ? NULL : &e->rests[at], sizeof *e->rests);
}

static void take_monitor(struct evaluator *e, struct rest *rest, uint32_t guess)
{
	const char *name = take_name(rest);
	if (name == NULL)
		return;
	uint32_t n, monitor = find_monitor(e->plan, name, guess);
	bool known = monitor != NO_INDEX;
	if (known)
		e->calms[monitor].on = false;
	take_part(rest, known ? &e->monitors[monitor] : NULL, sizeof *e->monitors);
	take_part(rest, known ? &e->alerts[monitor] : NULL, sizeof *e->alerts);
	const void *count = take(rest, sizeof n);
	if (count == NULL)
		return;
	memcpy(&n, count, sizeof n);
	for (uint32_t i = 0; i < n && !rest->failed; i++)
		take_limit(e, rest, monitor);
}

static void take_flow(struct evaluator *e, struct rest *rest)
{
	const char *name = take_name(rest);
	const void *at = take(rest, sizeof(struct discharge_record));
	struct discharge_record record;
	if (at == NULL)
		return;
	memcpy(&record, at, sizeof record);
	for (size_t i = 0; i < e->plan->n_sites; i++)
		if (e->discharges[i].in_use && strcmp(e->plan->sites[i].id, name) == 0)
			discharge_load(&e->discharges[i], &record);
}

static void take_clue(struct evaluator *e, struct rest *rest, uint32_t guess)
{
	const char *name = take_name(rest);
	const void *at = take(rest, sizeof(struct clue_state));
	uint32_t monitor = at == NULL ? NO_INDEX : find_monitor(e->plan, name, guess);
	if (monitor == NO_INDEX || e->plan->monitors[monitor].clues == NULL)
		return;
	memcpy(&e->clues[e->plan->monitors[monitor].clues - e->plan->clues], at,
	       sizeof(struct clue_state));
}

static void take_eight(struct evaluator *e, struct rest *rest)
{
	const char *name = take_name(rest), *key = take_name(rest);
	const void *at = take(rest, sizeof(struct eight));
	uint32_t monitor = at == NULL ? NO_INDEX : find_monitor(e->plan, name, 0);
	uint32_t limit =
		monitor == NO_INDEX ? NO_INDEX : find_limit(&e->plan->monitors[monitor], key);
	if (limit == NO_INDEX)
		return;
	struct eight *eight = e->eights[e->first_limit[monitor] + limit];
	if (eight != NULL)
		memcpy(eight, at, sizeof *eight);
}

/* Its frame is gone with the life in which it came, and so is that life's clock. */
static void take_awaiting(struct evaluator *e, struct rest *rest)
{
	const char *name = take_name(rest);
	const void *at = take(rest, sizeof(struct reading));
	uint32_t monitor = at == NULL ? NO_INDEX : find_monitor(e->plan, name, 0);
	struct reading r;
	if (monitor == NO_INDEX)
		return;
	memcpy(&r, at, sizeof r);
	r.monitor = monitor;
	r.frame = 0;
	r.received_mono_ns = 0;
	awaiting_put(e, &r);
}

bool evaluator_load(struct evaluator *e, const void *data, size_t size)
{
	struct rest rest = {.at = data, .size = size};
	const void *at = take(&rest, sizeof(struct keep_head));
	struct keep_head head;
	if (at == NULL)
		return false;
	memcpy(&head, at, sizeof head);
	if (head.version != KEEP_VERSION || head.monitor_bytes != MONITOR_BYTES ||
	    head.limit_bytes != LIMIT_BYTES || head.flow_bytes != sizeof(struct discharge_record) ||
	    head.clue_bytes != sizeof(struct clue_state) ||
	    head.eight_bytes != sizeof(struct eight) || head.bytes != size)
		return false;
	for (uint32_t i = 0; i < head.n_monitors && !rest.failed; i++)
		take_monitor(e, &rest, i);
	for (uint32_t i = 0; i < head.n_flows && !rest.failed; i++)
		take_flow(e, &rest);
	for (uint32_t i = 0; i < head.n_clues && !rest.failed; i++)
		take_clue(e, &rest, i);
	for (uint32_t i = 0; i < head.n_eights && !rest.failed; i++)
		take_eight(e, &rest);
	for (uint32_t i = 0; i < head.n_awaiting && !rest.failed; i++)
		take_awaiting(e, &rest);
	return !rest.failed && rest.size == 0;
}

void evaluator_resume(struct evaluator *e, int64_t alive_ms, int64_t mono_ns)
{
	for (uint32_t i = 0; i < e->plan->n_monitors; i++) {
		struct monitor_state *m = &e->monitors[i];
		int64_t silent_ms = alive_ms - m->heard_ms;
		m->heard_mono_ns = mono_ns - (silent_ms > 0 ? silent_ms : 0) * 1000000;
	}
}

static void forget_alert(struct alert_state *alert)
{
	if (alert->active)
		alert->active = false;
}

/* An active alert that the ledger says was cleared: the reading that cleared it broke the run, too,
 * and may be lost. The recovery stays for an alert that is adopted again. */
static void forget_track(struct track *track)
{
	if (track->alert.active)
		track->on_run = false;
	forget_alert(&track->alert);
}

void evaluator_forget_alerts(struct evaluator *e)
{
	for (uint32_t i = 0; i < e->plan->n_monitors; i++) {
		forget_alert(&e->alerts[i].stale);
		forget_alert(&e->alerts[i].flat);
		forget_alert(&e->alerts[i].step);
		forget_alert(&e->alerts[i].over_range);
		forget_alert(&e->alerts[i].under_range);
		forget_alert(&e->alerts[i].impossible);
		forget_alert(&e->alerts[i].late);
	}
	for (size_t i = 0; i < e->n_limits; i++) {
		forget_track(&e->limits[i].exceedance);
		forget_track(&e->rests[i].warning);
		forget_alert(&e->rests[i].undetermined);
	}
	for (size_t i = 0; i < e->plan->n_clues; i++)
		clues_forget_alerts(&e->clues[i]);
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
	struct limit_rest *rests = &e->rests[e->first_limit[monitor]];
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
		if (m->limits[i].warn_at > 0)
			rests[i].warning.on_run = rests[i].warning.off_run = false;
		if (m->limits[i].average != AVERAGE_INSTANT &&
		    rests[i].windows.next.start_ms > wall_ms) {
			struct eight *eight = e->eights[e->first_limit[monitor] + i];
			windows_start(&rests[i].windows, &e->plan->zone, m->limits[i].average,
				      wall_ms);
			if (eight != NULL)
				*eight = (struct eight){0};
		}
	}
}

void evaluator_set_back(struct evaluator *e, int64_t wall_ms)
{
	awaiting_end(e);
	for (size_t i = 0; i < e->plan->n_sites; i++)
		discharge_set_back(&e->discharges[i], wall_ms);
	for (uint32_t i = 0; i < e->plan->n_monitors; i++)
		set_back_monitor(e, i, wall_ms);
	for (size_t i = 0; i < e->plan->n_clues; i++)
		clues_set_back(&e->clues[i]);
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
		return monitor_looks_for_steps(m);
	case ALERT_CLUE:
		return true; /* place_of_clue() tells */
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

static struct alert_state *place_of_clue(struct evaluator *e, uint32_t monitor, const char *reason)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	if (reason != NULL && strcmp(reason, "under_range") == 0)
		return signal_says_low(m) ? &e->alerts[monitor].under_range : NULL;
	if (reason != NULL && strcmp(reason, "impossible") == 0)
		return m->has_most || m->unreal_from > 0 || m->n_codes + m->n_own_codes > 0
			       ? &e->alerts[monitor].impossible
			       : NULL;
	if (reason != NULL && strcmp(reason, "fill_code") == 0)
		return m->n_fills > 0 ? &e->alerts[monitor].impossible : NULL;
	if (reason != NULL && strcmp(reason, "out_of_order") == 0)
		return m->late_count > 0 ? &e->alerts[monitor].late : NULL;
	if (reason != NULL && strcmp(reason, "over_range") != 0)
		return clue_place(e, monitor, reason);
	return m->has_range ? &e->alerts[monitor].over_range : NULL;
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
	struct monitor_alerts *m = &e->alerts[v->monitor];
	uint32_t at = e->first_limit[v->monitor] + (v->limit == NO_INDEX ? 0 : v->limit);
	switch (v->kind) {
	case ALERT_EXCEEDANCE:
		return &e->limits[at].exceedance.alert;
	case ALERT_WARNING:
		return &e->rests[at].warning.alert;
	case ALERT_UNDETERMINED:
		return &e->rests[at].undetermined;
	case ALERT_STALE:
		return &m->stale;
	case ALERT_FLAT:
		return &m->flat;
	case ALERT_STEP:
		return &m->step;
	case ALERT_CLUE:
		return place_of_clue(e, v->monitor, v->reason);
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
	if (v->monitor != NO_INDEX)
		e->calms[v->monitor].on = false;
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
	if (v->kind == ALERT_CLUE) {
		struct monitor_state *m = &e->monitors[v->monitor];
		m->impossible = e->alerts[v->monitor].impossible.active;
		if (a == &e->alerts[v->monitor].impossible)
			m->filled = strcmp(v->reason, "fill_code") == 0;
		m->astray = m->astray || e->alerts[v->monitor].late.active;
	}
	return true;
}
