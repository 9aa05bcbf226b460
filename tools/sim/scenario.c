/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scenario.h"

#include "sim/keys.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIGNAL_KEYS "base daily peak_hour noise low high decimals events"

/* In the order of the enums. */
static const char *const table_words[] = {"coil", "discrete", "holding", "input", NULL};
static const char *const type_words[] = {"int16",   "uint16",  "int32", "uint32", "int64", "uint64",
					 "float32", "float64", "bcd16", "bcd32",  "bit",   NULL};
static const char *const order_words[] = {"ABCD", "CDAB", "BADC", "DCBA", NULL};
static const char *const event_words[] = {"exceedance", "step", "stuck", "nan", "silence", NULL};

static const double HUGE_NUMBER = 1e15;
static const double MAX_SECONDS = 1e9;

/* calloc() that allows none and says when there is no memory. */
static void *scenario_room(struct keys *k, int n, size_t bytes)
{
	void *at = calloc(n > 0 ? (size_t)n : 1, bytes);
	if (at == NULL)
		k->out_of_memory = true;
	return at;
}

static void scenario_event(struct keys *k, const config_setting_t *group, struct signal_event *e)
{
	e->kind = (enum signal_event_kind)keys_word(k, group, "kind", event_words, -1);
	e->at_ms = llround(keys_number(k, group, "at", 0.0, MAX_SECONDS, NAN) * 1000.0);
	e->for_ms = llround(keys_number(k, group, "for", 0.001, MAX_SECONDS, 0.0) * 1000.0);
	switch (e->kind) {
	case SIGNAL_EXCEEDANCE:
		keys_only(k, group, "kind at for target");
		e->amount = keys_number(k, group, "target", -HUGE_NUMBER, HUGE_NUMBER, NAN);
		break;
	case SIGNAL_STEP:
		keys_only(k, group, "kind at for by");
		e->amount = keys_number(k, group, "by", -HUGE_NUMBER, HUGE_NUMBER, NAN);
		break;
	case SIGNAL_STUCK:
	case SIGNAL_NAN:
	case SIGNAL_SILENCE:
		keys_only(k, group, "kind at for");
		break;
	}
}

static void scenario_signal(struct keys *k, const config_setting_t *group,
			    const struct scenario *scenario, const char *name, struct signal *s)
{
	s->key = signal_key(scenario->seed, name != NULL ? name : "");
	s->start_hour = scenario->start_hour;
	s->base = keys_number(k, group, "base", -HUGE_NUMBER, HUGE_NUMBER, NAN);
	s->daily = keys_number(k, group, "daily", -HUGE_NUMBER, HUGE_NUMBER, 0.0);
	s->peak_hour = keys_number(k, group, "peak_hour", 0.0, 24.0, 14.0);
	s->noise = keys_number(k, group, "noise", 0.0, HUGE_NUMBER, 0.0);
	s->low = keys_number(k, group, "low", -HUGE_NUMBER, HUGE_NUMBER, -HUGE_NUMBER);
	s->high = keys_number(k, group, "high", -HUGE_NUMBER, HUGE_NUMBER, HUGE_NUMBER);
	s->decimals = (int)keys_whole(k, group, "decimals", 0, 9, 3);
	config_setting_t *events = keys_list(k, group, "events", false);
	int n = events != NULL ? config_setting_length(events) : 0;
	s->events = scenario_room(k, n, sizeof *s->events);
	for (int i = 0; s->events != NULL && i < n; i++)
		scenario_event(k, config_setting_get_elem(events, (unsigned)i),
			       &s->events[s->n_events++]);
	if (s->low > s->high)
		keys_fault(k, group, "\"low\" is %g, above \"high\" %g", s->low, s->high);
}

static bool scenario_has_event(const struct signal *s, enum signal_event_kind kind)
{
	for (size_t i = 0; i < s->n_events; i++)
		if (s->events[i].kind == kind)
			return true;
	return false;
}

