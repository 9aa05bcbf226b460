/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/port.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* libmodbus has errors of its own beyond those of the system. */
static int modbus_errno(void)
{
	return errno > 0 && errno < MODBUS_ENOBASE ? -errno : -EIO;
}

int port_init(struct port *port, const struct modbus_serial *config)
{
	*port = (struct port){.config = config};
	port->modbus = modbus_new_rtu(config->device, config->baud, config->parity,
				      config->data_bits, config->stop_bits);
	if (port->modbus == NULL)
		return modbus_errno();
	if (config->rts_delay_us >= 0)
		(void)modbus_rtu_set_rts_delay(port->modbus, config->rts_delay_us);
	return 0;
}

void port_deinit(struct port *port)
{
	if (port->modbus == NULL)
		return;
	port_close(port);
	modbus_free(port->modbus);
	port->modbus = NULL;
}

int port_fd(const struct port *port)
{
	return modbus_get_socket(port->modbus);
}

/* Others are kept out: a second master on a bus spoils the exchanges of both. */
static int take_alone(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return ioctl(fd, TIOCEXCL) < 0 ? -errno : 0;
}

/* libmodbus sets RTS without looking whether the driver can. */
static int set_direction(struct port *port)
{
	int lines, result = 0;
	switch (port->config->direction) {
	case MODBUS_DIRECTION_NONE:
		break;
	case MODBUS_RS485:
		result = modbus_rtu_set_serial_mode(port->modbus, MODBUS_RTU_RS485);
		break;
	case MODBUS_RTS_UP:
	case MODBUS_RTS_DOWN:
		result = ioctl(port_fd(port), TIOCMGET, &lines);
		if (result == 0)
			result = modbus_rtu_set_rts(port->modbus,
						    port->config->direction == MODBUS_RTS_UP
							    ? MODBUS_RTU_RTS_UP
							    : MODBUS_RTU_RTS_DOWN);
		break;
	}
	return result < 0 ? modbus_errno() : 0;
}

int port_open(struct port *port)
{
	if (modbus_connect(port->modbus) < 0)
		return modbus_errno();
	int error = take_alone(port_fd(port));
	if (error == 0)
		error = set_direction(port);
	if (error == 0 && modbus_flush(port->modbus) < 0)
		error = modbus_errno();
	if (error != 0)
		port_close(port);
	return error;
}

/* Without the flush, closing waits for what a dead adapter will never send. */
void port_close(struct port *port)
{
	port->echo_n = 0;
	if (port_fd(port) < 0)
		return;
	(void)modbus_flush(port->modbus);
	(void)ioctl(port_fd(port), TIOCNXCL); /* a device that others hold would keep it */
	modbus_close(port->modbus);
}

int port_send(struct port *port, const struct modbus_request *request)
{
	enum { CRC_BYTES = 2 };
	modbus_rtu_build(request, port->sent);
	port->echo_at = 0;
	port->echo_n = port->config->echo ? sizeof port->sent : 0;
	int sent = modbus_send_raw_request(port->modbus, port->sent, sizeof port->sent - CRC_BYTES);
	return sent < 0 ? modbus_errno() : 0;
}

static int take_echo(struct port *port, uint8_t *bytes, size_t *n)
{
	size_t echoed = *n < port->echo_n ? *n : port->echo_n;
	bool same = memcmp(bytes, port->sent + port->echo_at, echoed) == 0;
	port->echo_at += echoed;
	port->echo_n = same ? port->echo_n - echoed : 0;
	*n -= echoed;
	memmove(bytes, bytes + echoed, *n);
	return same ? 0 : -EBADMSG;
}

int port_receive(struct port *port, uint8_t *bytes, size_t room, size_t *n)
{
	*n = 0;
	ssize_t got = read(port_fd(port), bytes, room);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	*n = (size_t)got;
	return take_echo(port, bytes, n);
}

int port_drain(struct port *port, size_t *n)
{
	uint8_t bytes[256];
	size_t got;
	int error;
	port->echo_n = 0;
	*n = 0;
	while ((error = port_receive(port, bytes, sizeof bytes, &got)) == 0 && got > 0)
		*n += got;
	return error;
}

int64_t port_bytes_ns(const struct modbus_serial *config, unsigned n)
{
	int bits = 1 + config->data_bits + (config->parity != 'N') + config->stop_bits;
	return INT64_C(1000000000) * bits * n / config->baud;
}

int64_t port_silence_ns(const struct modbus_serial *config)
{
	return config->baud > 19200 ? 1750000 : port_bytes_ns(config, 7) / 2;
}
