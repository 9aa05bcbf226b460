/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence-tar.h"

#include "core/tar.h"
#include "seal/hash.h"
#include "seal/pem.h"
#include "store/evidence-frames.h"
#include "store/evidence-links.h"
#include "store/evidence.h"
#include "store/framed.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 100, PATH_BYTES = 4400 };
/* More links and frames than this are left out: who has so many readings has the daybook's files.
 */
#define LINKS_BYTES_MOST ((size_t)64 << 20)

static const char header[] = "time,received_at,site,factor,value,flag\n";

/* What `sh check.sh` does is what the README tells; each line is one of its steps. */
static const char check[] =
	"#!/bin/sh\n"
	"# Each step says OK, or what is wrong. 每一步输出 OK，或指出问题所在。\n"
	"set -e\n"
	"sha256sum --check --quiet SHA256SUMS\n"
	"echo 'files OK'\n"
	"digest=$(tail -n +2 readings.csv | sha256sum | cut -c1-64)\n"
	"if grep -q \"\\\"digest\\\":\\\"$digest\\\"\" case.json; then echo 'readings OK'\n"
	"elif grep -q '\"digest\":null' case.json; then echo 'readings: the case has no digest "
	"yet'\n"
	"else echo 'readings: not those of the case'; exit 1; fi\n"
	"public() { openssl pkey -pubin -in \"$1\" -outform DER | tail -c 32 | od -An -v -tx1"
	" | tr -d ' \\n'; }\n"
	"openssl pkeyutl -verify -pubin -inkey sums.pem -rawin -in SHA256SUMS -sigfile "
	"SHA256SUMS.sig\n"
	"if grep -q \" $(public sums.pem) \" keys; then echo 'archive OK'; else\n"
	"\techo 'sums.pem: not one of keys'; exit 1\n"
	"fi\n"
	"[ -e seal.txt ] || { echo 'seal: no seal covers these readings yet'; exit 1; }\n"
	"openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in seal.txt -sigfile seal.sig\n"
	"number=$(cut -d' ' -f7 seal.txt)\n"
	"if grep -q \"^key 1 [^ ]* [^ ]* $number [^ ]* [^ ]* $(public key.pem) \" keys; then\n"
	"\techo \"key OK: number $number\"\n"
	"else\n"
	"\techo 'key.pem: not the key that the seal names'; exit 1\n"
	"fi\n"
	"scratch=$(mktemp -d)\n"
	"trap 'rm -r \"$scratch\"' EXIT\n"
	"bytes() { LC_ALL=C awk -v hex=\"$1\" 'BEGIN { digits = \"123456789abcdef\"\n"
	"\tfor (i = 1; i < length(hex); i += 2) printf \"%c\","
	" 16 * index(digits, substr(hex, i, 1)) + index(digits, substr(hex, i + 1, 1)) }'; }\n"
	"former=\n"
	"while IFS= read -r line; do\n"
	"\tset -- $line\n"
	"\tbytes \"302a300506032b6570032100${former:-$8}\" >\"$scratch/key.der\"\n"
	"\tbytes \"${10}\" >\"$scratch/sig\"\n"
	"\tprintf %s \"${line% *}\" >\"$scratch/text\"\n"
	"\topenssl pkeyutl -verify -pubin -keyform DER -inkey \"$scratch/key.der\" -rawin"
	" -in \"$scratch/text\" -sigfile \"$scratch/sig\" >\"$scratch/said\" 2>&1 ||\n"
	"\t\t{ echo \"keys: key $5 is not signed by the one before it\"; exit 1; }\n"
	"\tformer=$8\n"
	"done <keys\n"
	"echo \"keys OK; compare the first with the one that was written down"
	" 请与书面登记核对: $(head -n 1 keys | cut -d' ' -f8)\"\n"
	"former=\n"
	"for link in links/*.bin; do\n"
	"\tsays=$(head -c 33 \"$link\" | tail -c 32 | od -An -v -tx1 | tr -d ' \\n')\n"
	"\tif [ -n \"$former\" ] && [ \"$former\" != \"$says\" ]; then\n"
	"\t\techo \"$link: does not follow the link before it\"; exit 1\n"
	"\tfi\n"
	"\tformer=$(sha256sum <\"$link\" | cut -c1-64)\n"
	"done\n"
	"if grep -q \" $former \" seal.txt; then echo 'links OK'; else\n"
	"\techo 'links: the last one is not what the seal names'; exit 1\n"
	"fi\n"
	"for frames in frames/*.bin; do\n"
	"\t[ -e \"$frames\" ] || continue\n"
	"\tdigest=$(sha256sum <\"$frames\" | cut -c1-64)\n"
	"\tif ! od -An -v -tx1 \"links/${frames#frames/}\" | tr -d ' \\n' | grep -q \"$digest\"; "
	"then\n"
	"\t\techo \"$frames: not what its link says\"; exit 1\n"
	"\tfi\n"
	"done\n"
	"echo 'frames OK'\n";

