/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The archive of a case, checked by what is in it alone: as it is, after somebody who is root and
 * has the key in use has made one of its readable files say something else, and of a store that is
 * not what was sealed.
 */
#include "verify-store.h"

#include "core/caserules.h"

#include "core/tar.h"
#include "evidence-tar.h"
#include "seal/hash.h"
#include "seal/sign.h"
#include "store/evidence.h"

#include <sqlite3.h>

#define AT (NOW + 20000)

struct made {
	char store[64], folder[80];
	struct text tar;
	const char *trusted;
	int r;
};

/* Names in the first batch, sealed apart from the readings of the case. */
static void life_of_a_case(const char *directory)
{
	struct case_order attach = {.by = "Officer A", .user = "uid 7", .file = "report.txt"};
	struct text out = {0};
	struct life life;
	life_begin(&life, directory, 1);
	life_batch(&life, 4, NOW);
	life_seal(&life);
	life_batch(&life, 2, NOW + 10000);
	life_seal(&life);
	life_batch(&life, 1, AT);
	life_frames(&life, AT);
	life_batch(&life, 9, AT + 1000);
	life_alert(&life, 0, AT, false);
	life_act(&life, 1, ACTION_ACCEPT, AT + 9000);
	assert_int_equal(ledger_attach(life.ledger, 1, &attach, "report", 6, AT + 9500, &out), 0);
	text_deinit(&out);
	life_end(&life, true);
}

static bool unrecorded(void *context)
{
	(void)context;
	return false;
}

/* The digest as the daemon keeps it once the case rests. */
static void digest_keep(struct ledger *ledger, const char *directory)
{
	struct daybook_reader *reader;
	struct evidence_case c;
	struct evidence_lines lines;
	char hex[CHAIN_HEX_BYTES];
	assert_int_equal(daybook_reader_open(&reader, directory, &store_plan), 0);
	assert_int_equal(ledger_evidence(ledger, 1, &c), 0);
	assert_int_equal(evidence_read(reader, &store_plan, &c, NULL, NULL, &lines), 0);
	chain_hex(hex, lines.digest, sizeof lines.digest);
	assert_int_equal(ledger_evidence_put(ledger, &c, hex, lines.readings), 0);
	evidence_deinit(&c);
	daybook_reader_close(reader);
}

/* What a daemon on the store answers of case @id. */
static void archive_of(struct made *m, bool digest, int64_t id)
{
	struct life life = {0};
	struct evidence *evidence;
	struct config_text config;
	config_text_init(&config);
	assert_int_equal(daybook_open(&life.daybook, m->store, &store_plan), 0);
	assert_int_equal(ledger_open(&life.ledger, m->store, &store_plan), 0);
	struct evidence_setup setup = {.directory = m->store,
				       .plan = &store_plan,
				       .daybook = life.daybook,
				       .ledger = life.ledger,
				       .anchor_ms = 600000,
				       .unrecorded = unrecorded,
				       .fatal = life_fatal};
	assert_int_equal(evidence_new(&evidence, &setup), 0);
	assert_int_equal(evidence_start(evidence), 0);
	if (digest)
		digest_keep(life.ledger, m->store);
	struct evidence_tar tar = {.directory = m->store,
				   .node = "edge-01",
				   .plan = &store_plan,
				   .ledger = life.ledger,
				   .config = &config,
				   .evidence = evidence,
				   .trusted = m->trusted,
				   .now_ms = AT + 60000};
	text_clear(&m->tar);
	m->r = evidence_tar_write(&tar, id, NULL, &m->tar);
	evidence_stop(evidence);
	evidence_free(evidence);
	ledger_close(life.ledger);
	daybook_close(life.daybook);
	config_text_deinit(&config);
}

static void archive(struct made *m, bool digest)
{
	archive_of(m, digest, 1);
}

static int shell(const struct made *m, const char *command, char *said, size_t size)
{
	char line[1200];
	snprintf(line, sizeof line, "cd %s && { %s; } 2>&1", m->folder, command);
	FILE *pipe = popen(line, "re");
	assert_non_null(pipe);
	size_t n = fread(said, 1, size - 1, pipe);
	said[n] = '\0';
	return pclose(pipe);
}

static void unpack(struct made *m)
{
	char path[100], said[4096];
	assert_int_equal(m->r, 0);
	snprintf(m->folder, sizeof m->folder, "%s/case", m->store);
	snprintf(path, sizeof path, "%s/case.tar", m->store);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(m->tar.at, 1, m->tar.length, f), m->tar.length);
	assert_int_equal(fclose(f), 0);
	snprintf(said, sizeof said, "rm -rf %s && mkdir %s && tar -xf %s -C %s", m->folder,
		 m->folder, path, m->folder);
	assert_int_equal(system(said), 0);
}

