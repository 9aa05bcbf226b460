/* SPDX-License-Identifier: Apache-2.0 */
/* The body of what people do: the first byte chooses what for, the rest is what came. */
#include "core/text.h"
#include "serve/query.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* What is taken is bounded text, and a listed word only as its code. */
static void check_order(struct case_order *order, enum order_use use)
{
	for (size_t i = 0; i < n_order_fields; i++) {
		const struct order_field *field = &order_fields[i];
		const char *text = *order_text(order, field);
		if (text == NULL || (field->uses & (unsigned)use) == 0)
			continue;
		check(text[0] != '\0' && strlen(text) <= field->most && text_is_utf8(text));
		check(strpbrk(text, "\x01\x07\x1b\x7f") == NULL);
		if (field->list >= 0)
			check(case_word((enum case_list)field->list, text) == text);
	}
	check(use != USE_ACT || order->action < CASE_ACTIONS);
	check(order->other >= 0);
}

/* A document is kept with one day behind its number, and then says the same day. */
static void check_document(const struct case_order *order)
{
	struct text room = {0}, again_room = {0};
	struct case_order kept = {.document = order_document(order, &room)};
	char day[DOCUMENT_DAY], again[DOCUMENT_DAY];
	check((kept.document == NULL) == (order->document == NULL));
	if (kept.document != NULL) {
		bool dated = document_day(order->document, day) != 0 || order->dated != NULL;
		check(strcmp(order_document(&kept, &again_room), kept.document) == 0);
		check(!dated || document_day(kept.document, again) != 0);
		check(text_is_utf8(kept.document));
	}
	text_deinit(&room);
	text_deinit(&again_room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const enum order_use uses[] = {USE_ACT, USE_OPEN, USE_SHELVE, USE_ACKNOWLEDGE};
	static const struct zone zone = {.n_changes = 0};
	struct action_body body;
	struct text error = {0};
	if (n < 1)
		return 0;
	enum order_use use = uses[data[0] % 4];
	if (action_read((const char *)data + 1, n - 1, &zone, use, 0, &body, &error)) {
		check_order(&body.order, use);
		check_document(&body.order);
		action_body_deinit(&body);
	} else {
		check(error.at != NULL && error.length > 0);
	}
	text_deinit(&error);
	return 0;
}