static const char readme_english[] =
	"EVIDENCE OF A CASE\n"
	"\n"
	"case.json      the case: what was measured, who did what and when\n"
	"dossier.html   the same for people\n"
	"readings.csv   the readings it rests on\n"
	"frames.csv     for each of them what was exchanged with the instrument: a Modbus request "
	"and its\n"
	"               reply, or an MQTT topic and its payload, in hexadecimal; or none, or "
	"overwritten\n"
	"config.cfg     the configuration in force when this was written; config/ has what it "
	"includes, in order\n"
	"seal.txt       the seal that covers these readings; seal.sig is its signature\n"
	"key.pem        the public key that signed it; keys has all, each signed by the one before "
	"it\n"
	"seals/         all seals of the days in question\n"
	"links/         the links of the chain from the first of these readings to the seal: the "
	"bytes\n"
	"               that were hashed, with all that was committed together with these "
	"readings\n"
	"frames/        the frames that were committed with a link of the same name, byte by byte\n"
	"attachments/   files that were kept with the case, named by their SHA-256\n"
	"SHA256SUMS     sums of all these; SHA256SUMS.sig is its signature by the key in use when "
	"this\n"
	"               was written, sums.pem\n"
	"\n"
	"To check it, with sha256sum and openssl (3.0 or later) and nothing of ducha, run\n"
	"    sh check.sh\n"
	"or its lines one by one:\n"
	"1. No file was changed since:            sha256sum --check SHA256SUMS\n"
	"   and the node signed the sums:         openssl pkeyutl -verify -pubin -inkey sums.pem "
	"-rawin -in SHA256SUMS -sigfile SHA256SUMS.sig\n"
	"2. The readings are those of the case:   tail -n +2 readings.csv | sha256sum\n"
	"   is \"digest\" in case.json (null while the case goes on).\n"
	"3. The node signed the seal:             openssl pkeyutl -verify -pubin -inkey key.pem "
	"-rawin -in seal.txt -sigfile seal.sig\n"
	"4. The seal covers the readings: the SHA-256 of each link is in bytes 2 to 33 of the next "
	"one,\n"
	"   that of the last stands in seal.txt.\n"
	"5. The frames are those of the links: the SHA-256 of each file in frames/ stands in the\n"
	"   link of the same name, in 32 of its bytes.\n"
	"6. The keys are the node's: both public keys, the last 32 bytes of\n"
	"       openssl pkey -pubin -in key.pem -outform DER | tail -c 32 | od -An -v -tx1\n"
	"   and the same of sums.pem, stand in keys, that of key.pem in the line with the number\n"
	"   that is the seventh word of seal.txt. The first line of keys has the public key that "
	"was\n"
	"   written down when the node was put in service; each further line is signed, up to its "
	"last\n"
	"   blank, by the key of the line before it (check.sh has the commands).\n"
	"What links and frames hold, and what a seal does not prove: ducha-evidence(7).\n"
	"\n";

