/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is answered, and when: 9014 to data, 9013 to notices, each when all readings of its message
 * are committed. The loop never waits for the disk: it asks for a commit and looks at each tick how
 * far the ring is stored. Numbers of the ring only grow, so answers leave in the order they came.
 */
#include "drivers/hj212/internal.h"

#include <stdio.h>
#include <sys/socket.h>

bool answers_have_room(const struct session *session)
{
	return session->owed < OWED_MOST && session->listener->hj212->answers.n < ANSWERS_MOST;
}

/* In the words of who asks: its QN, PW and MN, and the version of its Flag (HJ 212-2017, C.47 to
 * C.50). Loggers of 2005 have no QN. */
static size_t answer_write(char *out, const struct hj212_message *message, int command)
{
	char data[3 * HJ212_ECHO_MOST + 64];
	size_t n = 0;
	if (message->qn.n > 0)
		n += (size_t)snprintf(data, sizeof data, "QN=%.*s;", (int)message->qn.n,
				      message->qn.at);
	n += (size_t)snprintf(data + n, sizeof data - n, "ST=91;CN=%d;", command);
	if (message->pw.n > 0)
		n += (size_t)snprintf(data + n, sizeof data - n, "PW=%.*s;", (int)message->pw.n,
				      message->pw.at);
	n += (size_t)snprintf(data + n, sizeof data - n, "MN=%.*s;Flag=%d;CP=&&&&",
			      (int)message->mn.n, message->mn.at, message->flag & HJ212_VERSION);
	return hj212_frame_write(out, data, n);
}

/* A peer that does not even read its answers is gone. */
static void send_to(struct session *session, const struct answer *answer)
{
	ssize_t sent = send(session->fd, answer->frame, answer->n, MSG_NOSIGNAL | MSG_DONTWAIT);
	session->failed = session->failed || sent != (ssize_t)answer->n;
}

void answer_owe(struct session *session, const struct hj212_message *message, int command,
		uint64_t seq)
{
	struct answers *answers = &session->listener->hj212->answers;
	bool at_once = session->listener->config->ack == HJ212_ACK_RECEIVED;
	struct answer *answer = &answers->at[(answers->first + answers->n) % ANSWERS_MOST];
	answer->n = answer_write(answer->frame, message, command);
	answer->session = session;
	answer->seq = seq;
	if (at_once) {
		send_to(session, answer);
		return;
	}
	answers->n++;
	session->owed++;
	session->listener->hj212->owes = true;
}

bool answers_wait(const struct hj212 *hj212)
{
	const struct answers *answers = &hj212->answers;
	if (answers->n == 0)
		return false;
	size_t last = (answers->first + answers->n - 1) % ANSWERS_MOST;
	return answers->at[last].seq > door_stored(hj212->host.door);
}

void answers_send(struct hj212 *hj212)
{
	struct answers *answers = &hj212->answers;
	if (answers->n == 0)
		return;
	uint64_t stored = door_stored(hj212->host.door);
	while (answers->n > 0 && answers->at[answers->first].seq <= stored) {
		struct answer *answer = &answers->at[answers->first];
		struct session *session = answer->session;
		answers->first = (answers->first + 1) % ANSWERS_MOST;
		answers->n--;
		if (session == NULL)
			continue;
		session->owed--;
		send_to(session, answer);
		if (session->failed)
			session_drop(session);
	}
}

void answers_forget(struct session *session)
{
	struct answers *answers = &session->listener->hj212->answers;
	for (size_t i = 0; session->owed > 0 && i < answers->n; i++) {
		struct answer *answer = &answers->at[(answers->first + i) % ANSWERS_MOST];
		if (answer->session != session)
			continue;
		answer->session = NULL;
		session->owed--;
	}
}
