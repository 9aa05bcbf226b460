/* SPDX-License-Identifier: Apache-2.0 */
/* Marks over what is evaluated. */
#include "core/evaluate-state.h"

void evaluator_marks(struct evaluator *e, const struct marks *marks)
{
	e->marks = marks;
}

const struct reading *reading_marked(const struct marks *marks, const struct reading *r,
				     struct reading *room)
{
	enum flag flag;
	if (!marks_flag(marks, r->monitor, r->measured_ms, &flag))
		return r;
	*room = *r;
	room->flag = (uint8_t)flag;
	return room;
}