static void scenario_instrument(struct keys *k, const config_setting_t *group,
				const struct scenario *scenario, struct bank_instrument *b)
{
	keys_only(k, group, "name unit_id table address type order scale offset " SIGNAL_KEYS);
	b->name = keys_text(k, group, "name", true);
	b->unit_id = (uint8_t)keys_whole(k, group, "unit_id", 0, 255, 1);
	b->table = (enum bank_table)(keys_word(k, group, "table", table_words, 2) + BANK_COIL);
	b->address = (uint16_t)keys_whole(k, group, "address", 0, 65535, INT64_MIN);
	bool is_bit = b->table == BANK_COIL || b->table == BANK_DISCRETE;
	b->type = (enum bank_type)keys_word(k, group, "type", type_words,
					    is_bit ? BANK_BIT : BANK_FLOAT32);
	b->order = (enum bank_order)keys_word(k, group, "order", order_words, BANK_ABCD);
	b->scale = keys_number(k, group, "scale", -HUGE_NUMBER, HUGE_NUMBER, 1.0);
	b->offset = keys_number(k, group, "offset", -HUGE_NUMBER, HUGE_NUMBER, 0.0);
	scenario_signal(k, group, scenario, b->name, &b->signal);
	if (b->scale == 0.0)
		keys_fault(k, group, "\"scale\" must not be 0");
	if (is_bit != (b->type == BANK_BIT))
		keys_fault(k, group, "coils and discrete inputs hold bits, registers do not");
	if (b->address + bank_width(b->type) > 65536)
		keys_fault(k, group, "the value reaches beyond address 65535");
	if (b->type != BANK_FLOAT32 && b->type != BANK_FLOAT64 &&
	    scenario_has_event(&b->signal, SIGNAL_NAN))
		keys_fault(k, group, "only float32 and float64 can hold a NaN");
}

static void scenario_fault(struct keys *k, const config_setting_t *group, struct fault_rule *rule)
{
	keys_only(k, group, "kind unit_id at for share delay_ms code");
	rule->fault.kind = (enum fault_kind)keys_word(k, group, "kind", fault_words, -1);
	rule->fault.delay_ms = keys_whole(k, group, "delay_ms", 0, 3600000, 0);
	bool is_exception = rule->fault.kind == FAULT_EXCEPTION;
	rule->fault.code =
		(uint8_t)keys_whole(k, group, "code", 1, 255, is_exception ? INT64_MIN : 1);
	rule->unit_id = (int)keys_whole(k, group, "unit_id", -1, 255, -1);
	rule->at_ms = llround(keys_number(k, group, "at", 0.0, MAX_SECONDS, 0.0) * 1000.0);
	rule->for_ms = llround(keys_number(k, group, "for", 0.001, MAX_SECONDS, 0.0) * 1000.0);
	rule->share = keys_number(k, group, "share", 0.0, 1.0, 1.0);
}

static void scenario_faults(struct keys *k, const config_setting_t *list,
			    const struct scenario *scenario, struct scenario_server *s)
{
	int n = list != NULL ? config_setting_length(list) : 0;
	s->faults.seed = signal_key(scenario->seed, s->id != NULL ? s->id : "");
	s->faults.rules = scenario_room(k, n, sizeof *s->faults.rules);
	for (int i = 0; s->faults.rules != NULL && i < n; i++)
		scenario_fault(k, config_setting_get_elem(list, (unsigned)i),
			       &s->faults.rules[s->faults.n++]);
}

static void scenario_server(struct keys *k, const config_setting_t *group,
			    const struct scenario *scenario, struct scenario_server *s)
{
	keys_only(k, group, "id port instruments faults");
	s->id = keys_text(k, group, "id", true);
	s->port = (uint16_t)keys_whole(k, group, "port", 0, 65535, 0);
	scenario_faults(k, keys_list(k, group, "faults", false), scenario, s);
	config_setting_t *list = keys_list(k, group, "instruments", true);
	int n = list != NULL ? config_setting_length(list) : 0;
	s->bank.at = scenario_room(k, n, sizeof *s->bank.at);
	for (int i = 0; s->bank.at != NULL && i < n; i++)
		scenario_instrument(k, config_setting_get_elem(list, (unsigned)i), scenario,
				    &s->bank.at[s->bank.n++]);
	bank_sort(&s->bank);
	const struct bank_instrument *twice = bank_overlap(&s->bank);
	if (twice != NULL)
		keys_fault(k, group, "the instrument after \"%s\" lies on the same register %u",
			   twice->name != NULL ? twice->name : "?", twice->address);
}