static const char readme_chinese[] =
	"案件证据包\n"
	"\n"
	"case.json      案件：监测结果、经办人、时间\n"
	"dossier.html   供人阅读的案卷\n"
	"readings.csv   本案所依据的监测数据\n"
	"frames.csv     每条数据在线路上的原始报文（十六进制）：Modbus 请求与应答，或 MQTT "
	"主题与内容；\n"
	"               none 为无报文，overwritten 为留存前已被覆盖\n"
	"config.cfg     导出时有效的配置；config/ 按次序存放其引入的文件\n"
	"seal.txt       覆盖这些数据的封签；seal.sig 为其数字签名\n"
	"key.pem        签名所用公钥；keys 列出全部公钥，后一个由前一个签名\n"
	"seals/         相关日期的全部封签\n"
	"links/         从首条数据到封签之间的哈希链各环：即参与哈希计算的原始字节，\n"
	"               包含与这些数据同批写入的全部内容\n"
	"frames/        与同名一环同批写入的报文原始字节\n"
	"attachments/   随案保存的附件，以其 SHA-256 命名\n"
	"SHA256SUMS     以上各文件的 SHA-256；SHA256SUMS.sig 为导出时在用密钥对其的签名，公钥为 "
	"sums.pem\n"
	"\n"
	"核验只需 sha256sum 和 openssl（3.0 以上），不需要本系统：\n"
	"    sh check.sh\n"
	"或逐条执行：\n"
	"1. 文件未被改动：        sha256sum --check SHA256SUMS\n"
	"   且由本站签出：        openssl pkeyutl -verify -pubin -inkey sums.pem -rawin -in "
	"SHA256SUMS -sigfile SHA256SUMS.sig\n"
	"2. 数据确为本案数据：    tail -n +2 readings.csv | sha256sum\n"
	"   结果应等于 case.json 中的 \"digest\"（案件未平息时为 null）。\n"
	"3. 封签由本站签出：      openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in "
	"seal.txt -sigfile seal.sig\n"
	"4. 封签覆盖这些数据：每一环的 SHA-256 等于下一环的第 2 至 33 字节，最后一环的写在 "
	"seal.txt 中。\n"
	"5. 报文属于各环：frames/ 中每个文件的 SHA-256 是同名一环中的 32 个字节。\n"
	"6. 公钥属于本站：key.pem 与 sums.pem 的公钥，即\n"
	"       openssl pkey -pubin -in key.pem -outform DER | tail -c 32 | od -An -v -tx1\n"
	"   的结果，均应列于 keys，其中 key.pem 的在编号等于 seal.txt 第七个词的一行；keys 首行的\n"
	"   公钥应与建站时书面登记的一致；其后每行（最后一个空格之前）由上一行的密钥签名\n"
	"   （命令见 check.sh）。\n"
	"各环、报文的内容及封签不能证明的事项见 ducha-evidence(7)。\n";

/* An archive on its way. */
struct work {
	const struct evidence_tar *setup;
	struct text *tar, sums;
	size_t links_bytes;
	int r;
	struct seal_line seal; /* number 0: none covers the readings */
	struct text seal_text; /* what it signs */
	struct text keys;      /* all public keys, as they are in the archive */
};

static void put(struct work *w, const char *name, const void *bytes, size_t size)
{
	uint8_t hash[CHAIN_HASH_BYTES];
	char hex[CHAIN_HEX_BYTES];

	tar_add(w->tar, name, bytes, size, w->setup->now_ms / 1000);
	if (hash_bytes(bytes, size, hash) != 0)
		w->r = -EIO;
	chain_hex(hex, hash, sizeof hash);
	text_format(&w->sums, "%s  %s\n", hex, name);
}

static void put_text(struct work *w, const char *name, const struct text *text)
{
	if (text->failed)
		w->r = -ENOMEM;
	else
		put(w, name, text->at == NULL ? "" : text->at, text->length);
}

static int read_file(const char *path, struct text *out)
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

/* --- the seal --- */

/* The first seal that covers @batch, from the lines of one file. */
static void seal_find(struct work *w, const struct text *lines, int64_t batch)
{
	struct seal_line seal;
	size_t length;

	for (const char *at = lines->at, *end; at != NULL && (end = strchr(at, '\n')) != NULL;
	     at = end + 1) {
		if (seal_line_parse(at, (size_t)(end - at), &seal, &length) != NULL ||
		    seal.daybook.number < batch ||
		    (w->seal.number != 0 && w->seal.number < seal.number))
			continue;
		w->seal = seal;
		text_clear(&w->seal_text);
		text_add_n(&w->seal_text, at, length);
	}
}

