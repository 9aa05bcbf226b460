/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Listen: the two sockets on which the API answers, bound before the server gets them.
 *
 * A socket file that nobody answers on is left over from a kill and is replaced; one that answers
 * is another daemon's and is never taken.
 */
#include <stdint.h>
#include <sys/stat.h>

struct text;

/* A bound Unix socket file, so that only the own one is removed at the end. */
struct listen_file {
	const char *path; /* the caller's; NULL: none */
	dev_t device;
	ino_t inode;
};

/**
 * listen_unix() - bind @path with mode 0660 and listen
 * @file: filled; listen_file_remove() takes it away again
 * @error: a sentence on failure
 * Return: the descriptor; -1.
 */
int listen_unix(const char *path, struct listen_file *file, struct text *error);
void listen_file_remove(struct listen_file *file);

/**
 * listen_tcp() - bind "127.0.0.1:9212", "[::1]:9212" or "localhost:9212" and listen
 * @port: out: the bound port (another one where 0 was asked for)
 * @error: a sentence on failure
 * Return: the descriptor; -1.
 */
int listen_tcp(const char *address, uint16_t *port, struct text *error);
