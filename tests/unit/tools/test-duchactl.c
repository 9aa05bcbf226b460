/* SPDX-License-Identifier: Apache-2.0 */
/* The built duchactl as a process, against a real server. argv[1] is its path. */
#include "district.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const char *program;

struct run {
	pid_t pid;
	int out, err; /* pipes */
	struct text stdout_text, stderr_text;
	int exit_code; /* 128 + signal where one ended it */
};

enum { WORDS = 16 };

static struct run start(const struct district *district, const char *language, const char *line)
{
	struct run run = {0};
	int out[2], err[2];
	char buffer[512], *argv[WORDS + 3] = {strdup(program), strdup("-s")};
	size_t n = 2;
	argv[n++] = strdup(district == NULL ? "/nonexistent/s.sock" : district->socket);
	snprintf(buffer, sizeof buffer, "%s", line);
	for (char *word = strtok(buffer, " "); word != NULL && n < WORDS; word = strtok(NULL, " "))
		argv[n++] = strdup(word);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	run.pid = fork();
	if (run.pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		if (language == NULL)
			unsetenv("LANGUAGE");
		else
			setenv("LANGUAGE", language, 1);
		execv(program, argv);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	run.out = out[0];
	run.err = err[0];
	for (size_t i = 0; i < n; i++)
		free(argv[i]);
	return run;
}

static void take(int fd, struct text *into)
{
	char buffer[4096];
	ssize_t n;
	while ((n = read(fd, buffer, sizeof buffer)) > 0)
		text_add_n(into, buffer, (size_t)n);
	text_add(into, "");
	close(fd);
}

static void finish(struct run *run)
{
	int status;
	take(run->out, &run->stdout_text);
	take(run->err, &run->stderr_text);
	assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
	run->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_deinit(struct run *run)
{
	text_deinit(&run->stdout_text);
	text_deinit(&run->stderr_text);
}

/* Runs it whole and wants an exit code and two pieces of its outputs. */
static void expect(const struct district *district, const char *language, const char *line,
		   int code, const char *out, const char *err)
{
	struct run run = start(district, language, line);
	finish(&run);
	if (run.exit_code != code || strstr(run.stdout_text.at, out) == NULL ||
	    strstr(run.stderr_text.at, err) == NULL)
		fail_msg("%s: exit %d\n%s%s\nwanted %d, \"%s\" and \"%s\"", line, run.exit_code,
			 run.stdout_text.at, run.stderr_text.at, code, out, err);
	run_deinit(&run);
}

static void until(int fd, struct text *seen, const char *word)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	for (time_t end = now.tv_sec + 20; seen->at == NULL || strstr(seen->at, word) == NULL;) {
		char buffer[4096];
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		clock_gettime(CLOCK_MONOTONIC, &now);
		ssize_t n = poll(&ready, 1, 1000) > 0 ? read(fd, buffer, sizeof buffer) : -1;
		if (n > 0)
			text_add_n(seen, buffer, (size_t)n);
		if (n == 0 || now.tv_sec > end)
			fail_msg("no \"%s\" in: %s", word, seen->at == NULL ? "" : seen->at);
	}
}

static int setup(void **state)
{
	struct district *district = malloc(sizeof *district);
	district_open(district);
	*state = district;
	return 0;
}

static int teardown(void **state)
{
	district_close(*state);
	free(*state);
	return 0;
}

/* --- tests --- */

static void test_wrong_usage_is_64_before_the_daemon_is_looked_for(void **state)
{
	static const struct {
		const char *line, *error;
	} wrong[] = {
		{"", "a verb is missing"},
		{"bogus", "unknown verb \"bogus\""},
		{"dossier", "usage: duchactl dossier ID"},
		{"dossier 3 --language de", "must be zh_CN or en"},
		{"dossier x", "must be the case's id"},
		{"case 3 --public", "takes no such option"},
		{"alert 3 fly", "an alert knows ack"},
		{"alert x ack", "must be the alert's id"},
		{"alert 3 ack --note n", "takes no such option"},
		{"mark s f --from x --to y", "--flag is missing"},
		{"mark s f --from x --to y --flag M", "--reason is missing"},
		{"mark s --from x --to y --flag M --reason r", "usage: duchactl mark SITE FACTOR"},
		{"marks s --flag M", "takes no such option"},
		{"case open --site s", "--source is missing"},
		{"case open --source mayor", "--site is missing"},
		{"case open --site s --source mayor --track planned", "takes no such option"},
		{"case 7 note 8 --note n", "takes no other case"},
		{"case 7 link eight", "whole number"},
		{"case 7 note --file f --note n", "attach alone"},
		{"case 7 --type photo", "no action"},
		{"shelve s --reason r", "--for is missing"},
		{"shelve s --for 2h", "--reason is missing"},
		{"shelve s --for soon --reason r", "--for soon"},
		{"unshelve s --for 2h", "takes no such option"},
		{"case", "usage: duchactl case"},
		{"case x", "whole number"},
		{"case 7 fly", "unknown action"},
		{"case 7 --by a", "no action"},
		{"status extra", "usage: duchactl status"},
		{"status --csv", "takes no such option"},
		{"sites --site s", "takes no such option"},
		{"sites --effective", "--effective needs a site"},
		{"readings s --effective", "takes no such option"},
		{"readings", "usage: duchactl readings"},
		{"readings a b c", "usage: duchactl readings"},
		{"readings a --since soon", "--since soon"},
		{"tail -n many", "-n many"},
		{"tail --nope", "unknown option"},
		{"tail -n", "a value is missing"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		expect(NULL, NULL, wrong[i].line, 64, "", wrong[i].error);
}

static void test_an_absent_daemon_is_69(void **state)
{
	static const char *const lines[] = {"status",
					    "tail",
					    "sites",
					    "readings s",
					    "alerts",
					    "cases",
					    "case 1",
					    "case 1 note --note x",
					    "shelves",
					    "alert 1 ack",
					    "unshelve s f",
					    "case open --site s --source mayor",
					    "shelve s --for 2h --reason r",
					    "case 1 link 2"};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		expect(NULL, NULL, lines[i], 69, "", "the daemon is not reachable: No such file");
	expect(NULL, "zh_CN", "status", 69, "", "无法连接守护进程");
}

static void test_help_and_version_need_no_daemon(void **state)
{
	(void)state;
	expect(NULL, NULL, "--help", 0, "Usage: duchactl", "");
	expect(NULL, NULL, "--version", 0, "duchactl ", "");
}

static void test_status_is_shown_in_both_languages(void **state)
{
	struct district *district = *state;
	expect(district, NULL, "status", 0, "status          ok\n", "");
	expect(district, "zh_CN", "status", 0, "状态            正常\n", "");
	expect(district, NULL, "status --json", 0, "{\"status\":\"ok\",", "");
	atomic_store(&district->ill, true);
	expect(district, NULL, "status", 1, "because         the judge stands still\n", "");
	expect(district, NULL, "status --json", 1, "\"reasons\":[", "");
}

static void test_sites_and_readings_are_tables(void **state)
{
	struct district *district = *state;
	district_read(district, MONITOR_COD, 61.25, FLAG_NORMAL, district_now_ms() - 1000);
	expect(district, NULL, "sites", 0, "SITE       NAME", "");
	expect(district, NULL, "sites", 0,
	       "outfall-3  三号排口  w01018  化学需氧量   61.2  mg/L  N", "");
	expect(district, "zh_CN", "sites", 0, "点位       名称", "");
	expect(district, NULL, "sites --json", 0, "{\"sites\":[", "");
	expect(district, NULL, "sites nowhere", 1, "", "no site \"nowhere\"");
	expect(district, NULL, "sites nowhere --effective", 1, "", "no site \"nowhere\"");
	expect(district, NULL, "readings outfall-3", 0, "outfall-3  w01018  61.25  N\n", "");
	expect(district, NULL, "readings outfall-3 w01018 --csv", 0,
	       "time,received_at,site,factor,value,flag\n", "");
	expect(district, NULL, "readings outfall-3 w01018 --csv", 0, ",61.25,N\n", "");
	expect(district, NULL, "readings outfall-3 --json", 0, "\"value\":61.25", "");
	expect(district, NULL, "readings outfall-3 w21003", 0, "no readings\n", "");
	expect(district, NULL, "readings nowhere", 1, "", "no site \"nowhere\" (HTTP 404)");
	expect(district, NULL, "readings outfall-3 w99999", 1, "", "no factor");
}

static void test_alerts_and_cases_are_tables(void **state)
{
	struct district *district = *state;
	expect(district, NULL, "alerts", 0, "no alerts\n", "");
	expect(district, NULL, "cases", 0, "no cases\n", "");
	district_raise(district, MONITOR_COD, 61.3, district_now_ms());
	expect(district, NULL, "alerts", 0, "exceedance  outfall-3  w01018  61.3     50  mg/L", "");
	expect(district, "zh_CN", "alerts --active", 0, "超标", "");
	expect(district, NULL, "alerts --site river-1", 0, "no alerts", "");
	expect(district, NULL, "cases", 0, "registered", "");
	expect(district, "zh_CN", "cases --all --site outfall-3", 0, "已挂号(待交办)", "");
	expect(district, NULL, "cases --json", 0, "{\"cases\":[", "");
	expect(district, NULL, "cases --site nowhere", 1, "", "nowhere");
}

static void test_a_case_is_shown_and_acted_on(void **state)
{
	struct district *district = *state;
	char line[128], said[128];
	const struct passwd *user = getpwuid(getuid());
	assert_non_null(user);
	snprintf(said, sizeof said, "note  inspector (%s)\n      note: seen\n", user->pw_name);
	int64_t id = district_raise(district, MONITOR_COD, 61.3, district_now_ms());
	snprintf(line, sizeof line, "case %lld", (long long)id);
	expect(district, NULL, line, 0, "peak value    61.3 mg/L\n", "");
	expect(district, "zh_CN", line, 0, "峰值          61.3 mg/L\n", "");
	expect(district, "zh_CN", line, 0, "挂号登记  系统\n", "");
	expect(district, "zh_CN", line, 0, "依据          本系统设定值\n", "");
	snprintf(line, sizeof line, "case %lld note --note seen --by inspector", (long long)id);
	expect(district, NULL, line, 0, said, "");
	snprintf(line, sizeof line, "case %lld assign --unit plant --json", (long long)id);
	expect(district, NULL, line, 0, "\"status\":\"assigned\"", "");
	snprintf(line, sizeof line, "case %lld close --note done", (long long)id);
	expect(district, NULL, line, 1, "", "duchactl: allowed now:");
	snprintf(line, sizeof line, "case %lld note", (long long)id);
	expect(district, NULL, line, 1, "", "HTTP 400");
	expect(district, "zh_CN", line, 1, "", "duchactl: 备注须给出“备注” (HTTP 400)");
	snprintf(line, sizeof line, "case %lld close --note done", (long long)id);
	expect(district, "zh_CN", line, 1, "",
	       "案件当前状态为“已交办”,不能进行“销号”操作 (HTTP 409)");
	expect(district, "zh_CN", line, 1, "", "当前可用操作: assign(交办) plan(制定整改方案)");
	expect(district, "zh_CN", "case 99", 1, "", "没有编号为99的案件");
	expect(district, NULL, "case 99", 1, "", "no case 99");
	expect(district, NULL, "case 99 note --note x", 1, "", "no case 99");
}

/* Whoever takes a case up again is not said to have seen it rebound. */
static void test_each_way_back_has_its_word(void **state)
{
	struct district *district = *state;
	char line[160];
	long long id = (long long)district_raise(district, MONITOR_COD, 61.3, district_now_ms());
	expect(district, "zh_CN", "cases", 0, "  期限\n", "");
	snprintf(line, sizeof line, "case %lld withdraw --reason unfounded --note wrong", id);
	expect(district, NULL, line, 0, "", "");
	snprintf(line, sizeof line, "case %lld reopen --note after-all", id);
	expect(district, "zh_CN", line, 0, "撤销后恢复办理", "");
	expect(district, NULL, line, 1, "", "");
	snprintf(line, sizeof line, "case %lld", id);
	struct run run = start(district, "zh_CN", line);
	finish(&run);
	assert_null(strstr(run.stdout_text.at, "反弹"));
	run_deinit(&run);
}

static void test_tail_shows_the_last_and_then_what_happens(void **state)
{
	struct district *district = *state;
	int64_t now = district_now_ms();
	district_raise(district, MONITOR_AMMONIA, 70, now);
	struct run run = start(district, NULL, "tail");
	until(run.out, &run.stdout_text,
	      "RAISED exceedance outfall-3 w21003 70.00 > 50 mg/L case 1\n");
	until(run.out, &run.stdout_text,
	      "OPENED exceedance outfall-3 w21003 70.00 > 50 mg/L case 1 ");
	district_raise(district, MONITOR_COD, 61.3, now);
	until(run.out, &run.stdout_text,
	      "RAISED exceedance outfall-3 w01018 61.3 > 50 mg/L case 2\n");
	district_clear(district, MONITOR_COD, now, now + 1000);
	until(run.out, &run.stdout_text,
	      "CLEARED exceedance outfall-3 w01018 61.3 > 50 mg/L case 2\n");
	assert_null(strstr(run.stdout_text.at, "\033")); /* colour is for terminals */
	kill(run.pid, SIGINT);
	finish(&run);
	assert_int_equal(run.exit_code, 0);
	assert_string_equal(run.stderr_text.at, "");
	run_deinit(&run);
}

static void test_tail_speaks_chinese_and_json(void **state)
{
	struct district *district = *state;
	district_raise(district, MONITOR_COD, 61.3, district_now_ms());
	struct run run = start(district, "zh_CN", "tail -n 2 --site outfall-3");
	until(run.out, &run.stdout_text, "报警 超标 outfall-3 w01018 61.3 > 50 mg/L 案件 1\n");
	until(run.out, &run.stdout_text, "挂号 超标 ");
	kill(run.pid, SIGTERM);
	finish(&run);
	assert_int_equal(run.exit_code, 0);
	run_deinit(&run);
	run = start(district, NULL, "--json tail");
	until(run.out, &run.stdout_text, "ducha.case.opened");
	until(run.out, &run.stdout_text, "}\n{\"specversion\":\"1.0\"");
	kill(run.pid, SIGINT);
	finish(&run);
	assert_int_equal(run.exit_code, 0);
	run_deinit(&run);
}

static void test_tail_survives_a_restart_of_the_daemon(void **state)
{
	struct district *district = *state;
	int64_t now = district_now_ms();
	struct run run = start(district, NULL, "tail -n 0");
	district_raise(district, MONITOR_PH, 9, now);       /* before or after the stream begins */
	for (int i = 0; run.stdout_text.length == 0; i++) { /* until it is known to listen */
		char buffer[4096];
		struct pollfd ready = {.fd = run.out, .events = POLLIN};
		if (poll(&ready, 1, 50) > 0) {
			ssize_t n = read(run.out, buffer, sizeof buffer);
			assert_true(n > 0);
			text_add_n(&run.stdout_text, buffer, (size_t)n);
		} else {
			district_raise(district, MONITOR_PH, 9, now + 2 * i + 2);
			district_clear(district, MONITOR_PH, now + 2 * i + 2, now + 2 * i + 3);
		}
		assert_true(i < 400);
	}
	district->serve = serve_free(district->serve);
	until(run.err, &run.stderr_text, "the daemon is gone");
	district_raise(district, MONITOR_COD, 61.3, now); /* while nobody serves */
	district_serve(district);
	until(run.out, &run.stdout_text, "OPENED exceedance outfall-3 w01018");
	until(run.err, &run.stderr_text, "connected again");
	kill(run.pid, SIGINT);
	finish(&run);
	assert_int_equal(run.exit_code, 0);
	const char *first = strstr(run.stdout_text.at, "RAISED exceedance outfall-3 w01018");
	assert_non_null(first);
	assert_null(strstr(first + 1, "RAISED exceedance outfall-3 w01018"));
	const char *gone = strstr(run.stderr_text.at, "is gone");
	assert_null(strstr(gone + 1, "is gone"));
	run_deinit(&run);
}

/* It notices without anything to write, and while writing. */
static void test_tail_ends_when_nobody_reads_it(void **state)
{
	struct district *district = *state;
	int64_t now = district_now_ms();
	district_raise(district, MONITOR_COD, 61.3, now);
	for (int round = 0; round < 2; round++) {
		struct run run = start(district, NULL, "tail");
		until(run.out, &run.stdout_text, "case 1");
		close(run.out);
		if (round == 1)
			district_raise(district, MONITOR_AMMONIA, 61.3, now);
		run.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
		finish(&run);
		assert_int_equal(run.exit_code, 0);
		assert_string_equal(run.stderr_text.at, "");
		run_deinit(&run);
	}
}

static void test_tail_of_an_unknown_site_is_refused(void **state)
{
	expect(*state, NULL, "tail --site nowhere", 1, "", "no site \"nowhere\"");
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_usage_is_64_before_the_daemon_is_looked_for),
		cmocka_unit_test(test_an_absent_daemon_is_69),
		cmocka_unit_test(test_help_and_version_need_no_daemon),
		SERVED(test_status_is_shown_in_both_languages),
		SERVED(test_sites_and_readings_are_tables),
		SERVED(test_alerts_and_cases_are_tables),
		SERVED(test_a_case_is_shown_and_acted_on),
		SERVED(test_each_way_back_has_its_word),
		SERVED(test_tail_shows_the_last_and_then_what_happens),
		SERVED(test_tail_speaks_chinese_and_json),
		SERVED(test_tail_survives_a_restart_of_the_daemon),
		SERVED(test_tail_ends_when_nobody_reads_it),
		SERVED(test_tail_of_an_unknown_site_is_refused),
	};
	if (argc < 2) {
		fputs("usage: test-duchactl DUCHACTL\n", stderr);
		return 64;
	}
	program = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