static int make(void **state)
{
	struct made *m = calloc(1, sizeof *m);
	void *directory = NULL;
	assert_int_equal(set_up(&directory), 0);
	if (m == NULL || directory == NULL)
		return -1;
	snprintf(m->store, sizeof m->store, "%s", (char *)directory);
	free(directory);
	life_of_a_case(m->store);
	*state = m;
	return 0;
}

static int unmake(void **state)
{
	struct made *m = *state;
	directory_clear(m->store);
	text_deinit(&m->tar);
	free(m);
	return 0;
}

static void test_an_archive_is_checked_by_what_is_in_it(void **state)
{
	struct made *m = *state;
	char said[8192];
	archive(m, true);
	unpack(m);
	int r = shell(
		m,
		"tail -n 1 seals/* >../last && sh check.sh $(tail -n 1 entries.csv | cut -d, -f5)"
		" $(sha256sum links/*3.bin | cut -c1-64)"
		" $(printf %s \"$(cat ../last)\" | sha256sum | cut -c1-64)",
		said, sizeof said);
	if (r != 0)
		print_message("%s", said);
	assert_int_equal(r, 0);
	static const char steps[][64] = {
		"files OK",
		"archive OK",
		"attachments OK",
		"readings OK",
		"keys OK",
		"seal-case.txt OK",
		"seal.txt OK",
		"seal-names-1.txt OK",
		"links OK",
		"frames OK",
		"case OK",
		"readings OK: 4 lines",
		"frames OK: frames.csv",
		"seals OK",
		"course OK",
		" is that of entry ",
		" is that of batch 3",
		" is that of seal ",
	};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		assert_non_null(strstr(said, steps[i]));
	assert_int_equal(shell(m, "grep -q ^clean: VERIFY.txt && touch extra && sh check.sh", said,
			       sizeof said),
			 1 << 8);
	assert_non_null(strstr(said, "extra: not listed in SHA256SUMS"));
}

static void test_an_archive_of_a_case_without_a_digest_is_checked(void **state)
{
	struct made *m = *state;
	char said[8192];
	archive(m, false);
	unpack(m);
	int r = shell(m, "sh check.sh", said, sizeof said);
	if (r != 0)
		print_message("%s", said);
	assert_int_equal(r, 0);
	assert_non_null(strstr(said, "the case has no digest yet"));
}

static void check_good(struct made *m, const char *words)
{
	char said[8192];
	archive(m, false);
	unpack(m);
	int r = shell(m, "sh check.sh; cat VERIFY.txt", said, sizeof said);
	if (r != 0 || strstr(said, words) == NULL || strstr(said, "\nclean:") == NULL)
		print_message("%s", said);
	assert_int_equal(r, 0);
	assert_non_null(strstr(said, words));
	assert_non_null(strstr(said, "\nclean:"));
}

/* The clock was set back an hour: both seals around the step say so, and it is no alarm. */
static void test_a_step_that_was_not_sealed_at_its_time_is_noted(void **state)
{
	struct made *m = *state;
	struct life life;
	life_begin(&life, m->store, 0);
	life_act(&life, 1, ACTION_NOTE, AT - 3600000);
	life_end(&life, true);
	check_good(m, ": 1 steps were not sealed at their time");
}

/* An alert whose case was withdrawn, and which a later case took over, is an episode of both. */
static void test_an_archive_of_a_case_that_an_episode_left_is_checked(void **state)
{
	struct made *m = *state;
	struct life life;
	struct text out = {0};
	struct case_order withdraw = {.action = ACTION_WITHDRAW,
				      .by = "Officer A",
				      .note = "n",
				      .reason = "instrument_fault"};
	static const struct case_rules rules = {.fault_shelve_workdays = 1};
	struct plan plan = store_plan;
	_Atomic uint32_t *kinds = calloc(3, sizeof *kinds);
	plan.rules = &rules;
	life_begin(&life, m->store, 0);
	assert_non_null(kinds);
	ledger_succeed(life.ledger, &plan, &kinds);
	free(kinds);
	life_batch(&life, 2, AT + 20000);
	life_alert(&life, 1, AT + 20000, true);
	assert_int_equal(ledger_act(life.ledger, 2, &withdraw, AT + 21000, &out), 0);
	assert_int_equal(
		ledger_unshelve(life.ledger, "outfall-3", "w21003", "Officer A", AT + 23000), 0);
	life_end(&life, true);
	text_deinit(&out);
	archive_of(m, false, 2);
	unpack(m);
	char said[8192];
	int r = shell(m, "grep -c '\"kind\":15,' rows.jsonl && sh check.sh", said, sizeof said);
	if (r != 0)
		print_message("%s", said);
	assert_int_equal(r, 0);
}

/* Further factors of the site join a case for a day. */
static void joining(struct life *life, struct plan *plan, struct site *site)
{
	_Atomic uint32_t *kinds = calloc(3, sizeof *kinds);
	*site = store_site;
	site->join_ms = DAY_MS;
	*plan = store_plan;
	plan->sites = site;
	assert_non_null(kinds);
	ledger_succeed(life->ledger, plan, &kinds);
	free(kinds);
}

