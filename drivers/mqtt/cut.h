/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Cut: the last resort against an acknowledgement that must not leave.
 *
 * Paho acknowledges every message that it hands out, and has no call that ends a connection at
 * once: a disconnect is an order to another thread, which waits its turn behind the messages that
 * come in (1.3.12). But the socket belongs to this process.
 */
#include <stdint.h>

/** cut_port() - of a broker's URI ("mqtt://host:1883"). Return: the port; 0 where it has none */
uint16_t cut_port(const char *uri);

/**
 * cut() - shuts each TCP connection of this process to that port, of whatever host
 *
 * Nothing is sent by it any more; its owner sees it broken and, where it is still wanted, connects
 * again. A second connection to the same port pays with that, too.
 */
void cut(uint16_t port);
