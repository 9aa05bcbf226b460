/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Mail: an event as an Internet message, RFC 5322 with MIME, for people who read it on a telephone.
 *
 * Whatever stands in an event, it cannot become a header or a part: headers hold encoded words
 * (RFC 2047) without line ends, bodies are base64. The Message-ID follows from the event, so a mail
 * that comes twice is known, and References keep the mails of a case together. Pure: no clock, no
 * file.
 */
#include "core/plan.h"
#include "core/text.h"
#include "deliver/outbox.h"
#include "deliver/wording.h"

struct mail {
	const struct plan *plan; /* node, office, zone */
	const char *from;        /* an address alone */
	const char *const *to;
	size_t n_to;
	int64_t now_ms;
	const char *(*translate)(const char *english);
	const struct wording *words; /* the same language; NULL: English */
	const struct outbox_event *event;
	const char *dossier; /* HTML to attach; NULL: none */
	size_t dossier_bytes;
};

/** mail_write() - the whole message with CRLF; @out fails without memory */
void mail_write(const struct mail *mail, struct text *out);
/** mail_word() - adds @s as RFC 2047 words, folded for a header whose name takes @used bytes
 * (at most 50) */
void mail_word(struct text *out, const char *s, size_t used);
