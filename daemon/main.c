/* SPDX-License-Identifier: Apache-2.0 */
/*
 * duchad: what the command line asks for.
 */
#include "assemble.h"
#include "backtest-marks.h"
#include "backtest.h"
#include "base/log.h"
#include "check.h"
#include "days-off.h"
#include "effective.h"
#include "load.h"
#include "run.h"
#include "store/ledger.h"

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <libconfig.h>
#include <libintl.h>
#include <locale.h>
#include <malloc.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_USAGE = 64, EXIT_CONFIG = 78 };

struct order {
	const char *file, *backtest, *marks, *explain;
	bool check, effective, debug;
};

static const char usage[] =
	"usage: duchad [-c FILE]                     run in the foreground\n"
	"       duchad --check [--effective] [-c FILE]\n"
	"                                            check the configuration; list all rules\n"
	"       duchad --backtest DATA.csv [--marks MARKS.csv] [--explain CASE] [-c FILE]\n"
	"                                            evaluate recorded readings\n"
	"       duchad --version | --help\n"
	"\n"
	"  -c, --config FILE  the configuration (default /etc/ducha/ducha.cfg)\n"
	"      --debug        say more on stderr\n"
	"\n"
	"See duchad(8) and duchad.cfg(5).\n";

static void print_version(void)
{
	printf("duchad %s\n", DUCHA_VERSION);
	printf("%s\n", curl_version());
	printf("SQLite %s, libmicrohttpd %s, jansson %s, libconfig %d.%d.%d\n",
	       sqlite3_libversion(), MHD_get_version(), jansson_version_str(), LIBCONFIG_VER_MAJOR,
	       LIBCONFIG_VER_MINOR, LIBCONFIG_VER_REVISION);
}

/* Return: -1 to go on, else an exit code. */
static int read_order(int argc, char **argv, struct order *order)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
						{"check", no_argument, NULL, 'k'},
						{"effective", no_argument, NULL, 'r'},
						{"backtest", required_argument, NULL, 'b'},
						{"marks", required_argument, NULL, 'm'},
						{"explain", required_argument, NULL, 'e'},
						{"debug", no_argument, NULL, 'd'},
						{"version", no_argument, NULL, 'v'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	int option;
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			order->file = optarg;
			break;
		case 'k':
			order->check = true;
			break;
		case 'r':
			order->effective = true;
			break;
		case 'b':
			order->backtest = optarg;
			break;
		case 'm':
			order->marks = optarg;
			break;
		case 'e':
			order->explain = optarg;
			break;
		case 'd':
			order->debug = true;
			break;
		case 'v':
			print_version();
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc || (order->check && order->backtest != NULL) ||
	    (order->effective && !order->check) ||
	    ((order->marks != NULL || order->explain != NULL) && order->backtest == NULL)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return -1;
}

/* Numbers never follow the locale; texts for people follow node.language or $LANGUAGE. */
static void set_language(const char *language)
{
	const char *catalogues = getenv("DUCHA_LOCALE_DIRECTORY");
	if (setlocale(LC_ALL, "C.UTF-8") == NULL)
		log_warnx("locale C.UTF-8 is missing: texts stay English");
	setlocale(LC_NUMERIC, "C");
	setenv("LANGUAGE", language, 0);
	bindtextdomain("ducha", catalogues != NULL ? catalogues : DUCHA_LOCALE_DIRECTORY);
	bind_textdomain_codeset("ducha", "UTF-8");
	textdomain("ducha");
}

/* Before any thread: these come by signalfd, and a broken pipe or a full quota is an errno. */
static void block_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* A dump would hold secrets and readings; units of systemd forbid it, other ways to start do not.
 * One byte is no room for a dump, and the one limit by which Linux starts no program that takes it:
 * a pipe in kernel.core_pattern gets all of it at 0 (fs/coredump.c; core(5), "Piping"). */
static void forbid_dumps(void)
{
	const struct rlimit none = {1, 1};
	(void)setrlimit(RLIMIT_CORE, &none);
}