/* A shelf held the older alert back, which joins the case when that has come to rest. */
static void test_a_digest_is_void_once_an_older_alert_joins_the_case(void **state)
{
	struct made *m = *state;
	struct life life;
	struct plan plan;
	struct site site;
	const struct shelf_order shelf = {.site = "outfall-3",
					  .factor = "w21003",
					  .by = "Officer A",
					  .until_ms = AT + DAY_MS};
	struct verdict ends = life_verdict(VERDICT_CLEARED, 1, AT + 20000, AT + 32000);
	life_begin(&life, m->store, 0);
	joining(&life, &plan, &site);
	assert_int_equal(ledger_shelve(life.ledger, &shelf, AT + 19000), 0);
	life_batch(&life, 8, AT + 20000);
	life_alert(&life, 1, AT + 20000, true);
	life_alert(&life, 0, AT + 22000, false);
	digest_keep(life.ledger, m->store);
	assert_int_equal(
		ledger_unshelve(life.ledger, "outfall-3", "w21003", "Officer A", AT + 30000), 0);
	assert_int_equal(ledger_apply(life.ledger, &ends, 1, AT + 32000, NULL), 0);
	life_end(&life, true);
	check_good(m, "the case has no digest yet");
	archive(m, true);
	unpack(m);
	char said[8192];
	int r = shell(m, "sh check.sh", said, sizeof said);
	if (r != 0)
		print_message("%s", said);
	assert_int_equal(r, 0);
	assert_non_null(strstr(said, "readings OK: 11 lines"));
}

/* Another day numbers its monitors anew. */
static void test_an_archive_of_a_case_over_midnight_is_checked(void **state)
{
	struct made *m = *state;
	struct life life;
	struct reading r;
	struct verdict v[2] = {life_verdict(VERDICT_RAISED, 0, AT + 20000, AT + 20000),
			       life_verdict(VERDICT_CLEARED, 0, AT + 20000, AT + DAY_MS)};
	life_begin(&life, m->store, 0);
	life_batch(&life, 2, AT + 20000);
	r = life_reading(&life, 1, AT + DAY_MS - 5000, 12);
	assert_int_equal(daybook_append(life.daybook, &r, 1), 0);
	assert_int_equal(daybook_commit(life.daybook), 0);
	life_batch(&life, 3, AT + DAY_MS - 2000);
	assert_int_equal(ledger_apply(life.ledger, v, 2, AT + DAY_MS, NULL), 0);
	life_end(&life, true);
	check_good(m, "readings OK: 7 lines");
}

/* Set ahead for a while: a file of the first day goes on behind one of the second. */
static void test_an_archive_of_a_case_whose_clock_was_set_back_a_day_is_checked(void **state)
{
	struct made *m = *state;
	struct life life;
	struct verdict v[2] = {life_verdict(VERDICT_RAISED, 0, AT + 20000, AT + 20000),
			       life_verdict(VERDICT_CLEARED, 0, AT + 20000, AT + DAY_MS)};
	life_begin(&life, m->store, 0);
	life_batch(&life, 2, AT + 20000);
	life_batch(&life, 2, AT + DAY_MS - 2000);
	life_batch(&life, 4, AT + 30000);
	life_batch(&life, 2, AT + DAY_MS);
	assert_int_equal(ledger_apply(life.ledger, v, 2, AT + DAY_MS, NULL), 0);
	life_end(&life, true);
	check_good(m, "readings OK: 9 lines");
}

/* --- each member of the case --- */

static void check_members(struct made *m)
{
	char said[8192];
	archive(m, false);
	unpack(m);
	int r = shell(m, "sh check.sh && python3 -B " ALTER_FIELDS " .", said, sizeof said);
	if (r != 0)
		print_message("%s", said);
	assert_int_equal(r, 0);
}

static void act(struct life *life, enum case_action action, struct case_order order, int64_t at_ms)
{
	struct text out = {0};
	order.action = action;
	order.by = "Officer B";
	order.note = "n";
	life_at(at_ms);
	if (ledger_act(life->ledger, 1, &order, at_ms, &out) != 0)
		fail_msg("%s: %s", case_action_name(action), out.at);
	text_deinit(&out);
}

