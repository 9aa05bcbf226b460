/* SPDX-License-Identifier: Apache-2.0 */
/* Who turns a serial line round. A pseudo-terminal has neither RTS nor RS-485, so the calls for
 * them end here. */
#include "pty-meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <linux/serial.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

static struct {
	bool has_rts, has_rs485;
	_Atomic int lines;
	struct serial_rs485 rs485;
} driver;

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	va_start(list, request);
	void *argument = va_arg(list, void *);
	va_end(list);
	if (driver.has_rts && request == TIOCMGET)
		*(int *)argument = driver.lines;
	else if (driver.has_rts && request == TIOCMSET)
		driver.lines = *(int *)argument;
	else if (driver.has_rs485 && request == TIOCGRS485)
		memcpy(argument, &driver.rs485, sizeof driver.rs485);
	else if (driver.has_rs485 && request == TIOCSRS485)
		memcpy(&driver.rs485, argument, sizeof driver.rs485);
	else
		return (int)syscall(SYS_ioctl, fd, request, argument);
	return 0;
}

static int rts_while_sending;

/* An instrument hears nothing while the line is not sending, and is not heard while it is. */
static void answer_in_turn(struct pty_bench *bench, const uint8_t *request)
{
	if ((driver.lines & TIOCM_RTS) != rts_while_sending)
		return;
	while ((driver.lines & TIOCM_RTS) == rts_while_sending)
		sleep_ms(1);
	answer_well(bench, request);
}

static void try_rts(enum modbus_direction direction)
{
	struct pty_bench bench;
	driver.has_rts = true;
	rts_while_sending = direction == MODBUS_RTS_UP ? TIOCM_RTS : 0;
	driver.lines = TIOCM_DTR | rts_while_sending;
	start_on(&bench, answer_in_turn, LONG_MS);
	bench.serial.direction = direction;
	bench.serial.rts_delay_us = 100000; /* for a busy machine to look at it */
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 2));
	pty_bench_stop(&bench);
	assert_int_equal(good(&bench), bench.door->n_samples);
	assert_int_equal(driver.lines, TIOCM_DTR | (TIOCM_RTS ^ rts_while_sending));
	pty_bench_end(&bench);
	driver.has_rts = false;
}

static void test_rts_turns_the_line_round(void **state)
{
	(void)state;
	try_rts(MODBUS_RTS_UP);
	try_rts(MODBUS_RTS_DOWN);
}

static void test_the_kernel_is_told_to_turn_the_line_round(void **state)
{
	(void)state;
	struct pty_bench bench;
	driver.has_rs485 = true;
	start_on(&bench, answer_well, LONG_MS);
	bench.serial.direction = MODBUS_RS485;
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 4));
	assert_true((driver.rs485.flags & SER_RS485_ENABLED) != 0);
	finish(&bench);
	driver.has_rs485 = false;
}

static void test_a_line_that_cannot_turn_round_is_an_outage(void **state)
{
	static const enum modbus_direction directions[] = {MODBUS_RS485, MODBUS_RTS_UP};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct pty_bench bench;
		start_on(&bench, answer_well, LONG_MS);
		bench.serial.direction = directions[i];
		pty_bench_go(&bench);
		assert_true(fake_door_await(bench.door, fake_door_has_links, 1));
		pty_bench_stop(&bench);
		assert_int_equal(pty_said(&bench, "(Inappropriate ioctl for device, unit 1)"), 1);
		assert_int_equal(bench.asked, 0);
		pty_bench_end(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rts_turns_the_line_round),
		cmocka_unit_test(test_the_kernel_is_told_to_turn_the_line_round),
		cmocka_unit_test(test_a_line_that_cannot_turn_round_is_an_outage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
