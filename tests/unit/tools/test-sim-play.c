/* SPDX-License-Identifier: Apache-2.0 */
/* ducha-sim as a whole, with Debian's mosquitto between it and mosquitto_sub. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <modbus.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 30, ARGUMENTS = 24 };

extern char **environ;

/* A child whose standard output is read here. */
struct child {
	pid_t pid;
	FILE *out;
};

struct fixture {
	char folder[32];
	char *port, *uri, *conf, *file, *ready;
	struct child broker;
};

static struct child start(const char *program, ...)
{
	char *argv[ARGUMENTS] = {strdup(program)};
	int pipes[2], n = 1;
	va_list rest;
	va_start(rest, program);
	for (const char *a; (a = va_arg(rest, const char *)) != NULL && n < ARGUMENTS - 1;)
		argv[n++] = strdup(a);
	va_end(rest);
	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(2 * PATIENCE_S); /* never outlives a test that failed */
		dup2(pipes[1], STDOUT_FILENO);
		dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(pipes[1]);
	while (n > 0)
		free(argv[--n]);
	assert_true(pid > 0);
	return (struct child){pid, fdopen(pipes[0], "r")};
}

static int finish(struct child *c, int with)
{
	int status = 0;
	if (with != 0)
		kill(c->pid, with);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	fclose(c->out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reads lines up to one that holds @text. Children end by their alarm, so this ends, too. */
static bool heard(struct child *c, const char *text, char *line, int size)
{
	while (fgets(line, size, c->out) != NULL)
		if (strstr(line, text) != NULL)
			return true;
	return false;
}

static int free_port(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &length), 0);
	close(fd);
	return ntohs(in.sin_port);
}

