/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence-tar.h"

#include "core/tar.h"
#include "evidence-work.h"
#include "flow/clock.h"
#include "seal/hash.h"
#include "seal/pem.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAME_BYTES = 100, PATH_BYTES = 4400, TRIES = 3 };

static const char header[] = "time,received_at,site,factor,value,flag\n";

/* --- what goes in --- */

void work_bad(struct work *w, const char *format, ...)
{
	va_list list;

	if (w->bad[0] != '\0')
		return;
	va_start(list, format);
	vsnprintf(w->bad, sizeof w->bad, format, list);
	va_end(list);
}

void work_note(struct work *w, const char *format, ...)
{
	char line[1000];
	va_list list;

	va_start(list, format);
	vsnprintf(line, sizeof line, format, list);
	va_end(list);
	text_format(&w->notes, "note: %s\n", line);
}

void work_put(struct work *w, const char *name, const void *bytes, size_t size)
{
	uint8_t hash[CHAIN_HASH_BYTES];
	char hex[CHAIN_HEX_BYTES];

	tar_add(w->tar, name, bytes, size, w->setup->now_ms / 1000);
	if (hash_bytes(bytes, size, hash) != 0)
		w->r = -EIO;
	chain_hex(hex, hash, sizeof hash);
	text_format(&w->sums, "%s  %s\n", hex, name);
}

void work_put_text(struct work *w, const char *name, const struct text *text)
{
	if (text->failed)
		w->r = -ENOMEM;
	else
		work_put(w, name, text->at == NULL ? "" : text->at, text->length);
}

/* A wait may end early, as when clocks are set; what counts is the time that has passed. */
bool work_sealed(struct work *w, int64_t batch, int64_t entry)
{
	static const struct timespec moment = {.tv_nsec = 50000000};
	int64_t until_ns = clock_mono_ns() + EVIDENCE_AWAIT_MS * INT64_C(1000000);

	while (!evidence_await(w->setup->evidence, batch, entry, 1000)) {
		if (clock_mono_ns() >= until_ns)
			return false;
		nanosleep(&moment, NULL);
	}
	return true;
}

int work_read(const char *path, struct text *out)
{
	char block[65536];
	size_t n;
	FILE *file = fopen(path, "re");

	text_clear(out);
	if (file == NULL)
		return -errno;
	while ((n = fread(block, 1, sizeof block, file)) > 0)
		text_add_n(out, block, n);
	int r = ferror(file) ? -EIO : out->failed ? -ENOMEM : 0;
	fclose(file);
	return r;
}

/* --- files of the case --- */

/* One that is not what it was goes in as it is: that, too, is evidence. */
static void attachment_put(struct work *w, const char *sha256)
{
	char name[NAME_BYTES], path[PATH_BYTES], hex[CHAIN_HEX_BYTES];
	uint8_t hash[CHAIN_HASH_BYTES];
	struct text bytes = {0};

	snprintf(name, sizeof name, "attachments/%.64s", sha256);
	snprintf(path, sizeof path, "%s/%s", w->setup->directory, name);
	int r = work_read(path, &bytes);
	if (r == 0)
		r = hash_bytes(bytes.at == NULL ? "" : bytes.at, bytes.length, hash);
	if (r == 0) {
		chain_hex(hex, hash, sizeof hash);
		work_put_text(w, name, &bytes);
		if (strcmp(hex, sha256) != 0)
			work_bad(w, "%s: it is not what it was", name);
	} else if (r == -ENOENT) {
		work_bad(w, "%s: there is no such file", name);
	} else {
		w->r = r;
	}
	text_deinit(&bytes);
}

static bool is_put(const json_t *history, size_t before, const char *sha256)
{
	for (size_t i = 0; i < before; i++) {
		const char *other =
			json_string_value(json_object_get(json_array_get(history, i), "sha256"));
		if (other != NULL && strcmp(other, sha256) == 0)
			return true;
	}
	return false;
}

/* *last_ms: when the last step was. */
static void history_put(struct work *w, const json_t *history, int64_t *last_ms)
{
	json_t *step;
	size_t i;

	json_array_foreach(history, i, step)
	{
		const char *sha256 = json_string_value(json_object_get(step, "sha256"));
		const char *at = json_string_value(json_object_get(step, "at"));
		if (sha256 != NULL && !is_put(history, i, sha256))
			attachment_put(w, sha256);
		if (at != NULL && time_parse(at, strlen(at), NULL, last_ms))
			seals_of(w, *last_ms);
	}
}

