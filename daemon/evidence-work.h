/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Evidence work: an archive on its way. evidence-tar.c has its files, evidence-seals.c keys and
 * seals, evidence-chain.c what lies between a row and its seal, evidence-later.c what came or went
 * since the digest. What goes in is held against the
 * chains on the way; the first thing that is not as it was sealed is kept, and the archive says it.
 */
#include "core/sealline.h"
#include "evidence-tar.h"
#include "store/evidence-rows.h"
#include "store/evidence.h"
#include "store/framed.h"

/* More links and frames than this are left out: who has so many readings has the daybook's files.
 */
#define EVIDENCE_LINKS_MOST ((size_t)64 << 20)
/* How long an archive waits for a seal that covers what is in it. */
enum { EVIDENCE_AWAIT_MS = 15000 };

/* A seal that covers something; number 0: there is none. */
struct cover {
	struct seal_line line;
	struct text text; /* what it signs */
};

struct key_taken {
	int64_t number, seal;
	uint8_t public[SEAL_PUBLIC_BYTES];
};

struct work {
	const struct evidence_tar *setup;
	struct text *tar, sums;
	char bad[300];     /* the first thing that is not as it was sealed; empty: none */
	struct text notes; /* what else is to be known of it, line by line */
	int r;             /* why there can be no archive */
	struct text keys;  /* seals/keys, and each of them */
	struct key_taken *key;
	size_t n_keys;
	struct text seals; /* names of the days' files that go into the archive, a line each */
	/* links */
	size_t links_bytes, links;
	struct chain_head link;            /* the last one in the archive; number 0: none */
	struct text batches;               /* the lines of batches.csv */
	const struct framed_lines *framed; /* the readings, once it is known where they are */
	int64_t frames_gone;               /* batches whose frames are not there */
	const struct text *rows;           /* rows.jsonl */
	size_t days_gone;             /* removed days that readings of the case may have been in */
	char digest[CHAIN_HEX_BYTES]; /* that the ledger keeps of the readings; empty: none yet */
};

/** work_note() - what follows from the rules, such as days that were removed */
void work_note(struct work *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** work_bad() - keep it, if it is the first */
void work_bad(struct work *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void work_put(struct work *w, const char *name, const void *bytes, size_t size);
void work_put_text(struct work *w, const char *name, const struct text *text);
/** work_sealed() - have a seal cover @batch and @entry, which takes some seconds
 * Return: false: none does yet. */
bool work_sealed(struct work *w, int64_t batch, int64_t entry);
/** work_read() - a file. Return: 0, negative errno. */
int work_read(const char *path, struct text *out);

/* daemon/evidence/, word by word */
extern const char evidence_readme[], evidence_check_sh[], evidence_check_py[];

/* --- evidence-seals.c --- */

/** keys_take() - put all public keys into the archive; each is signed by the one before it */
void keys_take(struct work *w);
/**
 * seal_take() - the first seal, of the day of @from_ms or a later one, that covers @batch and
 * @entry; it is put into the archive as seal@which.txt with its signature and key
 * The files of the days until then are noted for seals_put().
 */
void seal_take(struct work *w, const char *which, int64_t from_ms, int64_t batch, int64_t entry,
	       struct cover *out);
/** seals_of() - note the files that have the seals around @at_ms, too */
void seals_of(struct work *w, int64_t at_ms);
/** seals_put() - put what was noted into the archive, each file once and as it is by now */
void seals_put(struct work *w);
void cover_deinit(struct cover *cover);

/* --- evidence-later.c --- */

/** later_put() - later.csv, where readings of these times came since the digest of @lines */
void later_put(struct work *w, struct daybook_reader *reader, const struct evidence_case *c,
	       const struct evidence_lines *lines);
/** removed_note() - say that readings of the digest are gone with their days */
void removed_note(struct work *w, const struct evidence_case *c,
		  const struct evidence_lines *lines);

/* --- evidence-chain.c --- */

/** readings_chain() - the links and frames that @lines and @framed rest on, up to their seal, and
 * those that named the monitors; @framed is written as frames.csv */
void readings_chain(struct work *w, const struct evidence_case *c,
		    const struct evidence_lines *lines, struct framed_lines *framed);
/** readings_whole() - is no batch missing that was not removed by rule? */
void readings_whole(struct work *w);
/** case_chain() - the entries of the ledger that @rows have, up to their seal */
void case_chain(struct work *w, const struct evidence_rows *rows, int64_t from_ms);
