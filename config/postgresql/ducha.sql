-- SPDX-License-Identifier: Apache-2.0
-- The registry of a city: the cases and alerts of all its edges, as deliveries of type postgresql
-- bring them. For PostgreSQL 13 and later, by its owner, once (it may be run again):
--
--   psql -v ON_ERROR_STOP=1 -d city -f ducha.sql
--
-- Each edge has a role of its own, which may do one thing, ducha.take(), and only for its node:
--
--   CREATE ROLE edge_01 LOGIN PASSWORD '…' CONNECTION LIMIT 4;
--   GRANT ducha_edge TO edge_01;
--   INSERT INTO ducha.nodes(node, role) VALUES ('wuhua-edge-01', 'edge_01');
--
-- Whoever evaluates gets SELECT on the tables and nothing else.
BEGIN;
CREATE SCHEMA IF NOT EXISTS ducha;

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ducha_edge') THEN
		CREATE ROLE ducha_edge NOLOGIN;
	END IF;
END
$$;

CREATE TABLE IF NOT EXISTS ducha.nodes (
	node text PRIMARY KEY,
	role name NOT NULL UNIQUE
);

-- Whatever came, as it came. (node, id) is the event's identity, in the edge's ledger and here.
CREATE TABLE IF NOT EXISTS ducha.events (
	node text NOT NULL,
	id bigint NOT NULL,
	type text NOT NULL,
	time timestamptz NOT NULL,
	received timestamptz NOT NULL DEFAULT now(),
	event jsonb NOT NULL,
	PRIMARY KEY (node, id)
);
CREATE INDEX IF NOT EXISTS events_time ON ducha.events (time);

-- The newest state of each case. `event` is the event that brought it.
CREATE TABLE IF NOT EXISTS ducha.cases (
	node text NOT NULL,
	id bigint NOT NULL,
	event bigint NOT NULL,
	number text NOT NULL,
	site text,
	site_name text,
	factor text,
	kind text NOT NULL,
	severity text NOT NULL,
	status text NOT NULL,
	verified boolean,
	level text,
	escalation integer,
	source text,
	opened_at timestamptz NOT NULL,
	closed_at timestamptz,
	due_at timestamptz,
	limit_value double precision,
	unit text,
	first_value double precision,
	peak_value double precision,
	last_value double precision,
	multiple double precision,
	responsible text,
	data jsonb NOT NULL,
	PRIMARY KEY (node, id)
);
CREATE INDEX IF NOT EXISTS cases_open ON ducha.cases (opened_at) WHERE closed_at IS NULL;

-- What was done, step by step; nothing of it is ever changed.
CREATE TABLE IF NOT EXISTS ducha.history (
	node text NOT NULL,
	case_id bigint NOT NULL,
	position bigint NOT NULL,
	at timestamptz NOT NULL,
	action text NOT NULL,
	by text,
	note text,
	data jsonb NOT NULL,
	PRIMARY KEY (node, case_id, position),
	FOREIGN KEY (node, case_id) REFERENCES ducha.cases
);

CREATE TABLE IF NOT EXISTS ducha.alerts (
	node text NOT NULL,
	id bigint NOT NULL,
	event bigint NOT NULL,
	site text,
	factor text,
	connection text,
	kind text NOT NULL,
	case_id bigint,
	raised_at timestamptz NOT NULL,
	cleared_at timestamptz,
	value double precision,
	limit_value double precision,
	data jsonb NOT NULL,
	PRIMARY KEY (node, id)
);

CREATE OR REPLACE FUNCTION ducha.take_case(the_node text, the_event bigint, c jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog AS $$
	INSERT INTO ducha.cases VALUES (
		the_node, (c->>'id')::bigint, the_event, c->>'number', c->>'site', c->>'site_name',
		c->>'factor', c->>'kind', c->>'severity', c->>'status', (c->>'verified')::boolean,
		c->>'level', (c->>'escalation')::integer, c->>'source',
		(c->>'opened_at')::timestamptz, (c->>'closed_at')::timestamptz,
		(c->>'due_at')::timestamptz, (c->>'limit')::double precision, c->>'unit',
		(c->>'first_value')::double precision, (c->>'peak_value')::double precision,
		(c->>'last_value')::double precision, (c->>'multiple')::double precision,
		c->'responsible'->>'unit', c)
	ON CONFLICT (node, id) DO UPDATE SET
		event = excluded.event, number = excluded.number, severity = excluded.severity,
		status = excluded.status, verified = excluded.verified, level = excluded.level,
		escalation = excluded.escalation, closed_at = excluded.closed_at,
		due_at = excluded.due_at, limit_value = excluded.limit_value,
		peak_value = excluded.peak_value, last_value = excluded.last_value,
		multiple = excluded.multiple, responsible = excluded.responsible,
		data = excluded.data
	WHERE ducha.cases.event < excluded.event;

	INSERT INTO ducha.history
	SELECT the_node, (c->>'id')::bigint, position, (step->>'at')::timestamptz,
		step->>'action', step->>'by', step->>'note', step
	FROM jsonb_array_elements(c->'history') WITH ORDINALITY AS steps(step, position)
	ON CONFLICT DO NOTHING;
$$;

CREATE OR REPLACE FUNCTION ducha.take_alert(the_node text, the_event bigint, a jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog AS $$
	INSERT INTO ducha.alerts VALUES (
		the_node, (a->>'id')::bigint, the_event, a->>'site', a->>'factor',
		a->>'connection', a->>'kind', (a->>'case')::bigint,
		(a->>'raised_at')::timestamptz, (a->>'cleared_at')::timestamptz,
		(a->>'value')::double precision, (a->>'limit')::double precision, a)
	ON CONFLICT (node, id) DO UPDATE SET
		event = excluded.event, case_id = excluded.case_id,
		cleared_at = excluded.cleared_at, data = excluded.data
	WHERE ducha.alerts.event < excluded.event;
$$;

-- The one thing that an edge does: hand over an event, once or several times, in any order.
CREATE OR REPLACE FUNCTION ducha.take(the_node text, the_event bigint, e jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	kept timestamptz;
BEGIN
	IF NOT EXISTS (SELECT FROM ducha.nodes AS n
		WHERE n.node = the_node AND n.role = session_user) THEN
		RAISE EXCEPTION 'role % does not speak for node %', session_user, the_node
			USING ERRCODE = 'insufficient_privilege';
	END IF;
	INSERT INTO ducha.events(node, id, type, time, event)
		VALUES (the_node, the_event, e->>'type', (e->>'time')::timestamptz, e)
		ON CONFLICT DO NOTHING;
	SELECT time INTO kept FROM ducha.events WHERE node = the_node AND id = the_event;
	IF kept <> (e->>'time')::timestamptz THEN
		RAISE EXCEPTION 'event % of node % is known as another one; an edge that lost its ledger needs a new node id',
			the_event, the_node USING ERRCODE = 'unique_violation';
	END IF;
	IF e->>'type' LIKE 'ducha.case.%' THEN
		PERFORM ducha.take_case(the_node, the_event, e->'data');
	ELSIF e->>'type' LIKE 'ducha.alert.%' THEN
		PERFORM ducha.take_alert(the_node, the_event, e->'data');
	END IF;
END
$$;

REVOKE ALL ON FUNCTION ducha.take(text, bigint, jsonb), ducha.take_case(text, bigint, jsonb),
	ducha.take_alert(text, bigint, jsonb) FROM PUBLIC;
GRANT USAGE ON SCHEMA ducha TO ducha_edge;
GRANT EXECUTE ON FUNCTION ducha.take(text, bigint, jsonb) TO ducha_edge;
COMMIT;