static void parts_put(struct work *w, const char *json, int64_t *last_ms)
{
	json_t *root = json_loads(json, 0, NULL);
	const char *digest =
		json_string_value(json_object_get(json_object_get(root, "evidence"), "digest"));

	history_put(w, json_object_get(root, "history"), last_ms);
	if (digest != NULL)
		snprintf(w->digest, sizeof w->digest, "%s", digest);
	json_decref(root);
}

/* The readings as two tables on their way. */
struct tables {
	struct text readings;
	struct framed_lines framed;
};

static bool line_put(void *context, const struct daybook_row *row, const struct text *line)
{
	struct tables *t = context;

	text_add_n(&t->readings, line->at, line->length);
	framed_add(&t->framed, row, line->at, line->length - 1);
	return !t->readings.failed && !t->framed.failed;
}

/* What the ledger keeps a digest of must be there, unless its days were removed by rule. */
static void lines_judge(struct work *w, const struct evidence_case *c,
			const struct evidence_lines *lines)
{
	char hex[CHAIN_HEX_BYTES];

	chain_hex(hex, lines->digest, sizeof lines->digest);
	readings_whole(w);
	if (w->digest[0] == '\0' || c->kept < 0 || strcmp(hex, w->digest) == 0)
		return;
	if (w->days_gone > 0)
		removed_note(w, c, lines);
	else
		work_bad(w,
			 "readings: those of which the ledger keeps the digest are not there any "
			 "more (%lld of %lld are), and no rule removed a day of theirs",
			 (long long)lines->readings, (long long)c->kept);
}

static int readings_put(struct work *w, struct evidence_case *c)
{
	struct daybook_reader *reader = NULL;
	struct evidence_lines lines = {0};
	struct tables tables = {0};

	text_add(&tables.readings, header);
	int r = daybook_reader_open(&reader, w->setup->directory, w->setup->plan);
	if (r == 0)
		r = evidence_read(reader, w->setup->plan, c, line_put, &tables, &lines);
	if (r == -ENOENT) { /* of a monitor that the plan has no more */
		work_bad(w,
			 "readings: the configuration in force has a monitor of the case no more");
		r = 0;
	}
	if (r == 0) {
		work_put_text(w, "readings.csv", &tables.readings);
		readings_chain(w, c, &lines, &tables.framed);
		later_put(w, reader, c, &lines);
		lines_judge(w, c, &lines);
	}
	daybook_reader_close(reader);
	text_deinit(&tables.readings);
	framed_deinit(&tables.framed);
	return r;
}

/* What the file includes goes into a folder, in the order in which it is read. */
static void config_put(void *context, size_t i, const char *name, const char *at, size_t length)
{
	const char *slash = strrchr(name, '/');
	char path[NAME_BYTES];

	snprintf(path, sizeof path, "config/%02zu-%.80s", i, slash != NULL ? slash + 1 : name);
	work_put(context, i == 0 ? "config.cfg" : path, at, length);
}

/* The case of a moment, all of which is sealed. */
static int case_rows(struct work *w, int64_t id, struct evidence_rows *rows)
{
	int r = ledger_evidence_rows(w->setup->ledger, id, rows);

	if (r == 0 && !work_sealed(w, 0, rows->last))
		work_bad(w, "seals: none covers the case's newest entry (%lld) yet",
			 (long long)rows->last);
	if (r == 0 && rows->bad[0] != '\0')
		work_bad(w, "%s", rows->bad);
	return r;
}

static int case_put(struct work *w, int64_t id, const struct evidence_rows *rows)
{
	struct evidence_case c;
	int64_t last_ms = 0;

	w->days_gone = rows->days_gone;
	w->rows = &rows->rows;
	work_put_text(w, "case.json", &rows->json);
	parts_put(w, rows->json.at, &last_ms);
	case_chain(w, rows, last_ms);
	int r = ledger_evidence(w->setup->ledger, id, &c);
	if (r == 0)
		r = readings_put(w, &c);
	seals_put(w);
	evidence_deinit(&c);
	return r;
}