static void scenario_servers(struct keys *k, const config_setting_t *list,
			     struct scenario *scenario)
{
	int n = list != NULL ? config_setting_length(list) : 0;
	scenario->servers = scenario_room(k, n, sizeof *scenario->servers);
	for (int i = 0; scenario->servers != NULL && i < n; i++) {
		config_setting_t *group = config_setting_get_elem(list, (unsigned)i);
		struct scenario_server *s = &scenario->servers[scenario->n_servers++];
		scenario_server(k, group, scenario, s);
		for (int j = 0; s->id != NULL && j < i; j++)
			if (scenario->servers[j].id != NULL &&
			    strcmp(scenario->servers[j].id, s->id) == 0)
				keys_fault(k, group, "a server \"%s\" is there already", s->id);
	}
}

static void scenario_value(struct keys *k, const config_setting_t *group,
			   const struct scenario *scenario, struct message_value *v)
{
	keys_only(k, group, "name value " SIGNAL_KEYS);
	v->name = keys_text(k, group, "name", true);
	v->pointer = keys_text(k, group, "value", false);
	if (v->pointer != NULL && !message_pointer_is_good(v->pointer))
		keys_fault(k, group, "\"value\" must be a JSON pointer such as \"/data/nh3n\"");
	scenario_signal(k, group, scenario, v->name, &v->signal);
}

/* One plain number, or any number of members that do not run through one another. */
static void scenario_shape(struct keys *k, const config_setting_t *group, const struct message *m)
{
	size_t plain = 0;
	for (size_t i = 0; i < m->n_values; i++)
		plain += m->values[i].pointer == NULL;
	if (m->n_values == 0)
		keys_fault(k, group, "\"values\" is empty");
	else if (plain > 0 && (m->n_values > 1 || m->time != NULL))
		keys_fault(k, group,
			   "a plain number stands alone: give each value a \"value\" "
			   "pointer, or leave out \"time\" and all values but one");
	char *text = NULL;
	if (k->n_faults == 0 && !k->out_of_memory && message_text(m, 0, 0, &text) == -EINVAL)
		keys_fault(k, group, "the pointers of this message run through one another");
	free(text);
}

static void scenario_publisher(struct keys *k, const config_setting_t *group,
			       const struct scenario *scenario, struct scenario_publisher *p)
{
	keys_only(k, group, "topic qos interval_s time values");
	struct message *m = &p->message;
	m->topic = keys_text(k, group, "topic", true);
	if (m->topic != NULL && strpbrk(m->topic, "+#") != NULL)
		keys_fault(k, group, "\"topic\" is published to and cannot hold + or #");
	m->time = keys_text(k, group, "time", false);
	if (m->time != NULL && !message_pointer_is_good(m->time))
		keys_fault(k, group, "\"time\" must be a JSON pointer such as \"/ts\"");
	p->qos = (int)keys_whole(k, group, "qos", 0, 1, 1);
	p->interval_ms = llround(keys_number(k, group, "interval_s", 0.01, 86400.0, 1.0) * 1000.0);
	config_setting_t *list = keys_list(k, group, "values", true);
	int n = list != NULL ? config_setting_length(list) : 0;
	m->values = scenario_room(k, n, sizeof *m->values);
	for (int i = 0; m->values != NULL && i < n; i++)
		scenario_value(k, config_setting_get_elem(list, (unsigned)i), scenario,
			       &m->values[m->n_values++]);
	if (list != NULL)
		scenario_shape(k, group, m);
}

static void scenario_publishers(struct keys *k, const config_setting_t *list,
				struct scenario *scenario)
{
	int n = list != NULL ? config_setting_length(list) : 0;
	scenario->publishers = scenario_room(k, n, sizeof *scenario->publishers);
	for (int i = 0; scenario->publishers != NULL && i < n; i++)
		scenario_publisher(k, config_setting_get_elem(list, (unsigned)i), scenario,
				   &scenario->publishers[scenario->n_publishers++]);
}

