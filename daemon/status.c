/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include "base/notify.h"
#include "flow/clock.h"
#include "run-state.h"

#include <stdio.h>
#include <string.h>

#define LOOK_NS 5000000000

/* The drivers have registered the series. */
static bool is_up(struct run *run, const struct connection *connection)
{
	char labels[512];
	snprintf(labels, sizeof labels, "connection=\"%s\"", connection->id);
	struct metric *up = metrics_find(run->metrics, "ducha_connections_up", labels);
	return up != NULL && metric_get(up) != 0;
}

static bool answers(struct run *run, uint32_t monitor)
{
	struct reading latest;
	return daybook_latest(run->daybook, monitor, &latest) &&
	       latest.flag != FLAG_COMMUNICATION &&
	       (ledger_active_kinds(run->ledger, monitor) & (1u << ALERT_STALE)) == 0;
}

static size_t count_answering(struct run *run)
{
	const struct plan *plan = run->plan;
	size_t n = 0;
	for (uint32_t i = 0; i < plan->n_monitors; i++)
		n += answers(run, i) &&
		     is_up(run, &plan->connections[plan->monitors[i].connection]);
	return n;
}

static size_t count_open(const struct run *run)
{
	size_t n = 0;
	for (int status = 0; status < CASE_STATUSES; status++)
		if (case_status_open((enum case_status)status))
			n += ledger_case_count(run->ledger, (enum case_status)status);
	return n;
}

void status_say(struct run *run)
{
	char line[sizeof run->status], message[sizeof "STATUS=" + sizeof line];
	int64_t now_ns = clock_mono_ns();
	if (run->status[0] != '\0' && now_ns - run->looked_ns < LOOK_NS)
		return;
	run->looked_ns = now_ns;
	size_t open = count_open(run);
	snprintf(line, sizeof line, "%zu of %zu monitors answering, %zu %s open",
		 count_answering(run), run->plan->n_monitors, open, open == 1 ? "case" : "cases");
	if (strcmp(line, run->status) == 0)
		return;
	snprintf(message, sizeof message, "STATUS=%s", line);
	if (notify_say(message, 0) == 0)
		memcpy(run->status, line, sizeof line);
}
