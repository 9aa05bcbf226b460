/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Notify: what the service manager is told, in the protocol of sd_notify(3).
 *
 * libsystemd's own sd_notify() waits for as long as the manager does not read. A manager that has
 * stopped (systemd that "freezes execution", a supervisor under a debugger) would stop the main
 * thread with it, and thus signals, reloads and what falls due. Here nobody waits longer than he
 * says.
 */
#include <stdint.h>

/**
 * notify_say() - tell the manager (any thread)
 * @message: assignments such as "READY=1", a line each
 * @patience_ms: how long to wait while the manager reads nothing; 0: not at all
 *
 * Return: 0 told, or there is no manager ($NOTIFY_SOCKET is not set); -EAGAIN it reads nothing;
 * -EINVAL for an address that is none; another negative errno.
 */
int notify_say(const char *message, int patience_ms);

/**
 * notify_watchdog_us() - how often the manager wants to be fed, in microseconds
 * (sd_watchdog_enabled(3))
 *
 * Return: 0 where it does not watch this process
 */
uint64_t notify_watchdog_us(void);
