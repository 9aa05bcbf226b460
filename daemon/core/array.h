/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Array: memory that grows with what is put into it, twice as much each time.
 */
#include <stddef.h>

/**
 * array_room() - room for one more element behind @n of them
 * @at: what there is, NULL at first; from malloc(), and the caller's, who frees it
 * @room: in and out: how many elements it holds
 * @size: of an element, bytes
 * Return: where the array is from now on; NULL without memory, and then @at is still there
 */
void *array_room(void *at, size_t n, size_t *room, size_t size);