/* Deadlines would fall on its holidays: for an office that has set up its cases. */
static void say_days_off(const struct order *order, const struct config *c, const struct plan *plan)
{
	const struct config_cases *cases = &c->cases;
	const char *file = cases->days_file != NULL ? cases->days_file : order->file;
	int year = days_off_unknown(&cases->off, &plan->zone, (int64_t)time(NULL) * 1000);
	int line = cases->days_file != NULL ? cases->days_line : 1;
	char text[160];
	if (year == 0 || !cases->set)
		return;
	snprintf(text, sizeof text,
		 "the days off of %d are not known, and deadlines take its holidays for working "
		 "days; add the year here, or its days to deadlines.off",
		 year);
	if (order->check)
		fprintf(stderr, "%s:%d: warning: %s\n", file, line, text);
	else
		log_warnx("%s:%d: %s", file, line, text);
}

static int check(const struct order *order, const struct config *c, const struct assembly *assembly)
{
	int r = check_cycles(assembly, order->file, stderr);
	check_appointments(&assembly->plan, order->file, (int64_t)time(NULL) * 1000, stderr);
	say_days_off(order, c, &assembly->plan);
	if (r < 0) {
		errno = -r;
		log_warn("the cycles of the connections cannot be computed");
		return 1;
	}
	if (order->effective)
		r = effective_print(&assembly->plan, stdout);
	if (order->effective)
		effective_note(&assembly->plan, order->file, stderr);
	if (r < 0)
		return 1;
	printf("%zu sites, %zu monitors, %zu limits, %zu connections: ok\n", c->n_sites,
	       c->n_monitors, c->n_limits, c->n_connections);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* What is no fault and worth knowing; a program on recorded data says it to nobody. */
static void say_notes(const struct order *order, const struct config *c)
{
	for (size_t i = 0; order->backtest == NULL && i < c->notes.n; i++) {
		const struct config_fault *note = &c->notes.at[i];
		if (order->check)
			fprintf(stderr, "%s:%d: warning: %s\n", note->file, note->line,
				note->message);
		else
			log_warnx("%s:%d: %s", note->file, note->line, note->message);
	}
}

static int recall(const struct order *order, struct plan *plan)
{
	struct marks marks = {0};
	plan->rules = NULL; /* in recorded data nothing falls due */
	ledger_alone();
	if (order->marks != NULL && backtest_marks(plan, order->marks, &marks, stderr) != 0)
		return 1;
	const struct marks *over = order->marks == NULL ? NULL : &marks;
	int code = order->explain == NULL ? backtest(plan, order->backtest, over, stdout, stderr)
					  : backtest_explain(plan, order->backtest, over,
							     order->explain, stdout, stderr);
	marks_deinit(&marks);
	return code;
}

/* Another configuration may be in force at the end. */
static int obey(const struct order *order, struct config **in_force)
{
	const struct config *config = *in_force;
	struct assembly *assembly;
	int code;
	say_notes(order, config);
	int r = assemble(&assembly, config);
	if (r < 0) {
		errno = -r;
		log_warn("the configuration cannot be taken up");
		return 1;
	}
	(void)malloc_trim(
		0); /* the text of the configuration and its tree are some times its size */
	set_language(config->language);
	if (order->check) {
		code = check(order, config, assembly);
	} else if (order->backtest != NULL) {
		code = recall(order, &assembly->plan);
	} else {
		say_days_off(order, config, &assembly->plan);
		code = run(in_force, &assembly, order->file);
	}
	assembly_free(assembly);
	return code;
}

static enum load_use use_of(const struct order *order)
{
	if (order->backtest != NULL)
		return LOAD_BACKTEST;
	return order->check ? LOAD_CHECK : LOAD_RUN;
}

int main(int argc, char **argv)
{
	struct order order = {.file = "/etc/ducha/ducha.cfg"};
	int code = read_order(argc, argv, &order);
	if (code >= 0)
		return code;
	if (!order.check && order.backtest == NULL) {
		block_signals();
		forbid_dumps();
	}
	/* A broker out of reach at the end leaves Paho's thread in a connect, which exit() must not
	 * pull the library from under. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
	/* Tables of the whole plan are pages of their own, which cost memory only once they are
	 * used; the library would raise this threshold by itself after the first large file. */
	(void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	log_open(order.debug ? PRIORITY_DEBUG : PRIORITY_INFO);
	struct config *config = NULL;
	struct config_faults faults = {0};
	int result = load(order.file, use_of(&order), &config, &faults);
	config_faults_print(&faults, stderr);
	config_faults_deinit(&faults);
	if (result == -ENOMEM)
		log_warnx("%s: out of memory while reading the configuration", order.file);
	code = result == 0 ? obey(&order, &config) : result == -EINVAL ? EXIT_CONFIG : 1;
	config_free(config);
	return code;
}