/* With steps of a plan, a document of the city, another case, and a withdrawal. */
static void course_of_a_case(struct life *life)
{
	static const struct case_order unit = {.unit = "U", .leader = "L", .team = "T"},
				       pump = {.step = "pump", .due_ms = AT + DAY_MS},
				       pipe = {.step = "pipe", .due_ms = AT + DAY_MS},
				       city = {.level = "city",
					       .document = "5号",
					       .dated = "2026-01-02"},
				       other = {.other = 2, .relation = "same_event"},
				       reason = {.reason = "other"}, none = {0};
	life_hand(life, AT + 40000);
	act(life, ACTION_LINK, other, AT + 40000);
	act(life, ACTION_WITHDRAW, reason, AT + 40000);
	act(life, ACTION_REOPEN, none, AT + 40000);
	act(life, ACTION_ASSIGN, unit, AT + 40000);
	act(life, ACTION_LEVEL, city, AT + 40000);
	act(life, ACTION_PLAN, pump, AT + 40000);
	act(life, ACTION_PLAN, pipe, AT + 40000);
	act(life, ACTION_RECTIFIED, pump, AT + 41000);
}

/* Found when changed, or when taken away: as it rests, with a long course, with a further factor
 * and while an episode goes on. */
static void test_each_member_of_a_case_is_held_against_the_chain(void **state)
{
	struct made *m = *state;
	struct life life;
	struct plan plan;
	struct site site;
	check_members(m);
	life_begin(&life, m->store, 0);
	joining(&life, &plan, &site);
	course_of_a_case(&life);
	life_batch(&life, 8, AT + 42000);
	life_alert(&life, 1, AT + 42000, false);
	life_end(&life, true);
	check_members(m);
	life_begin(&life, m->store, 0);
	joining(&life, &plan, &site);
	life_alert(&life, 0, AT + 46000, true);
	life_end(&life, true);
	check_members(m);
}

static void test_frames_that_a_rule_removed_are_said_to_be_gone(void **state)
{
	struct made *m = *state;
	char path[256];
	struct life life;
	life_begin(&life, m->store, 0);
	assert_int_equal(ledger_retire_frames(life.ledger, "2026-01-02.db", 111, AT), 0);
	life_end(&life, true);
	snprintf(path, sizeof path, "%s/daybook/2026-01-02.frames", m->store);
	assert_int_equal(remove(path), 0);
	check_good(m, "those of 1 links are not kept any more");
}

/* --- who is root, with the key in use --- */

static void bytes_of(const char *path, uint8_t *out, size_t size, size_t *n)
{
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	*n = fread(out, 1, size, f);
	assert_true(*n < size);
	fclose(f);
}

static void sign_again(const struct made *m, const char *file, const char *sig)
{
	char path[120];
	uint8_t secret[SIGN_SECRET_BYTES + 1], bytes[65536], signature[SEAL_SIGNATURE_BYTES];
	struct sign_key *key;
	size_t n;
	snprintf(path, sizeof path, "%s/secret/seal.key", m->store);
	bytes_of(path, secret, sizeof secret, &n);
	assert_int_equal(sign_take(&key, secret), 0);
	snprintf(path, sizeof path, "%s/%s", m->folder, file);
	bytes_of(path, bytes, sizeof bytes, &n);
	assert_int_equal(sign_bytes(key, bytes, n, signature), 0);
	sign_free(key);
	snprintf(path, sizeof path, "%s/%s", m->folder, sig);
	FILE *f = fopen(path, "we");
	assert_int_equal(fwrite(signature, 1, sizeof signature, f), sizeof signature);
	fclose(f);
}

/* The list of sums is made and signed again, so that nothing but the chains can tell. */
static void sums_again(const struct made *m)
{
	char said[64];
	assert_int_equal(shell(m,
			       "cut -c67- SHA256SUMS | while read -r f; do [ ! -e \"$f\" ] ||"
			       " sha256sum \"$f\"; done >../sums && mv ../sums SHA256SUMS",
			       said, sizeof said),
			 0);
	sign_again(m, "SHA256SUMS", "SHA256SUMS.sig");
}

#define REPORT "845e91831319e89c4d656bdb80c278ac09a7230d61e5dfd2e1b1fbb436ac8917"

struct forgery {
	const char *forge, *check, *words;
};

