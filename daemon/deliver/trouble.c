/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/trouble.h"

#include "deliver/pause.h"

#include <errno.h>
#include <stdio.h>

int trouble_init(struct trouble *trouble, struct ledger *ledger, const char *id,
		 int64_t alarm_after_ms)
{
	*trouble = (struct trouble){.ledger = ledger, .id = id, .alarm_after_ms = alarm_after_ms};
	return -pthread_mutex_init(&trouble->lock, NULL);
}

void trouble_deinit(struct trouble *trouble)
{
	if (trouble->ledger != NULL)
		pthread_mutex_destroy(&trouble->lock);
	trouble->ledger = NULL;
}

void trouble_is(struct trouble *trouble, const char *text, bool refused, int64_t waiting)
{
	pthread_mutex_lock(&trouble->lock);
	snprintf(trouble->text, sizeof trouble->text, "%s", text);
	if (trouble->since_wall_ms == 0) {
		trouble->since_wall_ms = pause_wall_ms();
		trouble->since_ms = pause_now_ms();
	}
	pthread_mutex_unlock(&trouble->lock);
	trouble->refused = refused;
	if (!trouble->silent && log_due(&trouble->repeat))
		log_event(LOGGED_DELIVERY_STOPPED, ABOUT(.delivery = trouble->id),
			  "delivery %s: %s; %lld events wait (try %llu)", trouble->id, text,
			  (long long)waiting, (unsigned long long)trouble->repeat.count);
}

void trouble_note(struct trouble *trouble, const char *text)
{
	pthread_mutex_lock(&trouble->lock);
	snprintf(trouble->text, sizeof trouble->text, "%s", text);
	pthread_mutex_unlock(&trouble->lock);
	if (log_due(&trouble->note_repeat))
		log_event(LOGGED_DELIVERY_REFUSED, ABOUT(.delivery = trouble->id),
			  "delivery %s: %s", trouble->id, text);
}

void trouble_over(struct trouble *trouble)
{
	if (trouble->since_wall_ms == 0)
		return;
	if (!trouble->silent)
		log_event(LOGGED_DELIVERY_AGAIN, ABOUT(.delivery = trouble->id),
			  "delivery %s: delivering again after %llu failed tries", trouble->id,
			  (unsigned long long)trouble->repeat.count);
	pthread_mutex_lock(&trouble->lock);
	trouble->since_wall_ms = 0;
	pthread_mutex_unlock(&trouble->lock);
	trouble->refused = false;
	trouble->repeat = (struct log_repeat){0};
}

static bool alarm_is_due(const struct trouble *trouble)
{
	if (trouble->since_wall_ms == 0)
		return false;
	return trouble->refused || (trouble->alarm_after_ms > 0 &&
				    pause_now_ms() - trouble->since_ms >= trouble->alarm_after_ms);
}

static int say(struct trouble *trouble, bool raise)
{
	char own[80], reason[TROUBLE_BYTES + 80];
	int64_t now_ms = pause_wall_ms();
	snprintf(own, sizeof own, TROUBLE_KEY "%s", trouble->id);
	snprintf(reason, sizeof reason, "delivery %s: %s", trouble->id, trouble->text);
	struct verdict verdict = {.type = raise ? VERDICT_RAISED : VERDICT_CLEARED,
				  .kind = ALERT_FAULT,
				  .monitor = NO_INDEX,
				  .connection = NO_INDEX,
				  .limit = NO_INDEX,
				  .time_ms = now_ms,
				  .began_ms = raise ? trouble->since_wall_ms : now_ms,
				  .raised_ms = now_ms,
				  .own = own,
				  .reason = reason};
	return ledger_apply(trouble->ledger, &verdict, 1, now_ms, NULL);
}

/* An alert that outlives its trouble is cleared; once it is raised, a wait alone does not end it.
 */
void trouble_tick(struct trouble *trouble)
{
	bool raise = !trouble->alarmed && alarm_is_due(trouble);
	if (!raise && !(trouble->alarmed && trouble->since_wall_ms == 0))
		return;
	int rc = say(trouble, raise);
	if (rc == 0) {
		trouble->alarmed = raise;
	} else if (log_due(&trouble->ledger_repeat)) {
		errno = rc < 0 ? -rc : EIO;
		log_warn("delivery %s: its alert cannot be written", trouble->id);
	}
}

struct trouble_view trouble_view(struct trouble *trouble)
{
	struct trouble_view view;
	pthread_mutex_lock(&trouble->lock);
	snprintf(view.text, sizeof view.text, "%s", trouble->text);
	view.since_ms = trouble->since_wall_ms;
	pthread_mutex_unlock(&trouble->lock);
	return view;
}