static int is_seals(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 6 && strcmp(entry->d_name + length - 6, ".seals") == 0;
}

/* A day's file is named by its date: what came before the case is of no use here. */
static void seals_put(struct work *w, int64_t from_ms, int64_t batch)
{
	struct civil day = zone_civil(&w->setup->plan->zone, from_ms);
	char path[PATH_BYTES], name[NAME_BYTES], first[32];
	struct text lines = {0};
	struct dirent **names;

	snprintf(path, sizeof path, "%s/seals", w->setup->directory);
	snprintf(first, sizeof first, "%04d-%02u-%02u", (int)day.year, (unsigned)day.month,
		 (unsigned)day.day);
	int n = scandir(path, &names, is_seals, alphasort);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/seals/%s", w->setup->directory, names[i]->d_name);
		if (w->seal.number == 0 && strcmp(names[i]->d_name, first) >= 0 &&
		    read_file(path, &lines) == 0) {
			snprintf(name, sizeof name, "seals/%.80s", names[i]->d_name);
			put_text(w, name, &lines);
			seal_find(w, &lines, batch);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	text_deinit(&lines);
}

static void key_put(struct work *w)
{
	char pem[PEM_BYTES];
	struct key_line key;
	size_t length;

	for (const char *at = w->keys.at, *end; at != NULL && (end = strchr(at, '\n')) != NULL;
	     at = end + 1) {
		if (key_line_parse(at, (size_t)(end - at), &key, &length) != NULL ||
		    key.number != w->seal.key)
			continue;
		pem_public(pem, key.public);
		put(w, "key.pem", pem, strlen(pem));
	}
}

static void keys_put(struct work *w)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/seals/keys", w->setup->directory);
	int r = read_file(path, &w->keys);
	if (r == 0)
		put_text(w, "keys", &w->keys);
	if (r == 0 && w->seal.number != 0)
		key_put(w);
	if (r != 0)
		w->r = r;
}

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

/* --- the links --- */

static bool link_put(void *context, int64_t batch, const struct text *bytes)
{
	struct work *w = context;
	char name[NAME_BYTES];

	if (w->links_bytes + bytes->length > LINKS_BYTES_MOST)
		return false;
	w->links_bytes += bytes->length;
	snprintf(name, sizeof name, "links/%012lld.bin", (long long)batch);
	put_text(w, name, bytes);
	return w->r == 0;
}

static bool frames_put(void *context, int64_t batch, const uint8_t *bytes, size_t n)
{
	struct work *w = context;
	char name[NAME_BYTES];

	if (w->links_bytes + n > LINKS_BYTES_MOST)
		return false;
	w->links_bytes += n;
	snprintf(name, sizeof name, "frames/%012lld.bin", (long long)batch);
	put(w, name, bytes, n);
	return w->r == 0;
}

/* @first, @last: batches of the readings; they move to those of their frames. */
static int framed_put(struct work *w, struct framed_lines *framed, int64_t *first, int64_t *last)
{
	struct text csv = {0};

	int r = framed_find(framed, w->setup->directory, *first, *last);
	framed_write(framed, &w->setup->plan->zone, &csv);
	if (r == 0)
		put_text(w, "frames.csv", &csv);
	text_deinit(&csv);
	if (framed->first_batch != 0 && framed->first_batch < *first)
		*first = framed->first_batch;
	if (framed->last_batch > *last)
		*last = framed->last_batch;
	return r;
}

static int64_t earliest(const struct evidence_case *c)
{
	int64_t from_ms = INT64_MAX;
	for (size_t i = 0; i < c->n_spans; i++)
		if (c->spans[i].from_ms < from_ms)
			from_ms = c->spans[i].from_ms;
	return from_ms;
}

