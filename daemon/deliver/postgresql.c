/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery type "postgresql": each event to the registry of a city, by ducha.take() of
 * config/postgresql/ducha.sql, which takes it twice without harm.
 *
 * libpq is used without blocking, so that a server that goes silent holds the thread no longer than
 * timeout_ms. Only looking up the host's name is not bounded by us.
 */
#include "deliver/postgresql.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_MS = 500 };

struct postgresql {
	struct courier_host host;
	char *address, *port, *database;
	PGconn *connection; /* NULL: none */
	int64_t until_ms;   /* of the try */
};

enum courier_outcome postgresql_judge(const char *sqlstate)
{
	static const struct {
		const char *class;
		enum courier_outcome outcome;
	} classes[] = {
		{"22", COURIER_REFUSED},     {"23", COURIER_REFUSED},
		{"28", COURIER_TURNED_AWAY}, {"3D", COURIER_TURNED_AWAY},
		{"42", COURIER_TURNED_AWAY}, {"08", COURIER_UNREACHABLE},
		{"25", COURIER_UNREACHABLE}, {"40", COURIER_UNREACHABLE},
		{"53", COURIER_UNREACHABLE}, {"55", COURIER_UNREACHABLE},
		{"57", COURIER_UNREACHABLE}, {"58", COURIER_UNREACHABLE},
	};
	for (size_t i = 0; sqlstate != NULL && i < sizeof classes / sizeof classes[0]; i++)
		if (strncmp(classes[i].class, sqlstate, 2) == 0)
			return classes[i].outcome;
	return sqlstate == NULL ? COURIER_UNREACHABLE : COURIER_FAILED;
}

/* --- waiting --- */

/* Return: 0 once the socket is ready; -ETIMEDOUT, -ECANCELED. */
static int await(struct postgresql *pg, short events)
{
	struct pollfd ready = {.fd = PQsocket(pg->connection), .events = events};
	while (!pause_stopped(pg->host.pause)) {
		pause_beat(pg->host.pause);
		if (pause_now_ms() >= pg->until_ms)
			return -ETIMEDOUT;
		if (poll(&ready, 1, STEP_MS) > 0)
			return 0;
	}
	return -ECANCELED;
}

static void hang_up(struct postgresql *pg)
{
	PQfinish(pg->connection);
	pg->connection = NULL;
}

/* The first line of what the server or the library says. */
static void take_words(struct courier_answer *answer, const char *state, const char *said)
{
	size_t n = 0, at;
	said += strspn(said, " \t\r\n");
	at = (size_t)snprintf(answer->text, sizeof answer->text,
			      "PostgreSQL%s%s: ", state == NULL ? "" : " ",
			      state == NULL ? "" : state);
	for (; said[n] != '\0' && said[n] != '\n' && at + 1 < sizeof answer->text; n++)
		answer->text[at++] = (unsigned char)said[n] < ' ' ? ' ' : said[n];
	answer->text[at] = '\0';
}

static enum courier_outcome broken(struct postgresql *pg, int rc, struct courier_answer *answer)
{
	const char *said = rc == -ETIMEDOUT ? "no answer in time" : PQerrorMessage(pg->connection);
	take_words(answer, NULL, said);
	hang_up(pg);
	return rc == -ECANCELED ? COURIER_STOPPED : COURIER_UNREACHABLE;
}

/* --- connecting --- */

/* The library says why only in words. */
static enum courier_outcome rejected(struct postgresql *pg, struct courier_answer *answer)
{
	bool known = PQconnectionNeedsPassword(pg->connection) ||
		     strstr(PQerrorMessage(pg->connection), "FATAL:") != NULL;
	bool starting = strstr(PQerrorMessage(pg->connection), "the database system is") != NULL ||
			strstr(PQerrorMessage(pg->connection), "too many") != NULL;
	take_words(answer, NULL, PQerrorMessage(pg->connection));
	hang_up(pg);
	return known && !starting ? COURIER_TURNED_AWAY : COURIER_UNREACHABLE;
}

static PGconn *begin(const struct postgresql *pg)
{
	const struct delivery_setup *setup = pg->host.setup;
	const char *const keys[] = {"host",
				    "port",
				    "dbname",
				    "user",
				    "password",
				    "sslmode",
				    "sslrootcert",
				    "sslcert",
				    "sslkey",
				    "ssl_min_protocol_version",
				    "application_name",
				    "options",
				    NULL};
	const char *const values[] = {pg->address,
				      pg->port,
				      pg->database,
				      setup->username,
				      setup->password,
				      setup->ca_file != NULL ? "verify-full" : "prefer",
				      setup->ca_file,
				      setup->cert_file,
				      setup->key_file,
				      "TLSv1.2",
				      "ducha",
				      "-c client_encoding=UTF8",
				      NULL};
	return PQconnectStartParams(keys, values, 0);
}

