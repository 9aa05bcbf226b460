/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Status: the one line that `systemctl status duchad` shows.
 *
 * A monitor answers while its connection is up, its newest reading is not one of a missed poll
 * (flag B), and it is not stale.
 */
struct run;

/** status_say() - tell systemd, where the line has changed (main thread, each second; looks every
 * five) */
void status_say(struct run *run);