static void sealed_put(struct work *w, const struct evidence_case *c,
		       const struct evidence_lines *lines, struct framed_lines *framed)
{
	int64_t first = 0, batch = 0;

	if (lines->first == 0)
		return;
	int r = evidence_batch(w->setup->directory, lines->last, &batch);
	if (r == 0)
		r = evidence_batch(w->setup->directory, lines->first, &first);
	if (r == 0)
		r = framed_put(w, framed, &first, &batch);
	if (r == 0 && batch != 0)
		seals_put(w, earliest(c), batch);
	if (r != 0)
		w->r = r;
	if (w->seal.number == 0)
		return;
	put_text(w, "seal.txt", &w->seal_text);
	put(w, "seal.sig", w->seal.signature, sizeof w->seal.signature);
	r = evidence_links(w->setup->directory, first, w->seal.daybook.number, link_put, w);
	if (r == 0)
		r = evidence_frames(w->setup->directory, first, w->seal.daybook.number, frames_put,
				    w);
	if (r != 0)
		w->r = r;
}

/* --- the rest --- */

static void attachments_put(struct work *w, int64_t id, const char *json)
{
	json_t *root = json_loads(json, 0, NULL), *step;
	size_t i;

	json_array_foreach(json_object_get(root, "history"), i, step)
	{
		const char *sha256 = json_string_value(json_object_get(step, "sha256"));
		struct text bytes = {0};
		char name[NAME_BYTES];
		if (sha256 != NULL &&
		    ledger_attachment(w->setup->ledger, id, sha256, &bytes) == 0) {
			snprintf(name, sizeof name, "attachments/%.64s", sha256);
			put_text(w, name, &bytes);
		}
		text_deinit(&bytes);
	}
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

static int readings_put(struct work *w, struct evidence_case *c)
{
	struct daybook_reader *reader = NULL;
	struct evidence_lines lines = {0};
	struct tables tables = {0};

	text_add(&tables.readings, header);
	int r = daybook_reader_open(&reader, w->setup->directory, w->setup->plan);
	if (r == 0)
		r = evidence_read(reader, w->setup->plan, c, line_put, &tables, &lines);
	if (r == -ENOENT) /* of a monitor that the plan has no more */
		r = 0;
	if (r == 0)
		put_text(w, "readings.csv", &tables.readings);
	if (r == 0)
		sealed_put(w, c, &lines, &tables.framed);
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
	put(context, i == 0 ? "config.cfg" : path, at, length);
}

static int case_put(struct work *w, int64_t id)
{
	struct evidence_case c;
	struct text json = {0};

	int r = ledger_case_json(w->setup->ledger, id, &json);
	if (r == 0) {
		put_text(w, "case.json", &json);
		attachments_put(w, id, json.at);
		r = ledger_evidence(w->setup->ledger, id, w->setup->now_ms, &c);
		if (r == 0)
			r = readings_put(w, &c);
		evidence_deinit(&c);
	}
	text_deinit(&json);
	return r;
}

static void readme_put(struct work *w)
{
	struct text text = {0};

	text_add(&text, readme_english);
	text_add(&text, readme_chinese);
	put_text(w, "README.txt", &text);
	text_deinit(&text);
}

static int tar_try(const struct evidence_tar *setup, int64_t id, const struct text *dossier,
		   struct text *out)
{
	struct work w = {.setup = setup, .tar = out};

	int r = case_put(&w, id);
	if (r == 0) {
		if (dossier != NULL)
			put_text(&w, "dossier.html", dossier);
		config_text_each(setup->config, config_put, &w);
		readme_put(&w);
		put(&w, "check.sh", check, sizeof check - 1);
		keys_put(&w);
		r = w.r;
	}
	if (r == 0)
		r = sums_put(&w);
	tar_end(out);
	text_deinit(&w.sums);
	text_deinit(&w.seal_text);
	text_deinit(&w.keys);
	return r == 0 && out->failed ? -ENOMEM : r;
}

int evidence_tar_write(const struct evidence_tar *setup, int64_t id, const struct text *dossier,
		       struct text *out)
{
	int r = tar_try(setup, id, dossier, out);

	if (r == -EAGAIN) {
		text_clear(out);
		r = tar_try(setup, id, dossier, out);
	}
	return r;
}