static void scenario_factor(struct keys *k, const config_setting_t *group,
			    const struct scenario *scenario, const struct logger_setup *logger,
			    struct telegram_factor *f)
{
	char *name = NULL;
	keys_only(k, group, "code " SIGNAL_KEYS);
	f->code = keys_text(k, group, "code", true);
	if (f->code != NULL &&
	    asprintf(&name, "%s/%s", logger->id != NULL ? logger->id : "", f->code) < 0) {
		name = NULL;
		k->out_of_memory = true;
	}
	scenario_signal(k, group, scenario, name, &f->signal);
	free(name);
}

static void scenario_absences(struct keys *k, const config_setting_t *list,
			      struct logger_setup *logger)
{
	int n = list != NULL ? config_setting_length(list) : 0;
	logger->absences = scenario_room(k, n, sizeof *logger->absences);
	for (int i = 0; logger->absences != NULL && i < n; i++) {
		const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);
		struct logger_absence *a = &logger->absences[logger->n_absences++];
		keys_only(k, group, "at for");
		a->at_ms = llround(keys_number(k, group, "at", 0.0, MAX_SECONDS, NAN) * 1000.0);
		a->for_ms = llround(keys_number(k, group, "for", 0.001, MAX_SECONDS, 0.0) * 1000.0);
	}
}

static void scenario_logger(struct keys *k, const config_setting_t *group,
			    const struct scenario *scenario, struct logger_setup *logger)
{
	struct telegram_sender *sender = &logger->sender;
	keys_only(k, group, "id mn password st interval_s timeout_s away factors");
	logger->id = keys_text(k, group, "id", true);
	sender->mn = keys_text(k, group, "mn", true);
	sender->password = keys_text(k, group, "password", false);
	if (sender->password == NULL && (sender->password = strdup("123456")) == NULL)
		k->out_of_memory = true;
	sender->system = (int)keys_whole(k, group, "st", 10, 99, 32);
	logger->interval_ms =
		llround(keys_number(k, group, "interval_s", 1.0, 86400.0, 30.0) * 1000.0);
	logger->timeout_ms = llround(keys_number(k, group, "timeout_s", 0.1, 99.0, 10.0) * 1000.0);
	scenario_absences(k, keys_list(k, group, "away", false), logger);
	config_setting_t *list = keys_list(k, group, "factors", true);
	int n = list != NULL ? config_setting_length(list) : 0;
	if (list != NULL && (n == 0 || n > TELEGRAM_FACTORS))
		keys_fault(k, list, "a logger has 1 to %d factors", TELEGRAM_FACTORS);
	sender->factors = scenario_room(k, n, sizeof *sender->factors);
	for (int i = 0; sender->factors != NULL && i < n; i++)
		scenario_factor(k, config_setting_get_elem(list, (unsigned)i), scenario, logger,
				&sender->factors[sender->n_factors++]);
}

static void scenario_loggers(struct keys *k, const config_setting_t *list,
			     struct scenario *scenario)
{
	int n = list != NULL ? config_setting_length(list) : 0;
	scenario->loggers = scenario_room(k, n, sizeof *scenario->loggers);
	for (int i = 0; scenario->loggers != NULL && i < n; i++)
		scenario_logger(k, config_setting_get_elem(list, (unsigned)i), scenario,
				&scenario->loggers[scenario->n_loggers++]);
}

static void scenario_read(struct keys *k, const config_setting_t *root, const uint64_t *seed,
			  struct scenario *s)
{
	keys_only(k, root, "seed start_hour listen broker centre servers publishers loggers");
	int64_t own_seed = keys_whole(k, root, "seed", 0, INT64_MAX, 1);
	s->seed = seed != NULL ? *seed : (uint64_t)own_seed;
	s->start_hour = keys_number(k, root, "start_hour", 0.0, 24.0, 8.0);
	s->listen = keys_text(k, root, "listen", false);
	if (s->listen == NULL && (s->listen = strdup("127.0.0.1")) == NULL)
		k->out_of_memory = true;
	s->broker = keys_text(k, root, "broker", false);
	s->centre = keys_text(k, root, "centre", false);
	scenario_servers(k, keys_list(k, root, "servers", false), s);
	scenario_publishers(k, keys_list(k, root, "publishers", false), s);
	scenario_loggers(k, keys_list(k, root, "loggers", false), s);
	if (s->n_servers + s->n_publishers + s->n_loggers == 0)
		keys_fault(k, NULL,
			   "nothing to play: no \"servers\", no \"publishers\", no \"loggers\"");
}

