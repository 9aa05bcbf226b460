/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reserve: room in the store that nobody uses until there is none on the disk. Removing readings
 * takes a little room first, to write down that they go; so do a start and a reload. The reserve,
 * a file of the store, gives it a step at a time, and is made anew once there is room again.
 *
 * Its last steps are for starts alone: a daemon that could not free anything is to come up, poll
 * and judge on the full disk. Any thread; two that take a step at once may get the same one.
 */
#include <stdbool.h>
#include <stdint.h>

struct reserve {
	int fd; /* -1: there is none */
	int64_t all_bytes;
};

enum reserve_use { RESERVE_WORK, RESERVE_START };

/**
 * reserve_open() - what is left of it; it takes no room by being opened
 * @max_bytes: bound of the store, of which it is a small part
 */
void reserve_open(struct reserve *reserve, const char *directory, int64_t max_bytes);
void reserve_close(struct reserve *reserve);
/** reserve_give() - Return: true if there is a step's room more on the disk now */
bool reserve_give(struct reserve *reserve, enum reserve_use use);
/** reserve_start() - a step, if the disk is full */
void reserve_start(struct reserve *reserve);
/** reserve_refill() - where the disk has room for it and as much again; once in a while */
void reserve_refill(struct reserve *reserve);
