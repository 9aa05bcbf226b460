/* SPDX-License-Identifier: Apache-2.0 */
#include "store/attachments.h"

#include "core/text.h"
#include "store/ledger-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static void hash_text(const void *data, size_t size, char hash[SHA256_TEXT_BYTES])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256(data, size, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(hash + 2 * i, 3, "%02x", digest[i]);
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return fsync(fd) == 0 ? 0 : SQL_FATAL;
}

/* Whole under its name or not at all. */
static int write_file(const char *folder, const char *hash, const void *data, size_t size)
{
	char path[PATH_BYTES], part[PATH_BYTES];

	snprintf(path, sizeof path, "%s/%s", folder, hash);
	snprintf(part, sizeof part, "%s/%s.part", folder, hash);
	if (access(path, F_OK) == 0)
		return 0;
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	int r = write_all(fd, data, size);
	close(fd);
	if (r == 0 && rename(part, path) != 0)
		r = -errno;
	if (r != 0) {
		unlink(part);
		return r;
	}
	return sql_sync_directory(folder);
}

int attachment_keep(const char *directory, const void *data, size_t size,
		    char hash[SHA256_TEXT_BYTES])
{
	char folder[PATH_BYTES - SHA256_TEXT_BYTES - 8];

	if ((size_t)snprintf(folder, sizeof folder, "%s/attachments", directory) >= sizeof folder)
		return -ENAMETOOLONG;
	if (mkdir(folder, 0750) != 0 && errno != EEXIST)
		return -errno;
	hash_text(data, size, hash);
	return write_file(folder, hash, data, size);
}

int attachment_read(const char *directory, const char *hash, struct text *out)
{
	char path[PATH_BYTES], found[SHA256_TEXT_BYTES], block[65536];
	size_t n;

	snprintf(path, sizeof path, "%s/attachments/%s", directory, hash);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return -errno;
	while ((n = fread(block, 1, sizeof block, file)) > 0)
		text_add_n(out, block, n);
	int r = ferror(file) ? -EIO : out->failed ? -ENOMEM : 0;
	fclose(file);
	if (r != 0)
		return r;
	hash_text(out->at == NULL ? "" : out->at, out->length, found);
	return strcmp(found, hash) == 0 ? 0 : -EBADMSG;
}

/* --- with a case --- */

int ledger_attach(struct ledger *ledger, int64_t id, const struct case_order *order,
		  const void *data, size_t size, int64_t now_ms, struct text *out)
{
	char hash[SHA256_TEXT_BYTES];
	struct case_order kept = *order;
	struct case_row row;

	if (ledger->directory == NULL)
		return -ENOTSUP;
	int r = ledger_begin(ledger);
	if (r == 0)
		r = ledger_case_row(ledger, id, &row);
	r = ledger_end(ledger, r);
	if (r == 0)
		r = attachment_keep(ledger->directory, data, size, hash);
	if (r != 0)
		return r;
	kept.action = ACTION_ATTACH;
	kept.sha256 = hash;
	kept.bytes = (int64_t)size;
	if (kept.note == NULL)
		kept.note = kept.file;
	return ledger_act(ledger, id, &kept, now_ms, out);
}

int ledger_attachment(struct ledger *ledger, int64_t id, const char *sha256, struct text *out)
{
	struct case_parts parts = {0};
	bool named = false;

	pthread_mutex_lock(&ledger->lock);
	int r = ledger_case_history(ledger, id, &parts);
	pthread_mutex_unlock(&ledger->lock);
	for (size_t i = 0; r == 0 && i < parts.n_history; i++)
		named |= parts.history[i].order.sha256 != NULL &&
			 strcmp(parts.history[i].order.sha256, sha256) == 0;
	case_parts_deinit(&parts);
	if (r == 0 && (!named || ledger->directory == NULL))
		r = LEDGER_UNKNOWN;
	return r == 0 ? attachment_read(ledger->directory, sha256, out) : r;
}