/*
 * libconfig 1.5 takes an unclosed comment for the end of the file and stays silent.
 * Return: the line where such a comment begins, 0: none.
 */
static unsigned scenario_open_comment(FILE *in)
{
	unsigned line = 1, began = 0;
	int end = 0; /* what ends the present text or comment; 0: in neither */
	for (int c, before = 0; (c = getc(in)) != EOF; before = c) {
		line += c == '\n';
		if (end == 0 && (c == '"' || c == '#')) {
			end = c == '"' ? '"' : '\n';
		} else if (end == 0 && before == '/' && (c == '/' || c == '*')) {
			end = c == '/' ? '\n' : '/';
			began = line;
			c = 0;
		} else if (end == '"' && before == '\\') {
			c = 0;
		} else if (end != 0 && c == end && (end != '/' || before == '*')) {
			end = 0;
			c = 0;
		}
	}
	return end == '/' ? began : 0;
}

static int scenario_parse(struct keys *k, config_t *config)
{
	FILE *in = fopen(k->file, "re");
	if (in == NULL) {
		fprintf(k->faults, "%s:1: cannot read it: %s\n", k->file, strerror(errno));
		return -EINVAL;
	}
	unsigned open = scenario_open_comment(in);
	fclose(in);
	if (open != 0) {
		fprintf(k->faults, "%s:%u: this comment is never closed\n", k->file, open);
		return -EINVAL;
	}
	if (config_read_file(config, k->file) != CONFIG_TRUE) {
		const char *file = config_error_file(config);
		fprintf(k->faults, "%s:%d: %s\n", file != NULL ? file : k->file,
			config_error_line(config), config_error_text(config));
		return -EINVAL;
	}
	return 0;
}

int scenario_load(const char *file, const uint64_t *seed, struct scenario **out, FILE *faults)
{
	struct keys k = {.file = file, .faults = faults};
	config_t config;
	struct scenario *s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	config_init(&config);
	int error = scenario_parse(&k, &config);
	if (error == 0) {
		scenario_read(&k, config_root_setting(&config), seed, s);
		error = k.out_of_memory ? -ENOMEM : k.n_faults > 0 ? -EINVAL : 0;
	}
	config_destroy(&config);
	if (error != 0)
		scenario_free(s);
	else
		*out = s;
	return error;
}

static void scenario_free_server(struct scenario_server *s)
{
	for (size_t i = 0; i < s->bank.n; i++) {
		free(s->bank.at[i].name);
		free(s->bank.at[i].signal.events);
	}
	free(s->bank.at);
	free(s->faults.rules);
	free(s->id);
}

static void scenario_free_publisher(struct scenario_publisher *p)
{
	struct message *m = &p->message;
	for (size_t i = 0; i < m->n_values; i++) {
		free(m->values[i].name);
		free(m->values[i].pointer);
		free(m->values[i].signal.events);
	}
	free(m->values);
	free(m->topic);
	free(m->time);
}

static void scenario_free_logger(struct logger_setup *logger)
{
	struct telegram_sender *sender = &logger->sender;
	for (size_t i = 0; i < sender->n_factors; i++) {
		free(sender->factors[i].code);
		free(sender->factors[i].signal.events);
	}
	free(sender->factors);
	free(sender->mn);
	free(sender->password);
	free(logger->absences);
	free(logger->id);
}

struct scenario *scenario_free(struct scenario *s)
{
	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < s->n_servers; i++)
		scenario_free_server(&s->servers[i]);
	for (size_t i = 0; i < s->n_publishers; i++)
		scenario_free_publisher(&s->publishers[i]);
	for (size_t i = 0; i < s->n_loggers; i++)
		scenario_free_logger(&s->loggers[i]);
	free(s->servers);
	free(s->publishers);
	free(s->loggers);
	free(s->centre);
	free(s->listen);
	free(s->broker);
	free(s);
	return NULL;
}
