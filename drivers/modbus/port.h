/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Port: one serial line of this machine, set up and sent to by libmodbus, read by ourselves.
 *
 * libmodbus 3.1.6 opens the device, sets its termios, frames a request and turns an RS-485 line
 * round. It does not receive: it neither checks the length of a reply nor, for a damaged one, whose
 * it is, its timeout begins anew at each byte, and it aborts the process at descriptor 1024. What
 * comes is read here and judged by the codec.
 *
 * Adapters that hear themselves send give the request back first (`echo`): those bytes must be the
 * request's, and are taken out. A port belongs to one thread.
 */
#include "drivers/modbus/codec.h"

#include <modbus/modbus.h>

struct port {
	const struct modbus_serial *config;
	modbus_t *modbus;
	uint8_t sent[MODBUS_RTU_REQUEST_BYTES];
	size_t echo_at, echo_n; /* of sent: what is still to come back */
};

/** port_init() - nothing is opened yet; @config outlives the port. Return: 0, -ENOMEM, -EINVAL. */
int port_init(struct port *port, const struct modbus_serial *config);
void port_deinit(struct port *port); /* also of a port full of zeros */

/**
 * port_open() - open the device, alone, and throw away what was left in it
 * Return: 0; negative errno: the device is not there (-ENOENT), somebody has it (-EBUSY), it is no
 * serial line or cannot turn round as asked (-ENOTTY), …
 */
int port_open(struct port *port);
void port_close(struct port *port);
/** port_fd() - for poll(); -1 while it is not open. POLLHUP or POLLERR there: it is gone. */
int port_fd(const struct port *port);

/** port_send() - send @request, with libmodbus' CRC; waits where RTS turns the line round.
 * Return: 0, negative errno. */
int port_send(struct port *port, const struct modbus_request *request);

/**
 * port_receive() - what has come, without the echo; never waits
 * Return: 0 and *n, which may be 0; -EBADMSG: not the echo; negative errno.
 */
int port_receive(struct port *port, uint8_t *bytes, size_t room, size_t *n);

/** port_drain() - throw away what has come. Return: 0 and *n bytes; negative errno. */
int port_drain(struct port *port, size_t *n);

/** port_awaits_echo() - the echo of the request has not come whole yet */
static inline bool port_awaits_echo(const struct port *port)
{
	return port->echo_n > 0;
}

/** port_bytes_ns() - how long @n characters take on the line */
int64_t port_bytes_ns(const struct modbus_serial *config, unsigned n);
/** port_silence_ns() - what parts frames: 3.5 characters, and 1.75 ms above 19200 baud (Modbus over
 * Serial Line V1.02, 2.5.1.1) */
int64_t port_silence_ns(const struct modbus_serial *config);
