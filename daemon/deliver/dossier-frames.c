/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was exchanged on the wire for the case's readings: how many frames are kept, the digest of
 * the table that the evidence archive has of them, and a few of them as they were.
 */
#include "deliver/dossier-parts.h"

#include "store/framed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { READINGS_MOST = 20000, SHOWN = 3, DIGITS_SHOWN = 160 };

static void frame_keep(struct dossier_frames *out, const struct framed_lines *lines,
		       const struct framed *f)
{
	struct dossier_frame *frame = &out->shown[out->n_shown++];

	frame->kind = frame_kind_name(f->kind);
	frame->measured_ms = f->measured_ms;
	frame->has_value = f->has_value;
	frame->value = f->value;
	text_add_n(&frame->asked, framed_asked(lines, f), f->asked);
	text_add_n(&frame->answered, framed_answered(lines, f), f->answered);
}

/* The first ones, and the last one. */
static void frames_show(struct dossier_frames *out, const struct framed_lines *lines)
{
	const struct framed *last = NULL;

	for (size_t i = 0; i < lines->n; i++) {
		const struct framed *f = &lines->at[i];
		if (f->kind == 0 || f->kind == FRAME_OVERWRITTEN)
			continue;
		if (out->n_shown < SHOWN)
			frame_keep(out, lines, f);
		else
			last = f;
	}
	if (last != NULL)
		frame_keep(out, lines, last);
}

static int frames_take(struct dossier_frames *out, const struct framed_lines *lines,
		       const struct zone *zone)
{
	out->readings = lines->n;
	out->kept = lines->found;
	frames_show(out, lines);
	return framed_digest(lines, zone, out->digest);
}

int dossier_frames(const struct dossier *dossier, const char *directory,
		   struct daybook_reader *reader, struct dossier_frames *out)
{
	struct framed_lines lines = {0};
	struct evidence_case evidence;
	int64_t id = json_integer_value(json_object_get(dossier->c, "id"));

	*out = (struct dossier_frames){0};
	if (dossier->ledger == NULL)
		return 0;
	int r = ledger_evidence(dossier->ledger, id, &evidence);
	if (r == 0)
		r = framed_read(&lines, directory, reader, dossier->plan, &evidence, READINGS_MOST);
	evidence_deinit(&evidence);
	if (r == 0 && lines.n > 0)
		r = frames_take(out, &lines, &dossier->plan->zone);
	framed_deinit(&lines);
	out->many = r == -E2BIG;
	return r == -E2BIG || r == -ENOENT ? 0 : r;
}

void dossier_frames_deinit(struct dossier_frames *frames)
{
	for (size_t i = 0; i < DOSSIER_FRAMES; i++) {
		text_deinit(&frames->shown[i].asked);
		text_deinit(&frames->shown[i].answered);
	}
}

/* --- the page --- */

static void digits(struct parts *parts, const struct text *hex)
{
	struct text cut = {0};

	text_add_n(&cut, hex->at, hex->length < DIGITS_SHOWN ? hex->length : DIGITS_SHOWN);
	if (hex->length > DIGITS_SHOWN)
		text_add(&cut, "…");
	sheet_markup(&parts->sheet, "</td><td>");
	sheet_text(&parts->sheet, cut.at);
	text_deinit(&cut);
}

static void row(struct parts *parts, const struct dossier_frame *frame)
{
	struct sheet *sheet = &parts->sheet;

	sheet_markup(sheet, "<tr><td class=\"whole\">");
	sheet_time(sheet, frame->measured_ms);
	sheet_markup(sheet, "</td><td class=\"whole\">");
	if (frame->has_value)
		text_double(sheet->out, frame->value);
	else
		text_char(sheet->out, '-');
	sheet_markup(sheet, "</td><td class=\"whole\">");
	sheet_text(sheet, frame->kind);
	digits(parts, &frame->asked);
	digits(parts, &frame->answered);
	sheet_markup(sheet, "</td></tr>\n");
}

/* A message may name whom an open page does not. */
static void table(struct parts *parts, const struct dossier_frames *frames)
{
	static const char *const heads[] = {SAY("Time"), SAY("value"), SAY("Protocol"),
					    SAY("Asked, or topic"), SAY("Answered, or payload")};

	if (parts->dossier->open || frames->n_shown == 0)
		return;
	sheet_markup(&parts->sheet, "<p>");
	sheet_say(&parts->sheet,
		  SAY("The first frames and the last one, in hexadecimal; all are in "
		      "the evidence archive of the case (frames.csv):"));
	sheet_markup(&parts->sheet, "</p>");
	sheet_table(&parts->sheet, "readings", heads, sizeof heads / sizeof heads[0]);
	for (size_t i = 0; i < frames->n_shown; i++)
		row(parts, &frames->shown[i]);
	sheet_table_end(&parts->sheet);
}

static void counts(struct parts *parts, const struct dossier_frames *frames)
{
	char kept[24], hex[CHAIN_HEX_BYTES];

	snprintf(kept, sizeof kept, "%zu / %zu", frames->kept, frames->readings);
	chain_hex(hex, frames->digest, sizeof frames->digest);
	part_pairs(parts);
	part_row(parts, SAY("Readings whose frame is kept"), kept);
	part_row(parts, SAY("Digest of frames.csv (SHA-256)"), hex);
	part_pairs_end(parts);
}

void part_frames(struct parts *parts)
{
	const struct dossier_frames *frames = parts->dossier->frames;

	if (frames == NULL || (frames->readings == 0 && !frames->many))
		return;
	part_begin(parts, SAY("Frames on the wire"));
	if (frames->many) {
		sheet_markup(&parts->sheet, "<p>");
		sheet_say(&parts->sheet,
			  SAY("The readings are too many for this page; their frames "
			      "are in the evidence archive of the case."));
		sheet_markup(&parts->sheet, "</p>\n");
	} else {
		counts(parts, frames);
		table(parts, frames);
	}
	part_end(parts);
}
