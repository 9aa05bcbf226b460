/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ducha-sim: the command line. See ducha-sim(1).
 */
#include "sim/play.h"

#include "base/log.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 64, EXIT_CONFIG = 78 };
enum { MAX_SITES = 247 };

enum option_code {
	OPTION_SEED = 256,
	OPTION_FOR,
	OPTION_PORT,
	OPTION_PORT_BASE,
	OPTION_LISTEN,
	OPTION_BROKER,
	OPTION_CENTRE,
	OPTION_CLIENT_ID,
	OPTION_READY_FILE,
	OPTION_HOLD,
	OPTION_FLEET,
	OPTION_REGISTERS,
	OPTION_REPLAY,
	OPTION_SITE,
	OPTION_SPEED,
	OPTION_PREFIX,
	OPTION_QOS,
	OPTION_UTC_OFFSET,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct option long_options[] = {
	{"seed", required_argument, NULL, OPTION_SEED},
	{"for", required_argument, NULL, OPTION_FOR},
	{"port", required_argument, NULL, OPTION_PORT},
	{"port-base", required_argument, NULL, OPTION_PORT_BASE},
	{"listen", required_argument, NULL, OPTION_LISTEN},
	{"broker", required_argument, NULL, OPTION_BROKER},
	{"centre", required_argument, NULL, OPTION_CENTRE},
	{"client-id", required_argument, NULL, OPTION_CLIENT_ID},
	{"ready-file", required_argument, NULL, OPTION_READY_FILE},
	{"hold", no_argument, NULL, OPTION_HOLD},
	{"fleet", required_argument, NULL, OPTION_FLEET},
	{"farm", required_argument, NULL, OPTION_FLEET}, /* its first name */
	{"registers", required_argument, NULL, OPTION_REGISTERS},
	{"replay", required_argument, NULL, OPTION_REPLAY},
	{"site", required_argument, NULL, OPTION_SITE},
	{"speed", required_argument, NULL, OPTION_SPEED},
	{"prefix", required_argument, NULL, OPTION_PREFIX},
	{"qos", required_argument, NULL, OPTION_QOS},
	{"utc-offset", required_argument, NULL, OPTION_UTC_OFFSET},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static const char help_text[] =
	"Usage: ducha-sim [OPTION]... SCENARIO\n"
	"       ducha-sim [OPTION]... --replay DATA.csv [--site SITE]...\n"
	"       ducha-sim [OPTION]... --fleet INSTRUMENTS\n"
	"Plays the instruments of a district: Modbus TCP servers, MQTT publishers, HJ 212 data "
	"loggers.\n\n"
	"  --seed N            source of the noise, instead of the scenario's\n"
	"  --for SECONDS       stop by itself\n"
	"  --port-base N       port of the first Modbus server, the others follow (--port is the "
	"same)\n"
	"  --listen ADDRESS    address of the Modbus servers (127.0.0.1)\n"
	"  --broker URI        MQTT broker, as mqtt://127.0.0.1:1883\n"
	"  --centre ADDRESS    where data loggers dial in, as 127.0.0.1:9002\n"
	"  --client-id ID      name at the broker (ducha-sim-PID)\n"
	"  --ready-file FILE   written, with all ports, when everything is up\n"
	"  --hold              time begins with SIGUSR1 and not at once\n"
	"  --replay DATA.csv   play a recording: time,site,factor,value[,flag]\n"
	"  --site SITE         only this site of the recording; may be repeated\n"
	"  --speed N           times life (1); 0: as fast as the broker takes it\n"
	"  --prefix TEXT       topics are TEXT/SITE/FACTOR (ducha)\n"
	"  --qos 0|1           of the recording's messages (1)\n"
	"  --utc-offset +HH:MM for recorded times without one, and loggers' clocks (+08:00)\n"
	"  --fleet N           that many equal instruments may connect to one port\n"
	"  --registers N       of each instrument of the fleet (10)\n"
	"  --help, --version\n";

struct arguments {
	struct play_options play;
	struct replay_options replay;
	const char *sites[MAX_SITES];
	const char *scenario, *listen;
	uint64_t seed;
	bool has_seed, has_speed;
	long fleet, registers;
	char client_id[64];
};

/* Return: false after saying so. */
static bool argument_number(const char *name, const char *text, double low, double high,
			    double *out)
{
	char *end;
	errno = 0;
	*out = strtod(text, &end);
	if (end != text && *end == '\0' && *out >= low && *out <= high)
		return true;
	fprintf(stderr, "ducha-sim: --%s is \"%s\", must be a number from %.15g to %.15g\n", name,
		text, low, high);
	return false;
}

static bool argument_whole(const char *name, const char *text, long low, long high, long *out)
{
	char *end;
	errno = 0;
	*out = strtol(text, &end, 10);
	if (end != text && *end == '\0' && errno == 0 && *out >= low && *out <= high)
		return true;
	fprintf(stderr, "ducha-sim: --%s is \"%s\", must be a whole number from %ld to %ld\n", name,
		text, low, high);
	return false;
}

static bool argument_offset(const char *text, int32_t *offset_s)
{
	char sign, rest;
	int hours, minutes;
	if (sscanf(text, "%c%2d:%2d%c", &sign, &hours, &minutes, &rest) != 3 ||
	    (sign != '+' && sign != '-') || hours > 18 || minutes > 59 || hours < 0 ||
	    minutes < 0) {
		fprintf(stderr, "ducha-sim: --utc-offset is \"%s\", must be as +08:00\n", text);
		return false;
	}
	*offset_s = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

static bool argument_site(struct arguments *a, const char *site)
{
	if (a->replay.n_sites == MAX_SITES) {
		fprintf(stderr, "ducha-sim: more than %d times --site\n", MAX_SITES);
		return false;
	}
	a->sites[a->replay.n_sites++] = site;
	return true;
}

/* The options that are numbers. Return: false after saying what is wrong. */
static bool argument_take_number(struct arguments *a, int code, const char *name)
{
	double number = 0.0;
	long whole = 0;
	bool is_good;
	switch (code) {
	case OPTION_FOR:
		is_good = argument_number(name, optarg, 0.001, 1e9, &number);
		a->play.for_ms = llround(number * 1000.0);
		return is_good;
	case OPTION_SPEED:
		a->has_speed = true;
		return argument_number(name, optarg, 0.0, 1e9, &a->play.speed);
	case OPTION_SEED:
		a->has_seed = true;
		is_good = argument_whole(name, optarg, 0, INT64_MAX, &whole);
		a->seed = (uint64_t)whole;
		return is_good;
	case OPTION_PORT:
	case OPTION_PORT_BASE:
		is_good = argument_whole(name, optarg, 0, 65535, &whole);
		a->play.port = (uint16_t)whole;
		return is_good;
	case OPTION_FLEET:
		return argument_whole(name, optarg, 1, 1000000, &a->fleet);
	case OPTION_REGISTERS:
		return argument_whole(name, optarg, 1, 65536, &a->registers);
	case OPTION_QOS:
		is_good = argument_whole(name, optarg, 0, 1, &whole);
		a->play.qos = (int)whole;
		return is_good;
	default:
		return false;
	}
}

static bool argument_take(struct arguments *a, int code, const char *name)
{
	switch (code) {
	case OPTION_LISTEN:
		a->listen = optarg;
		return true;
	case OPTION_BROKER:
		a->play.broker = optarg;
		return true;
	case OPTION_CENTRE:
		a->play.centre = optarg;
		return true;
	case OPTION_CLIENT_ID:
		a->play.client_id = optarg;
		return true;
	case OPTION_READY_FILE:
		a->play.ready_file = optarg;
		return true;
	case OPTION_HOLD:
		a->play.is_held = true;
		return true;
	case OPTION_REPLAY:
		a->replay.file = optarg;
		return true;
	case OPTION_SITE:
		return argument_site(a, optarg);
	case OPTION_PREFIX:
		a->replay.prefix = optarg;
		return true;
	case OPTION_UTC_OFFSET:
		return argument_offset(optarg, &a->replay.offset_s);
	default:
		return argument_take_number(a, code, name);
	}
}

static int usage(const char *what)
{
	fprintf(stderr, "ducha-sim: %s; --help tells more\n", what);
	return EXIT_USAGE;
}

/* Return: EXIT_USAGE after saying what does not go together, else 0. */
static int arguments_check(struct arguments *a, int left)
{
	int pieces = (a->scenario != NULL) + (a->replay.file != NULL) + (a->fleet > 0);
	if (pieces != 1 || left > 1)
		return usage("exactly one SCENARIO, --replay DATA.csv or --fleet N is needed");
	if (a->replay.file == NULL && (a->replay.n_sites > 0 || a->has_speed))
		return usage("--site and --speed belong to --replay");
	if (a->replay.file != NULL && a->play.broker == NULL && a->play.speed <= 0.0)
		return usage("--speed 0 needs a --broker that sets the pace");
	if (a->fleet > 0 && a->play.broker != NULL)
		return usage("a fleet has no --broker");
	return EXIT_GOOD;
}

/* Return: -1 to go on, else the exit code. */
static int arguments_read(struct arguments *a, int argc, char **argv)
{
	int code, index = 0;
	while ((code = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (code == OPTION_HELP) {
			fputs(help_text, stdout);
			return EXIT_GOOD;
		}
		if (code == OPTION_VERSION) {
			puts("ducha-sim " DUCHA_VERSION);
			return EXIT_GOOD;
		}
		if (code == '?' || !argument_take(a, code, long_options[index].name))
			return EXIT_USAGE;
	}
	if (optind < argc)
		a->scenario = argv[optind];
	int error = arguments_check(a, argc - optind);
	return error == 0 ? -1 : error;
}

/* As many descriptors as the system allows: a fleet has thousands of connections. */
static void raise_descriptors(long wanted)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (wanted > 0 && limit.rlim_cur < (rlim_t)wanted + 64)
		log_warnx(
			"only %llu descriptors are allowed, %ld instruments want more (ulimit -n)",
			(unsigned long long)limit.rlim_cur, wanted);
}

/* Whom publishers and loggers speak to. Return: false after saying that somebody has nobody. */
static bool scenario_meets(struct arguments *a, const struct scenario *s)
{
	struct play_options *play = &a->play;
	if (play->broker == NULL || s->n_publishers == 0)
		play->broker = s->n_publishers > 0 ? s->broker : NULL;
	if (play->centre == NULL)
		play->centre = s->centre;
	play->utc_offset_s = a->replay.offset_s;
	if (s->n_publishers > 0 && play->broker == NULL)
		fprintf(stderr, "%s:1: \"publishers\" need a \"broker\", here or as --broker\n",
			a->scenario);
	else if (s->n_loggers > 0 && play->centre == NULL)
		fprintf(stderr, "%s:1: \"loggers\" need a \"centre\", here or as --centre\n",
			a->scenario);
	else
		return true;
	return false;
}

static int run_scenario(struct arguments *a)
{
	struct play_piece piece = {0};
	int error =
		scenario_load(a->scenario, a->has_seed ? &a->seed : NULL, &piece.scenario, stderr);
	if (error != 0)
		return error == -EINVAL ? EXIT_CONFIG : EXIT_FAILED;
	a->play.listen = a->listen != NULL ? a->listen : piece.scenario->listen;
	int code = scenario_meets(a, piece.scenario) ? play_run(&a->play, &piece) : EXIT_CONFIG;
	scenario_free(piece.scenario);
	return code;
}

static int run_replay(struct arguments *a)
{
	struct play_piece piece = {0};
	a->replay.sites = a->sites;
	int error = replay_load(&a->replay, &piece.replay, stderr);
	if (error != 0)
		return EXIT_FAILED;
	int code = EXIT_FAILED;
	if (piece.replay->n_rows == 0)
		fprintf(stderr, "%s:1: no readings to play, %zu rows of other sites\n",
			a->replay.file, piece.replay->n_skipped);
	else
		code = play_run(&a->play, &piece);
	replay_free(piece.replay);
	return code;
}

static int run_fleet(struct arguments *a)
{
	struct fleet fleet = {.registers = (unsigned)a->registers, .seed = a->seed};
	struct play_piece piece = {.fleet = &fleet};
	return play_run(&a->play, &piece);
}

/* Paho's threads inherit the mask, so that signals reach the loop alone. */
static void block_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
	struct arguments a = {.registers = 10};
	a.play.speed = 1.0;
	a.play.qos = 1;
	a.play.listen = "127.0.0.1";
	a.replay.prefix = "ducha";
	a.replay.offset_s = 8 * 3600;
	snprintf(a.client_id, sizeof a.client_id, "ducha-sim-%d", (int)getpid());
	a.play.client_id = a.client_id;
	int code = arguments_read(&a, argc, argv);
	if (code >= 0)
		return code;
	if (a.listen != NULL)
		a.play.listen = a.listen;
	log_open(PRIORITY_INFO);
	block_signals();
	raise_descriptors(a.fleet);
	if (a.scenario != NULL)
		return run_scenario(&a);
	return a.replay.file != NULL ? run_replay(&a) : run_fleet(&a);
}
