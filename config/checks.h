/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Checks: pure tests of single texts. Each returns NULL, or the sentence that says what would be
 * right.
 */
#include <stdbool.h>

const char *check_node_id(const char *text);
const char *check_id(const char *text);
const char *check_timezone(const char *text);    /* UTC, or a file of the zoneinfo database */
const char *check_case_number(const char *text); /* {prefix} {year} {seq} */
const char *check_http_url(const char *text);
/** check_sayable() - how much of @text a message may repeat: of an address with a name or a password
 * in it just the scheme. Return: bytes. */
int check_sayable(const char *text);
/** is_loopback_url() - does a URL stay on this machine? An address or localhost, no other name. */
bool is_loopback_url(const char *url);
const char *check_webhook_secrets(const char *text); /* Standard Webhooks 1.0.0 */
const char *check_signing_key(const char *text);
const char *check_smtp_url(const char *text);
const char *check_postgresql_url(const char *text);
const char *check_mqtt_uri(const char *text);
const char *check_host(const char *text);
const char *check_device(const char *text);
const char *check_listen(const char *text);         /* host:port, [v6]:port */
const char *check_listen_address(const char *text); /* the same with digits only, for dtu */
const char *check_packet(const char *text);         /* text, or hex: and digits */
const char *check_topic_filter(const char *text);   /* MQTT 3.1.1, 4.7 */
const char *check_topic(const char *text);
const char *check_event_topic(const char *text);  /* {node} {event} */
const char *check_share_topic(const char *text);  /* {node} {site} {factor} */
const char *check_mail_address(const char *text); /* local@domain, ASCII */
const char *check_pointer(const char *text);      /* RFC 6901 */
const char *check_event_filter(const char *text);
const char *check_date(const char *text); /* YYYY-MM-DD */
const char *check_factor(const char *text);
const char *check_unit(const char *text); /* one of the table of units */
const char *check_mn(const char *text);