static void write_file(const char *name, const char *content)
{
	FILE *out = fopen(name, "we");
	assert_non_null(out);
	assert_true(fputs(content, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *text_of(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	va_start(arguments, format);
	assert_true(vasprintf(&text, format, arguments) >= 0);
	va_end(arguments);
	return text;
}

static void start_broker(struct fixture *f)
{
	char line[256];
	f->broker = start("mosquitto", "-c", f->conf, NULL);
	assert_true(heard(&f->broker, "running", line, sizeof line));
}

static int set_up(void **state)
{
	static struct fixture fixture; /* one test at a time */
	struct fixture *f = &fixture;
	*f = (struct fixture){.folder = "/tmp/test-sim-play-XXXXXX"};
	assert_non_null(mkdtemp(f->folder));
	f->port = text_of("%d", free_port());
	f->uri = text_of("mqtt://127.0.0.1:%s", f->port);
	f->conf = text_of("%s/mosquitto.conf", f->folder);
	f->file = text_of("%s/input", f->folder);
	f->ready = text_of("%s/ready", f->folder);
	char *conf = text_of("listener %s 127.0.0.1\nallow_anonymous true\n", f->port);
	write_file(f->conf, conf);
	free(conf);
	start_broker(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char *texts[] = {f->conf, f->file, f->ready, f->port, f->uri};
	finish(&f->broker, SIGTERM);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (i < 3)
			unlink(texts[i]);
		free(texts[i]);
	}
	return rmdir(f->folder);
}

/* Listens to @topic; returns when the subscription is acknowledged. */
static struct child subscribe(const struct fixture *f, const char *topic, const char *count)
{
	char line[512];
	struct child c = start("stdbuf", "-oL", "mosquitto_sub", "-d", "-p", f->port, "-q", "1",
			       "-v", "-t", topic, "-C", count, NULL);
	assert_true(heard(&c, "Subscribed", line, sizeof line));
	return c;
}

static void expect_message(struct child *c, const char *topic, const char *message)
{
	char line[512];
	while (fgets(line, sizeof line, c->out) != NULL) {
		size_t n = strlen(topic);
		if (strncmp(line, topic, n) != 0 || line[n] != ' ')
			continue;
		line[strcspn(line, "\n")] = '\0';
		assert_string_equal(line + n + 1, message);
		return;
	}
	fail_msg("no message on %s, expected %s", topic, message);
}

static void test_a_recording_arrives_whole_and_in_order(void **state)
{
	enum { ROWS = 1500 };
	struct fixture *f = *state;
	FILE *csv = fopen(f->file, "we");
	assert_non_null(csv);
	fputs("time,site,factor,value\n", csv);
	for (int i = ROWS - 1; i >= 0; i--)
		fprintf(csv, "%d,works,ph,%d.1\n", 1700000000 + i, i);
	fclose(csv);
	struct child ear = subscribe(f, "water/works/ph", "1500");
	struct child sim = start(SIM, "--replay", f->file, "--speed", "0", "--prefix", "water",
				 "--broker", f->uri, NULL);
	for (int i = 0; i < ROWS; i++) {
		char message[128];
		snprintf(message, sizeof message, "{\"ts\":%lld,\"value\":%d.1,\"flag\":\"N\"}",
			 (1700000000LL + i) * 1000, i);
		expect_message(&ear, "water/works/ph", message);
	}
	char line[256];
	assert_true(heard(&sim, "replayed 1500 of 1500 readings", line, sizeof line));
	assert_int_equal(finish(&sim, 0), 0);
	finish(&ear, SIGTERM);
}

static void test_a_recording_with_an_unreadable_row_ends_with_1(void **state)
{
	struct fixture *f = *state;
	write_file(f->file, "time,site,factor,value\n1,a,x,2\nnever,a,x,2\n");
	struct child sim =
		start(SIM, "--replay", f->file, "--speed", "0", "--broker", f->uri, NULL);
	char line[256];
	assert_true(heard(&sim, ":3: not a time: \"never\"", line, sizeof line));
	assert_true(heard(&sim, "replayed 1 of 1 readings, 1 rows unreadable", line, sizeof line));
	assert_int_equal(finish(&sim, 0), 1);
}

static const char scenario[] = "servers: ( { id = \"s\"; instruments: ( { name = \"a\"; address = "
			       "0; base = 2.5; events: (\n"
			       "  { kind = \"exceedance\"; at = 0.5; target = 9; } ); } ); } );\n"
			       "publishers: ( { topic = \"p\"; interval_s = 0.5; values: ( { name "
			       "= \"b\"; base = 1.5; decimals = 2;\n"
			       "  events: ( { kind = \"nan\"; at = 0.5; for = 0.5; }, { kind = "
			       "\"exceedance\"; at = 1; target = 7; } ); } ); },\n"
			       "  { topic = \"j\"; interval_s = 0.5; values: ( { name = \"c\"; "
			       "value = \"/d/x\"; base = 1.5;\n"
			       "    events: ( { kind = \"silence\"; at = 0.5; for = 0.5; } ); },\n"
			       "    { name = \"e\"; value = \"/y\"; base = 4.25; } ); } );\n";

/* The port of the only server, from the ready file. */
static int ready_port(const struct fixture *f)
{
	char name[32], address[32];
	int port = 0;
	FILE *in = fopen(f->ready, "re");
	assert_non_null(in);
	assert_int_equal(fscanf(in, "modbus %31s %31s %d\n", name, address, &port), 3);
	assert_string_equal(name, "s");
	fclose(in);
	return port;
}

static void expect_float(const struct fixture *f, uint16_t high)
{
	uint16_t words[2];
	modbus_t *client = modbus_new_tcp("127.0.0.1", ready_port(f));
	modbus_set_slave(client, 1);
	assert_int_equal(modbus_connect(client), 0);
	assert_int_equal(modbus_read_registers(client, 0, 2, words), 2);
	assert_int_equal(words[0], high);
	modbus_close(client);
	modbus_free(client);
}

static void test_a_held_scenario_begins_with_the_signal_and_keeps_to_its_script(void **state)
{
	struct fixture *f = *state;
	char line[512];
	write_file(f->file, scenario);
	struct child plain = subscribe(f, "p", "3"), json = subscribe(f, "j", "3");
	struct child sim =
		start(SIM, "--hold", "--broker", f->uri, "--ready-file", f->ready, f->file, NULL);
	assert_true(heard(&sim, "ready, held", line, sizeof line));
	expect_float(f, 0x4020); /* 2.5: time has not begun */
	kill(sim.pid, SIGUSR1);
	expect_message(&plain, "p", "1.50");
	expect_message(&plain, "p", "NaN");
	expect_message(&plain, "p", "7.00");
	expect_message(&json, "j", "{\"d\":{\"x\":1.5},\"y\":4.25}");
	expect_message(&json, "j", "{\"y\":4.25}");
	expect_message(&json, "j", "{\"d\":{\"x\":1.5},\"y\":4.25}");
	expect_float(f, 0x4110); /* 9 */
	assert_int_equal(finish(&sim, SIGTERM), 0);
	finish(&plain, SIGTERM);
	finish(&json, SIGTERM);
}

static void test_publishing_goes_on_when_the_broker_comes_back(void **state)
{
	struct fixture *f = *state;
	char line[512];
	write_file(f->file, "publishers: ( { topic = \"p\"; interval_s = 0.1; values: (\n"
			    "{ name = \"b\"; base = 1.5; decimals = 1; } ); } );");
	struct child sim = start(SIM, "--broker", f->uri, f->file, NULL);
	assert_true(heard(&sim, "begun", line, sizeof line));
	finish(&f->broker, SIGTERM);
	assert_true(heard(&sim, ": lost", line, sizeof line));
	start_broker(f);
	struct child ear = subscribe(f, "p", "3");
	expect_message(&ear, "p", "1.5");
	expect_message(&ear, "p", "1.5");
	assert_int_equal(finish(&sim, SIGINT), 0);
	finish(&ear, SIGTERM);
}

static void test_a_broker_that_comes_late_is_waited_for(void **state)
{
	struct fixture *f = *state;
	char line[512];
	write_file(f->file, scenario);
	finish(&f->broker, SIGTERM);
	struct child sim = start(SIM, "--broker", f->uri, "--ready-file", f->ready, f->file, NULL);
	assert_true(heard(&sim, "mqtt mqtt://", line, sizeof line));
	assert_int_equal(access(f->ready, F_OK), -1);
	start_broker(f);
	assert_true(heard(&sim, "begun", line, sizeof line));
	assert_int_equal(access(f->ready, F_OK), 0);
	assert_int_equal(finish(&sim, SIGTERM), 0);
}

static int exit_code_of(const char *a, const char *b, const char *c)
{
	char line[256];
	struct child sim = start(SIM, a, b, c, NULL);
	while (fgets(line, sizeof line, sim.out) != NULL)
		;
	return finish(&sim, 0);
}

static void test_exit_codes_tell_usage_from_faults(void **state)
{
	struct fixture *f = *state;
	write_file(f->file,
		   "publishers: ( { topic = \"p\"; values: ( { name = \"b\"; base = 1; } ); } );");
	assert_int_equal(exit_code_of("--version", NULL, NULL), 0);
	assert_int_equal(exit_code_of("--help", NULL, NULL), 0);
	assert_int_equal(exit_code_of(NULL, NULL, NULL), 64);
	assert_int_equal(exit_code_of("--nonsense", f->file, NULL), 64);
	assert_int_equal(exit_code_of("--for", "soon", f->file), 64);
	assert_int_equal(exit_code_of("--speed", "2", f->file), 64);
	assert_int_equal(exit_code_of(f->file, f->file, NULL), 64);
	assert_int_equal(exit_code_of("--for", "1", f->file), 78); /* publishers without a broker */
	assert_int_equal(exit_code_of("/nowhere/at/all", NULL, NULL), 78);
	assert_int_equal(exit_code_of("--replay", "/nowhere/at/all", NULL), 1);
	write_file(f->file, "servers: ( { id = \"s\"; instruments: ( { name = \"a\"; address = 0; "
			    "base = 2; } ); } );");
	assert_int_equal(exit_code_of("--for", "0.01", f->file), 0);
	assert_int_equal(exit_code_of("--listen", "192.0.2.1", f->file), 1);
}

static bool is_there(const char *program)
{
	char command[128];
	snprintf(command, sizeof command, "command -v %s >/dev/null", program);
	return system(command) == 0;
}

#define WITH_BROKER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BROKER(test_a_recording_arrives_whole_and_in_order),
		WITH_BROKER(test_a_recording_with_an_unreadable_row_ends_with_1),
		WITH_BROKER(test_a_held_scenario_begins_with_the_signal_and_keeps_to_its_script),
		WITH_BROKER(test_publishing_goes_on_when_the_broker_comes_back),
		WITH_BROKER(test_a_broker_that_comes_late_is_waited_for),
		WITH_BROKER(test_exit_codes_tell_usage_from_faults),
	};
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (!is_there("mosquitto") || !is_there("mosquitto_sub")) {
		puts("skipped: mosquitto and mosquitto-clients are not installed");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
