/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager is told, and that nobody waits for one that does not read. */
#include "base/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A manager at an abstract name of its own. Return: its socket */
static int manager(void)
{
	char name[32];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	assert_true(fd >= 0);
	int length = snprintf(name, sizeof name, "@ducha-test-notify-%d", (int)getpid());
	memcpy(address.sun_path + 1, name + 1, (size_t)length - 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void hears(int fd, const char *message)
{
	char heard[64] = "";
	assert_int_equal(recv(fd, heard, sizeof heard - 1, 0), (ssize_t)strlen(message));
	assert_string_equal(heard, message);
}

static void test_without_a_manager_nothing_is_said(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_say("READY=1", 1000), 0);
}

static void test_the_manager_hears_it(void **state)
{
	(void)state;
	int fd = manager();
	assert_int_equal(notify_say("READY=1\nSTATUS=well", 1000), 0);
	hears(fd, "READY=1\nSTATUS=well");
	close(fd);
	assert_int_equal(notify_say("READY=1", 0), -ECONNREFUSED);
}

static void test_a_path_is_an_address_and_a_word_is_none(void **state)
{
	(void)state;
	char path[64];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(path, sizeof path, "/tmp/ducha-test-notify-%d", (int)getpid());
	memcpy(address.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(notify_say("STOPPING=1", 1000), 0);
	hears(fd, "STOPPING=1");
	close(fd);
	unlink(path);
	setenv("NOTIFY_SOCKET", "notify", 1);
	assert_int_equal(notify_say("READY=1", 0), -EINVAL);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify_say("READY=1", 0), -EINVAL);
}

/* The queue of a socket holds some messages (net.unix.max_dgram_qlen); then sd_notify() would wait.
 */
static void test_nobody_waits_for_a_manager_that_does_not_read(void **state)
{
	(void)state;
	int fd = manager(), n = 0, r;
	while ((r = notify_say("WATCHDOG=1", 0)) == 0)
		n++;
	assert_int_equal(r, -EAGAIN);
	assert_true(n > 0);
	assert_int_equal(notify_say("READY=1", 20), -EAGAIN);
	while (n-- > 0)
		hears(fd, "WATCHDOG=1");
	assert_int_equal(notify_say("READY=1", 20), 0);
	hears(fd, "READY=1");
	close(fd);
}

static void test_the_watchdog_is_that_of_this_process(void **state)
{
	(void)state;
	char pid[16];
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	assert_int_equal(notify_watchdog_us(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog_us(), 30000000);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_us(), 30000000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_us(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_manager_nothing_is_said),
		cmocka_unit_test(test_the_manager_hears_it),
		cmocka_unit_test(test_a_path_is_an_address_and_a_word_is_none),
		cmocka_unit_test(test_nobody_waits_for_a_manager_that_does_not_read),
		cmocka_unit_test(test_the_watchdog_is_that_of_this_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
