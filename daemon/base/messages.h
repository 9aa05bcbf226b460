/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Messages: what the log says under a name of its own, for people who look it up and programs that
 * wait for it.
 *
 * An id is a 128-bit number that never changes and is never given again, as in MESSAGE_ID of
 * systemd.journal-fields(7); systemd/ducha.catalog says for each what it means and what to do, and
 * a test holds the two against each other. A message and the one that takes it back share a topic:
 * of a topic that changes all the time only so much is said (base/damper.h).
 */

/* name, priority, topic, id */
#define LOG_MESSAGES(X)                                                                            \
	X(READY, INFO, READY, "5e0dda4c450746efb955fb434aa4188a")                                  \
	X(ENDING, INFO, ENDING, "52e941b7630b4d1d979259e21f5f0aa0")                                \
	X(ALERT, WARNING, ALERT, "3c15ddd039cb45fdbe96ac072a79be87")                               \
	X(CONNECTION_LOST, WARNING, CONNECTION_LOST, "adc062ad58d84fd8a7a99e22223bfc95")           \
	X(CONNECTION_BACK, INFO, CONNECTION_LOST, "e47d930864014e0b91567ed8905d8fa8")              \
	X(UNIT_LOST, WARNING, UNIT_LOST, "341919bb04f04bec95ace5a8e3033835")                       \
	X(UNIT_BACK, INFO, UNIT_LOST, "5af0fa20857145ff8266997d0791c634")                          \
	X(WRONG_REPLY, WARNING, WRONG_REPLY, "e07454c96dd943b38b80c6d7959002d5")                   \
	X(EXCEPTION, WARNING, EXCEPTION, "0733b5e4ff164571a3a3acffd2ccc1ee")                       \
	X(CALLER_UNKNOWN, WARNING, CALLER_UNKNOWN, "bf9325f1c5a84ce28c674650f3e6acfe")             \
	X(SUBSCRIPTION, WARNING, SUBSCRIPTION, "88ef965542b74631a6cc112f07f3be83")                 \
	X(PAYLOAD, WARNING, PAYLOAD, "c74f2ff6865f46c7ad00bac1cf642295")                           \
	X(EARLY_ACK, WARNING, EARLY_ACK, "4b2566744b984f51903d2b0271f7fb18")                       \
	X(RECORDING_STOPPED, ERROR, RECORDING_STOPPED, "7cc02244c8a3427ebe405417b7f414e8")         \
	X(RECORDING_AGAIN, WARNING, RECORDING_STOPPED, "ea55d6cf4a784d59800a955fe0e6b6b7")         \
	X(LEDGER_STOPPED, ERROR, LEDGER_STOPPED, "5c34a537a8784962a5aae701fb79b5d5")               \
	X(LEDGER_AGAIN, WARNING, LEDGER_STOPPED, "ba5ce041c1044899ac671ccd336d54de")               \
	X(FSYNC, CRITICAL, FSYNC, "44ae3e3969b04ce4a0ecab0762d3f4bc")                              \
	X(DAMAGED, ERROR, DAMAGED, "30bf482392114733bbd522f040eb5946")                             \
	X(UNSENT_GONE, WARNING, UNSENT_GONE, "a85080b43ac34dd9a4aa032f0e0d2f93")                   \
	X(INFLUX_STOPPED, WARNING, INFLUX_STOPPED, "40445ae1da164ce69dbe1756816776f4")             \
	X(INFLUX_AGAIN, INFO, INFLUX_STOPPED, "23e301cc71e84300a93c5288da63a600")                  \
	X(INFLUX_REFUSED, WARNING, INFLUX_REFUSED, "d4fbaeefed8243d2b85c7cc1d7d42ece")             \
	X(DELIVERY_STOPPED, WARNING, DELIVERY_STOPPED, "86a4bcb948d24fbca640b6b573f3d310")         \
	X(DELIVERY_AGAIN, INFO, DELIVERY_STOPPED, "cc5758a88b0541f3a56664955da075e4")              \
	X(DELIVERY_REFUSED, WARNING, DELIVERY_REFUSED, "7162a47725c846f0bf2d59077801f398")         \
	X(SEALING_STOPPED, WARNING, SEALING_STOPPED, "83827a46d2af4b72a9e50c317f19e6be")           \
	X(SEALING_AGAIN, INFO, SEALING_STOPPED, "c3a7e0c571ba41d8870b980762256997")                \
	X(KEY_ANEW, WARNING, KEY_ANEW, "624a52ff4e944e8ba2c6f10a653aede8")                         \
	X(CLOCK, WARNING, CLOCK, "26acfbe47a934fa9b7920ab53dae45d2")                               \
	X(RELOADED, INFO, RELOADED, "a8e8b5bf71b34eb0936a472f98903e5a")                            \
	X(NOT_RELOADED, WARNING, NOT_RELOADED, "0b810566a4b4489f919df3d7cad814f8")                 \
	X(DESCRIPTORS, WARNING, DESCRIPTORS, "e3f384240ff146a58627ad1df039bea6")

enum log_message {
	LOGGED_PLAIN, /* without a name: in nobody's catalogue */
#define X(name, priority, topic, id) LOGGED_##name,
	LOG_MESSAGES(X)
#undef X
		LOG_MESSAGE_COUNT
};