static const struct forgery forgeries[] = {
	{"sed -i '2s/,N$/,M/' readings.csv frames.csv", "sh check.sh",
	 "readings.csv: line 2 is no reading of the chain"},
	{"sed -i '3s/^[^,]*/2026-01-02T03:04:27.000+08:00/' readings.csv", "python3 check.py",
	 "readings.csv: line 3 is no reading of the chain"},
	{"sed -i 's/w01018/w21003/' readings.csv frames.csv", "python3 check.py",
	 "readings.csv: line 2 is no reading of the chain"},
	{"sed -i 3d readings.csv frames.csv", "python3 check.py", "is left out"},
	{"sed -i '2s/,0001/,0002/' frames.csv", "python3 check.py",
	 "frames.csv: line 2 is not what the frames hold"},
	{"sed -i '2s/modbus-tcp/none/' frames.csv", "python3 check.py",
	 "frames.csv: line 2 is not what the frames hold"},
	{"sed -i '3s/[^,]*,\\([0-9]*\\)$/synchronised,7\\1/' batches.csv", "python3 check.py",
	 "batches.csv: batch "},
	{"sed -i '$d' batches.csv", "python3 check.py", "batches.csv: batch "},
	{"sed -i 's/\"status\":\"[a-z]*\"/\"status\":\"closed\"/' case.json", "sh check.sh",
	 "case.json: status is 'closed', the chain says"},
	{"sed -i 's/\"status\"/\"status\":\"closed\",&/' case.json", "sh check.sh",
	 "case.json: status is there twice"},
	{"sed -i '3s/33$/100/' places.csv", "python3 check.py",
	 "places.csv: it does not say where the readings are"},
	{"sed -i 's/\"peak_value\":63/\"peak_value\":51/' case.json", "python3 check.py",
	 "case.json: peak_value is 51, the chain says 63.0"},
	{"sed -i 's/\"by\":\"Officer A\"/\"by\":\"Officer B\"/' case.json", "python3 check.py",
	 "step 2: by is 'Officer B', the chain says 'Officer A'"},
	{"sed -i 's/\"user\":\"uid 7\"/\"user\":\"uid 8\"/' case.json", "python3 check.py",
	 "step 2: user is 'uid 8'"},
	{"sed -i 's/T03:04:25/T03:04:26/g' case.json", "python3 check.py",
	 "case.json: opened_at is"},
	{"sed -i 's/\"episodes\":\\[{/&\"reason\":\"rain\",/' case.json", "python3 check.py",
	 "episode 1: reason is 'rain', the chain says None"},
	{"sed -i 's/Officer A/Officer B/' case.json rows.jsonl", "python3 check.py",
	 "rows.jsonl: 2 of kind 3 is not what the chain says"},
	{"sed -i '$d' entries.csv", "python3 check.py", "the last one is not what seal-case.txt"},
	{"sed -i '$d' rows.jsonl", "python3 check.py", "how many steps the case has is left out"},
	{"sed -i '/\"kind\":3,\"ref\":3,/d' rows.jsonl", "python3 check.py",
	 "rows.jsonl: 2 steps up to 2 and 1 + 0 episodes, the chain says 3 up to 3 and 1 + 0"},
	{"sed -i '/\"kind\":2,/d' rows.jsonl", "sh check.sh",
	 "rows.jsonl: 3 steps up to 3 and 0 + 0 episodes, the chain says 3 up to 3 and 1 + 0"},
	{"printf rePort >attachments/" REPORT, "sh check.sh",
	 "attachments/" REPORT ": not what its name says"},
	{"rm attachments/" REPORT, "python3 check.py", "the history names it, and it is not here"},
	{"rm -r attachments && sed -i \"/attachments/d\" SHA256SUMS", "sh check.sh",
	 "the history names it, and it is not here"},
	{"printf x | dd of=$(ls links/* | tail -n 1) bs=1 seek=40 conv=notrunc status=none",
	 "sh check.sh", "links: the last one is not what the seal names"},
	{"printf x | dd of=$(ls links/* | head -n 3 | tail -n 1) bs=1 seek=40 conv=notrunc"
	 " status=none",
	 "python3 check.py", "does not follow the link before it"},
	{"printf x | dd of=$(ls frames/* | head -n 1) bs=1 seek=40 conv=notrunc status=none",
	 "python3 check.py", ": not what its link says"},
	{"rm $(ls links/* | head -n 3 | tail -n 1)", "sh check.sh",
	 "no seal names the last one before"},
	{"sed -i 's/1号/11号/' case.json", "python3 check.py",
	 "case.json: number is 测督挂〔2026〕11号, the chain says 1 of 2026"},
	{"sed -i 's/\"average\":\"[a-z]*\"/\"average\":null/' case.json", "python3 check.py",
	 "case.json: average is None, the chain says"},
	{"sed -i 's/\"bytes\":6,\"sha256\"/\"bytes\":7,\"sha256\"/' case.json", "python3 check.py",
	 "attachments are not those of the history"},
	{"cp batches.csv x && tail -n 1 x >>batches.csv && rm x", "python3 check.py",
	 "batches.csv: batch "},
	{"sed -i 's/$/,in calibration/;1s/in calibration/remark/' frames.csv", "python3 check.py",
	 "frames.csv: its first line is not time,"},
	{"sed -i '2s/$/,in calibration/' readings.csv", "python3 check.py",
	 "readings.csv: line 2 has 7 columns"},
	{"sed -i 2,9d readings.csv", "python3 check.py",
	 "an episode of the case that ended had some"},
	{"sed -i '2,$d' readings.csv && sed -i 2,4d frames.csv", "python3 check.py",
	 "an episode of the case that ended had some"},
	{"sed -i 's/^\\(key 1 [^ ]* [^ ]* [0-9]* [0-9]*\\) [0-9]* /\\1 90 /' keys",
	 "python3 check.py", "seal 1 is none of those that keys has for key "},
	{"sed -i '1s/ start / stop /' seals/*", "python3 check.py",
	 "seals: seal 2 does not follow seal 1"},
	{"sed -i '$s/ start / stop /' seals/*", "sh check.sh", "is not signed by key "},
	{"sed -i '$s/ [0-9a-f]\\{64\\} / '$(head -c 64 SHA256SUMS)' /' seals/*", "python3 check.py",
	 "seals: two hashes for number "},
	{"true", "sh check.sh $(head -c 64 SHA256SUMS)",
	 "no seal, entry or link that is here has this hash"},
	{"rm -r frames && sed -i 's/,modbus-tcp,[^,]*,[^,]*,[^,]*,/,none,,,,/' frames.csv &&"
	 " sed -i '/ frames.[0-9]/d' SHA256SUMS",
	 "sh check.sh", "and the chain does not say that frames of 2026-01-02 were removed"},
	{"mkdir more", "sh check.sh", "more: not listed in SHA256SUMS"},
	{"echo x >\"$(printf 'README.txt\\nREADME.txt')\"", "sh check.sh",
	 "a file has a name with a control character"},
};

