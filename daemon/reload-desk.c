/* SPDX-License-Identifier: Apache-2.0 */
#include "reload.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int reload_desk_init(struct reload_desk *desk)
{
	*desk = (struct reload_desk){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
				     .open = true};
	pthread_mutex_init(&desk->lock, NULL);
	pthread_cond_init(&desk->changed, NULL);
	return desk->wake_fd < 0 ? -errno : 0;
}

void reload_desk_deinit(struct reload_desk *desk)
{
	if (desk->wake_fd < 0)
		return;
	close(desk->wake_fd);
	pthread_cond_destroy(&desk->changed);
	pthread_mutex_destroy(&desk->lock);
	text_deinit(&desk->said);
}

uint64_t reload_desk_take(struct reload_desk *desk)
{
	eventfd_t rung;
	(void)eventfd_read(desk->wake_fd, &rung);
	pthread_mutex_lock(&desk->lock);
	uint64_t ticket = desk->asked;
	pthread_mutex_unlock(&desk->lock);
	return ticket;
}

void reload_desk_answer(struct reload_desk *desk, uint64_t ticket, bool good,
			const struct text *said)
{
	pthread_mutex_lock(&desk->lock);
	desk->done = ticket;
	desk->good = good;
	text_clear(&desk->said);
	text_add(&desk->said, said->at != NULL ? said->at : "");
	pthread_cond_broadcast(&desk->changed);
	pthread_mutex_unlock(&desk->lock);
}

void reload_desk_close(struct reload_desk *desk)
{
	if (desk->wake_fd < 0)
		return;
	pthread_mutex_lock(&desk->lock);
	desk->open = false;
	pthread_cond_broadcast(&desk->changed);
	pthread_mutex_unlock(&desk->lock);
}

bool reload_desk_ask(struct reload_desk *desk, struct text *answer)
{
	pthread_mutex_lock(&desk->lock);
	uint64_t ticket = ++desk->asked;
	(void)eventfd_write(desk->wake_fd, 1);
	while (desk->open && desk->done < ticket)
		pthread_cond_wait(&desk->changed, &desk->lock);
	bool good = desk->done >= ticket && desk->good;
	if (desk->done >= ticket)
		text_add(answer, desk->said.at != NULL ? desk->said.at : "");
	else
		text_add(answer, "the daemon is ending");
	pthread_mutex_unlock(&desk->lock);
	return good;
}