static enum courier_outcome connect_to(struct postgresql *pg, struct courier_answer *answer)
{
	pg->connection = begin(pg);
	if (pg->connection == NULL)
		return courier_errno(answer, "PostgreSQL", ENOMEM);
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;
	if (PQstatus(pg->connection) == CONNECTION_BAD)
		next = PGRES_POLLING_FAILED;
	while (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING) {
		int rc = await(pg, next == PGRES_POLLING_READING ? POLLIN : POLLOUT);
		if (rc != 0)
			return broken(pg, rc, answer);
		next = PQconnectPoll(pg->connection);
	}
	if (next != PGRES_POLLING_OK)
		return rejected(pg, answer);
	PQsetnonblocking(pg->connection, 1);
	return COURIER_DELIVERED;
}

/* --- one event --- */

/* Return: 0 once all is sent and a result may be read. */
static int exchange(struct postgresql *pg)
{
	int rc = 0, left;
	while (rc == 0 && (left = PQflush(pg->connection)) != 0)
		rc = left < 0 || PQconsumeInput(pg->connection) == 0 ? -EIO : await(pg, POLLOUT);
	while (rc == 0 && PQisBusy(pg->connection)) {
		rc = await(pg, POLLIN);
		if (rc == 0 && PQconsumeInput(pg->connection) == 0)
			rc = -EIO;
	}
	return rc;
}

static enum courier_outcome read_result(struct postgresql *pg, struct courier_answer *answer)
{
	PGresult *result = PQgetResult(pg->connection);
	ExecStatusType status = PQresultStatus(result);
	enum courier_outcome outcome = COURIER_DELIVERED;
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
		take_words(answer, state, said != NULL ? said : PQerrorMessage(pg->connection));
		outcome = postgresql_judge(state);
	}
	PQclear(result);
	while ((result = PQgetResult(pg->connection)) != NULL)
		PQclear(result);
	if (outcome != COURIER_DELIVERED && outcome != COURIER_REFUSED)
		hang_up(pg);
	return outcome;
}

static enum courier_outcome run(struct postgresql *pg, const char *sql, int n,
				const char *const *values, struct courier_answer *answer)
{
	if (pg->connection != NULL && PQstatus(pg->connection) != CONNECTION_OK)
		hang_up(pg);
	if (pg->connection == NULL) {
		enum courier_outcome outcome = connect_to(pg, answer);
		if (outcome != COURIER_DELIVERED)
			return outcome;
	}
	int sent = PQsendQueryParams(pg->connection, sql, n, NULL, values, NULL, NULL, 0);
	int rc = sent == 1 ? exchange(pg) : -EIO;
	return rc == 0 ? read_result(pg, answer) : broken(pg, rc, answer);
}

static enum courier_outcome postgresql_send(void *state, const struct outbox_event *event,
					    struct courier_answer *answer)
{
	struct postgresql *pg = state;
	char id[24];
	snprintf(id, sizeof id, "%lld", (long long)event->id);
	const char *const values[] = {pg->host.plan->node, id, event->json};
	bool is_test = strcmp(event->type, "test") == 0; /* leaves no trace, and needs all rights */
	pg->until_ms = pause_now_ms() + pg->host.setup->timeout_ms;
	enum courier_outcome outcome =
		run(pg,
		    is_test ? "SELECT has_function_privilege('ducha.take(text, bigint, jsonb)', "
			      "'execute')"
			    : "SELECT ducha.take($1, $2::bigint, $3::jsonb)",
		    is_test ? 0 : 3, values, answer);
	if (outcome == COURIER_DELIVERED)
		snprintf(answer->text, sizeof answer->text, "%s",
			 is_test ? "the registry answers" : "committed");
	return outcome;
}

/* --- birth and death --- */

static void postgresql_close(void *state)
{
	struct postgresql *pg = state;
	PQfinish(pg->connection);
	free(pg->address);
	free(pg->port);
	free(pg->database);
	free(pg);
}

/* postgresql://host:port/database, as the configuration has checked it; [v6] without brackets. */
static int read_url(struct postgresql *pg, const char *url)
{
	const char *host = strstr(url, "://") + 3, *slash = strchr(host, '/');
	bool v6 = host[0] == '[';
	size_t length = strcspn(host, v6 ? "]" : ":/");
	const char *colon = host + length + v6;
	pg->address = strndup(host + v6, length - v6);
	pg->port = *colon == ':' ? strndup(colon + 1, (size_t)(slash - colon - 1)) : strdup("5432");
	pg->database = strdup(slash + 1);
	return pg->address == NULL || pg->port == NULL || pg->database == NULL ? -ENOMEM : 0;
}

static int postgresql_open(void **state, const struct courier_host *host)
{
	struct postgresql *pg = calloc(1, sizeof *pg);
	if (pg == NULL)
		return -ENOMEM;
	pg->host = *host;
	int rc = read_url(pg, host->setup->url);
	if (rc != 0)
		postgresql_close(pg);
	else
		*state = pg;
	return rc;
}

const struct courier_type courier_postgresql = {
	.name = "postgresql",
	.longest_pause_ms = 60000,
	.open = postgresql_open,
	.send = postgresql_send,
	.close = postgresql_close,
};
