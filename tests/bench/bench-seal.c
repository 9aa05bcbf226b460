/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chain and seals: CPU time a reading that they add to recording, for commits of different sizes,
 * and what a seal takes. Everything but the writing of the readings themselves is counted:
 * canonical bytes, hash, the link's row, and the signature once a minute.
 */
#include "seal/hash.h"
#include "seal/sign.h"
#include "store/daybook-chain.h"

#include "bench.h"

#include <stdio.h>
#include <unistd.h>

enum { READINGS = 2000000, AT_ONCE = 8 };

static void must(int r, const char *what)
{
	if (r != 0) {
		fprintf(stderr, "%s: %d\n", what, r);
		exit(1);
	}
}

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct reading source(size_t i)
{
	return (struct reading){.seq = i,
				.measured_ms = 1767294245000 + (int64_t)i,
				.received_ms = 1767294245003 + (int64_t)i,
				.value = (double)i / 10,
				.raw = i,
				.monitor = (uint32_t)(i % 1000),
				.flag = 'N',
				.has_value = true};
}

static void add(struct day_chain *chain, size_t from)
{
	struct chain_reading rows[AT_ONCE];
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct reading r = source(from + i);
		rows[i] = (struct chain_reading){.sequence = (int64_t)(from + i),
						 .boot = 1,
						 .ring = r.ring,
						 .ring_seq = (int64_t)r.seq,
						 .monitor = r.monitor,
						 .measured_ms = r.measured_ms,
						 .received_ms = r.received_ms,
						 .has_value = r.has_value,
						 .value = r.value,
						 .flag = r.flag,
						 .raw = r.raw};
	}
	day_chain_add(chain, rows, AT_ONCE);
}

static void run(const char *path, size_t each)
{
	struct day_chain chain = {0};
	struct day_name name = {.text = "2026-01-02.db"};
	struct chain_head head;
	sqlite3 *db;
	unlink(path);
	must(day_open_write(&db, path), "file");
	must(day_chain_connect(&chain, db, &name), "chain");
	must(day_chain_resync(&chain, db), "resync");
	must(sql_exec(db, "BEGIN"), "begin"); /* a commit of its own is the readings', not ours */
	double began = cpu_seconds();
	for (size_t done = 0; done < READINGS; done += each) {
		for (size_t i = 0; i < each; i += AT_ONCE)
			add(&chain, done + i);
		must(day_chain_link(&chain, db, &head), "link");
		day_chain_done(&chain, &head);
	}
	double lasted = cpu_seconds() - began;
	printf("chain, %5zu readings a commit: %.3f us of CPU a reading\n", each,
	       lasted * 1e6 / READINGS);
	day_chain_disconnect(&chain);
	hash_free(chain.hash);
	sql_rollback(db);
	sql_close(db);
	unlink(path);
}

static void run_seal(void)
{
	enum { SEALS = 2000 };
	struct seal_line line = {.node = "bench", .number = 1};
	uint8_t signature[SEAL_SIGNATURE_BYTES];
	struct sign_key *key;
	must(sign_make(&key), "key");
	double began = cpu_seconds();
	for (int i = 0; i < SEALS; i++) {
		struct text text = {0};
		line.number++;
		seal_line_text(&text, &line);
		must(sign_bytes(key, text.at, text.length, signature), "sign");
		line_signature(&text, signature);
		text_deinit(&text);
	}
	printf("seal: %.1f us of CPU, once a minute\n", (cpu_seconds() - began) * 1e6 / SEALS);
	sign_free(key);
}

int main(void)
{
	static const size_t sizes[] = {8, 104, 1000, 4000};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		run("bench-seal.db", sizes[i]);
	unlink("bench-seal.db-wal");
	unlink("bench-seal.db-shm");
	run_seal();
	return 0;
}
