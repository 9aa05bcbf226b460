/* SPDX-License-Identifier: Apache-2.0 */
#include "core/array.h"

#include <stdlib.h>

enum { ROOM_FIRST = 16 };

void *array_room(void *at, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return at;
	size_t more = *room == 0 ? ROOM_FIRST : 2 * *room;
	void *moved = reallocarray(at, more, size);
	if (moved != NULL)
		*room = more;
	return moved;
}