static const struct forgery forgeries_of_a_digest[] = {
	{"sed -i 's/\"digest\":\"[0-9a-f]*\"/\"digest\":null/' case.json", "sh check.sh",
	 "case.json: evidence.digest is None, the chain says"},
	{"sed -i 's/\"digest\":\"[0-9a-f]*\"/\"digest\":null/' case.json &&"
	 " sed -i '/\"kind\":8,/d' rows.jsonl && sed -i 4,9d readings.csv frames.csv",
	 "sh check.sh", "rows.jsonl: the digest of the readings that the chain has is left out"},
	{"sed -i 4d readings.csv frames.csv", "python3 check.py",
	 "readings.csv: not those of which the chain has the digest"},
};

static void check_forged(struct made *m, const struct forgery *forgery)
{
	char said[8192];
	unpack(m);
	assert_int_equal(shell(m, forgery->forge, said, sizeof said), 0);
	sums_again(m);
	int r = shell(m, forgery->check, said, sizeof said);
	if (r != 1 << 8 || strstr(said, forgery->words) == NULL)
		print_message("%s: %d\n%s", forgery->forge, r, said);
	assert_int_equal(r, 1 << 8);
	assert_non_null(strstr(said, forgery->words));
}

static void test_root_with_the_key_in_use_changes_nothing_that_is_read(void **state)
{
	struct made *m = *state;
	archive(m, false);
	for (size_t i = 0; i < sizeof forgeries / sizeof forgeries[0]; i++)
		check_forged(m, &forgeries[i]);
	archive(m, true);
	for (size_t i = 0; i < sizeof forgeries_of_a_digest / sizeof forgeries_of_a_digest[0]; i++)
		check_forged(m, &forgeries_of_a_digest[i]);
}

/* The key in use signs a seal of an earlier hour: the line of that hour does not say it. */
static void test_a_seal_is_one_of_those_of_its_day(void **state)
{
	struct made *m = *state;
	char said[8192];
	archive(m, true);
	unpack(m);
	assert_int_equal(
		shell(m,
		      "k=$(tail -n 1 keys | cut -d' ' -f5) && cp sums.pem key-names-1.pem && sed "
		      "-i \"s/ \\([0-9]\\{13\\}\\) [0-9]* / \\1 $k /\" seal-names-1.txt",
		      said, sizeof said),
		0);
	sign_again(m, "seal-names-1.txt", "seal-names-1.sig");
	sums_again(m);
	assert_int_equal(shell(m, "sh check.sh", said, sizeof said), 1 << 8);
	assert_non_null(strstr(said, "seal-names-1.txt: seals/ has no such seal"));
}

static void test_a_step_of_another_case_is_none_of_this_one(void **state)
{
	static const struct forgery forgery = {"cat ../two >>rows.jsonl", "python3 check.py",
					       "rows.jsonl: 4 of kind 3 is of case 2"};
	struct made *m = *state;
	struct life life;
	char said[64];
	life_begin(&life, m->store, 0);
	life_alert(&life, 1, AT + 20000, false);
	life_act(&life, 1, ACTION_NOTE, AT + 30000);
	life_end(&life, true);
	archive_of(m, false, 2);
	unpack(m);
	assert_int_equal(
		shell(m, "grep '\"kind\":3,\"ref\":4,' rows.jsonl >../two", said, sizeof said), 0);
	archive(m, false);
	check_forged(m, &forgery);
}

/* --- of a store that was altered --- */

static void take_away(const struct made *m, const char *file)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", m->store, file);
	assert_int_equal(remove(path), 0);
}

static void change(const struct made *m, const char *file, const char *sql)
{
	char path[256], *error = NULL;
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/%s", m->store, file);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
	sqlite3_close(db);
}