/* What the first place is of, for who reads no English. */
static const char *place_word(const char *bad)
{
	static const char *const words[][2] = {{"daybook", "监测数据库"},
					       {"ledger.db", "台账"},
					       {"seal", "封签或密钥"},
					       {"attachments", "附件"},
					       {"readings", "监测数据"}};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strncmp(bad, words[i][0], strlen(words[i][0])) == 0)
			return words[i][1];
	return "数据";
}

static void verify_put(struct work *w)
{
	struct text text = {0};

	if (w->bad[0] != '\0')
		text_format(&text,
			    "bad: %s\n"
			    "What is archived here is not as it was sealed; the line above has the "
			    "first place.\n"
			    "本证据包中的数据与封存时不一致，首处（%s）见上。\n",
			    w->bad, place_word(w->bad));
	else
		text_format(
			&text,
			"clean: what is archived here is as it was sealed (%zu links, %zu keys)\n"
			"本证据包中的数据与封存时一致。\n",
			w->links, w->n_keys);
	if (w->frames_gone > 0)
		work_note(w,
			  "the frames of %lld links were removed by the rules of retention "
			  "(storage.keep_days.frames) %lld 环的报文已按保存期限清除",
			  (long long)w->frames_gone, (long long)w->frames_gone);
	text_add_n(&text, w->notes.at == NULL ? "" : w->notes.at, w->notes.length);
	work_put_text(w, "VERIFY.txt", &text);
	text_deinit(&text);
}

static void fixed_put(struct work *w)
{
	work_put(w, "README.txt", evidence_readme, strlen(evidence_readme));
	work_put(w, "check.sh", evidence_check_sh, strlen(evidence_check_sh));
	work_put(w, "check.py", evidence_check_py, strlen(evidence_check_py));
}

/* --- the archive --- */

/* A list of sums begins like no seal and no key's line. Return: 0, negative errno; -EAGAIN where
 * the key rolled since the keys were put. */
static int sums_put(struct work *w)
{
	uint8_t signature[SEAL_SIGNATURE_BYTES], public[SEAL_PUBLIC_BYTES];
	char pem[PEM_BYTES], hex[2 * SEAL_PUBLIC_BYTES + 1];
	int64_t at_s = w->setup->now_ms / 1000;

	int r = w->sums.failed ? -ENOMEM
			       : evidence_sign(w->setup->evidence, w->sums.at, w->sums.length,
					       signature, public);
	if (r != 0)
		return r;
	chain_hex(hex, public, sizeof public);
	if (strstr(w->keys.at, hex) == NULL)
		return -EAGAIN;
	pem_public(pem, public);
	tar_add(w->tar, "SHA256SUMS", w->sums.at, w->sums.length, at_s);
	tar_add(w->tar, "SHA256SUMS.sig", signature, sizeof signature, at_s);
	tar_add(w->tar, "sums.pem", pem, strlen(pem), at_s);
	return 0;
}

static int tar_write(struct work *w, int64_t id, const struct text *dossier,
		     const struct evidence_rows *rows)
{
	keys_take(w); /* a seal of now is there by now, and so is its key */
	int r = w->r == 0 ? case_put(w, id, rows) : w->r;

	if (r != 0)
		return r;
	if (dossier != NULL)
		work_put_text(w, "dossier.html", dossier);
	config_text_each(w->setup->config, config_put, w);
	fixed_put(w);
	verify_put(w);
	return w->r == 0 ? sums_put(w) : w->r;
}

static int tar_try(const struct evidence_tar *setup, int64_t id, const struct text *dossier,
		   struct text *out)
{
	struct work w = {.setup = setup, .tar = out};
	struct evidence_rows rows;

	int r = case_rows(&w, id, &rows);
	if (r == 0)
		r = tar_write(&w, id, dossier, &rows);
	tar_end(out);
	evidence_rows_deinit(&rows);
	text_deinit(&w.notes);
	text_deinit(&w.sums);
	text_deinit(&w.keys);
	text_deinit(&w.seals);
	text_deinit(&w.batches);
	free(w.key);
	return r == 0 && out->failed ? -ENOMEM : r;
}

int evidence_tar_write(const struct evidence_tar *setup, int64_t id, const struct text *dossier,
		       struct text *out)
{
	int r = -EAGAIN;

	for (int i = 0; r == -EAGAIN && i < TRIES; i++) {
		text_clear(out);
		r = tar_try(setup, id, dossier, out);
	}
	return r;
}
