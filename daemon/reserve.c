/* SPDX-License-Identifier: Apache-2.0 */
#include "reserve.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MOST_BYTES = 8 << 20, PART = 32, STEPS = 8, START_STEPS = 4, BLOCK_BYTES = 512 };

void reserve_open(struct reserve *reserve, const char *directory, int64_t max_bytes)
{
	char path[4200];

	reserve->all_bytes = max_bytes / PART < MOST_BYTES ? max_bytes / PART : MOST_BYTES;
	(void)mkdir(directory, 0750); /* at the first start; whoever needs it says what is wrong */
	snprintf(path, sizeof path, "%s/reserve", directory);
	reserve->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (reserve->fd < 0)
		log_warn("%s", path);
}

void reserve_close(struct reserve *reserve)
{
	if (reserve->fd >= 0)
		close(reserve->fd);
	reserve->fd = -1;
}

static int64_t disk_free(const struct reserve *reserve)
{
	struct statvfs disk;

	return fstatvfs(reserve->fd, &disk) == 0 ? (int64_t)(disk.f_bavail * disk.f_frsize) : -1;
}

bool reserve_give(struct reserve *reserve, enum reserve_use use)
{
	int64_t step = reserve->all_bytes / STEPS,
		stays = use == RESERVE_START ? 0 : step * START_STEPS;
	struct stat status;

	if (reserve->fd < 0 || fstat(reserve->fd, &status) != 0 || status.st_size <= stays)
		return false;
	int64_t left = status.st_size - step > stays ? status.st_size - step : stays;
	return ftruncate(reserve->fd, left) == 0;
}

void reserve_start(struct reserve *reserve)
{
	if (reserve->fd >= 0 && disk_free(reserve) < reserve->all_bytes / STEPS)
		(void)reserve_give(reserve, RESERVE_START);
}

void reserve_refill(struct reserve *reserve)
{
	struct stat status;

	if (reserve->fd < 0 || fstat(reserve->fd, &status) != 0 ||
	    (status.st_size == reserve->all_bytes &&
	     status.st_blocks * BLOCK_BYTES >= reserve->all_bytes))
		return;
	if (status.st_size > reserve->all_bytes)
		(void)!ftruncate(reserve->fd, reserve->all_bytes);
	else if (reserve->all_bytes > 0 && disk_free(reserve) > 2 * reserve->all_bytes)
		(void)posix_fallocate(reserve->fd, 0, reserve->all_bytes);
}