static const struct {
	const char *file, *sql, *words;
} alterations[] = {
	{"daybook/2026-01-02.db", "UPDATE readings SET value = 10 WHERE seq = 9",
	 "bad: daybook: batch 5 is not what the chain says"},
	{"daybook/2026-01-02.db", "DELETE FROM readings WHERE seq = 9",
	 "bad: daybook: batch 5 is not what the chain says"},
	{"daybook/2026-01-02.db", "UPDATE monitors SET factor = 'w00000' WHERE id = 2",
	 "bad: daybook: batch 1 is not what the chain says"},
	{"daybook/2026-01-02.db", "UPDATE frames SET digest = zeroblob(32)",
	 "bad: daybook: batch 4"},
	{"ledger.db", "UPDATE cases SET peak_value = 51",
	 "bad: ledger.db: case 1 is not what the chain says"},
	{"ledger.db", "DROP TRIGGER history_stays; UPDATE history SET by = 'B' WHERE id = 2",
	 "bad: ledger.db: step 2 is not what the chain says"},
	{"ledger.db",
	 "DROP TRIGGER chain_stays; UPDATE chain SET hash = zeroblob(32) WHERE number = 5",
	 "bad: ledger.db: entry 5 of the chain does not follow"},
};

static void check_altered(struct made *m, const char *words)
{
	char said[8192];
	archive(m, false);
	unpack(m);
	assert_int_equal(shell(m, "cat VERIFY.txt", said, sizeof said), 0);
	if (strstr(said, words) == NULL)
		print_message("%s", said);
	assert_non_null(strstr(said, words));
	assert_int_equal(shell(m, "sh check.sh", said, sizeof said), 1 << 8);
	assert_non_null(strstr(said, "VERIFY.txt: bad: "));
}

static void test_an_archive_of_what_is_not_as_it_was_sealed_says_so(void **state)
{
	for (size_t i = 0; i < sizeof alterations / sizeof alterations[0]; i++) {
		struct made *m = *state;
		take_away(m, "ledger.base"); /* or a ledger with other tables is made again of it */
		change(m, alterations[i].file, alterations[i].sql);
		check_altered(m, alterations[i].words);
		unmake(state);
		make(state);
	}
}

static void test_an_archive_says_that_frames_were_taken_away(void **state)
{
	struct made *m = *state;
	take_away(m, "daybook/2026-01-02.frames");
	check_altered(m, "bad: daybook: the frames of batch 4 are missing");
}

/* Its readings, sealed, are nowhere, and no rule removed them. */
static void test_an_archive_says_that_a_day_was_taken_away(void **state)
{
	struct made *m = *state;
	struct life life;
	life_begin(&life, m->store, 0);
	life_batch(&life, 2, NOW + DAY_MS);
	life_end(&life, true);
	take_away(m, "daybook/2026-01-02.db");
	check_altered(m, "bad: daybook: batch 1 is missing");
}

static void test_an_archive_says_that_its_days_were_removed(void **state)
{
	struct made *m = *state;
	struct life life;
	archive(m, true);
	life_begin(&life, m->store, 0);
	life_batch(&life, 2, NOW + DAY_MS);
	assert_int_equal(ledger_retire_day(life.ledger, "2026-01-02.db", NOW + DAY_MS), 0);
	life_end(&life, true);
	take_away(m, "daybook/2026-01-02.db");
	check_good(m, "note: 4 of the 4 readings of which the ledger keeps the digest were");
	check_good(m, "note: 2026-01-02.db, batches 1 to 5, last hash ");
	check_good(m, "NOTE 注意: 4 readings of the digest are not kept any more");
	check_good(m, "  2026-01-02.db, batches 1 to 5, last hash ");
	static const struct forgery forgery = {
		"sed -i 's/\"last_batch\":5/\"last_batch\":4/' rows.jsonl", "python3 check.py",
		"rows.jsonl: 1 of kind 9 is not what the chain says"};
	check_forged(m, &forgery);
}

/* What came since the digest is none of its readings, even if these were removed. */
static void test_readings_that_came_later_stand_apart_from_days_that_were_removed(void **state)
{
	struct made *m = *state;
	struct life life;
	char said[256];
	archive(m, true);
	life_begin(&life, m->store, 0);
	life_batch(&life, 2, NOW + DAY_MS);
	struct reading r = life_reading(&life, 0, AT + 2500, 12);
	r.received_ms = NOW + DAY_MS + 5000;
	assert_int_equal(daybook_append(life.daybook, &r, 1), 0);
	assert_int_equal(daybook_commit(life.daybook), 0);
	assert_int_equal(ledger_retire_day(life.ledger, "2026-01-02.db", NOW + DAY_MS), 0);
	life_end(&life, true);
	take_away(m, "daybook/2026-01-02.db");
	check_good(m, "note: 4 of the 4 readings of which the ledger keeps the digest were");
	check_good(m, "note: 1 readings of these times were recorded after the digest");
	check_good(m, "NOTE 注意: 4 readings of the digest are not kept any more");
	assert_int_equal(shell(m, "wc -l <readings.csv; wc -l <later.csv", said, sizeof said), 0);
	assert_string_equal(said, "1\n2\n");
}

/* A backup has no secret: the store that is made of it begins with a new key. */
static void test_a_key_that_began_anew_is_trusted_by_name(void **state)
{
	struct made *m = *state;
	char said[8192], key[65];
	take_away(m, "secret/seal.key");
	check_altered(m, "is not signed by the one before it (after a restore");
	assert_int_equal(shell(m, "tail -n 1 keys | cut -d' ' -f8 | tr -d '\n'", said, sizeof said),
			 0);
	snprintf(key, sizeof key, "%.64s", said);
	m->trusted = key;
	archive(m, false);
	unpack(m);
	assert_int_equal(shell(m, "sh check.sh", said, sizeof said), 1 << 8);
	assert_non_null(
		strstr(said, "if it was written down when the store was restored: --trust"));
	int r = shell(m, "sh check.sh --trust $(tail -n 1 keys | cut -d' ' -f8); cat VERIFY.txt",
		      said, sizeof said);
	if (r != 0 || strstr(said, "frames OK") == NULL)
		print_message("%s", said);
	assert_non_null(strstr(said, "begins anew and is trusted"));
	assert_non_null(strstr(said, "frames OK"));
	assert_non_null(strstr(said, "\nclean:"));
	m->trusted = NULL;
}

/* Who sends a reading of then, now, spoils no evidence: it is listed apart. */
static void test_a_reading_that_comes_after_the_digest_is_listed_apart(void **state)
{
	struct made *m = *state;
	struct life life;
	char said[256];
	archive(m, true);
	life_begin(&life, m->store, 0);
	for (int i = 0; i < 3; i++) {
		struct reading r = life_reading(&life, 0, AT + 2500, 12);
		r.received_ms = AT + 40000 + i;
		assert_int_equal(daybook_append(life.daybook, &r, 1), 0);
		assert_int_equal(daybook_commit(life.daybook), 0);
	}
	life_end(&life, true);
	check_good(m, "note: 3 readings of these times were recorded after the digest");
	check_good(m, "readings OK: 4 lines are what the links hold");
	check_good(m, "NOTE 注意: 3 readings came after the digest");
	assert_int_equal(shell(m, "sed -n 2p later.csv", said, sizeof said), 0);
	assert_string_equal(said, "2026-01-02T03:04:27.500+08:00,2026-01-02T03:05:05.000+08:00,"
				  "outfall-3,w01018,12,N,6\n");
}

static void test_an_attachment_that_was_altered_is_archived_and_named(void **state)
{
	struct made *m = *state;
	char path[256];
	snprintf(path, sizeof path, "%s/attachments/" REPORT, m->store);
	FILE *f = fopen(path, "we");
	assert_int_equal(fwrite("forged", 1, 6, f), 6);
	fclose(f);
	check_altered(m, "bad: attachments/" REPORT ": it is not what it was");
	char said[256];
	assert_int_equal(shell(m, "cat attachments/" REPORT, said, sizeof said), 0);
	assert_string_equal(said, "forged");
	assert_int_equal(remove(path), 0);
	check_altered(m, "bad: attachments/" REPORT ": there is no such file");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_archive_is_checked_by_what_is_in_it),
		TEST(test_an_archive_of_a_case_without_a_digest_is_checked),
		TEST(test_an_archive_of_a_case_over_midnight_is_checked),
		TEST(test_a_step_that_was_not_sealed_at_its_time_is_noted),
		TEST(test_an_archive_of_a_case_that_an_episode_left_is_checked),
		TEST(test_a_digest_is_void_once_an_older_alert_joins_the_case),
		TEST(test_an_archive_of_a_case_whose_clock_was_set_back_a_day_is_checked),
		TEST(test_each_member_of_a_case_is_held_against_the_chain),
		TEST(test_frames_that_a_rule_removed_are_said_to_be_gone),
		TEST(test_root_with_the_key_in_use_changes_nothing_that_is_read),
		TEST(test_a_seal_is_one_of_those_of_its_day),
		TEST(test_a_step_of_another_case_is_none_of_this_one),
		TEST(test_an_archive_of_what_is_not_as_it_was_sealed_says_so),
		TEST(test_an_archive_says_that_frames_were_taken_away),
		TEST(test_an_archive_says_that_a_day_was_taken_away),
		TEST(test_an_archive_says_that_its_days_were_removed),
		TEST(test_readings_that_came_later_stand_apart_from_days_that_were_removed),
		TEST(test_a_key_that_began_anew_is_trusted_by_name),
		TEST(test_a_reading_that_comes_after_the_digest_is_listed_apart),
		TEST(test_an_attachment_that_was_altered_is_archived_and_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
