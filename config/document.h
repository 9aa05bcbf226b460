/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Document: one configuration text with its includes, scanned and parsed into libconfig's tree.
 */
#include "config/faults.h"
#include "config/scan.h"

#include <libconfig.h>

struct document {
	struct scan scan;
	config_t tree;
};

/**
 * document_read() - scan and parse
 * Return: 0 and the tree; -EINVAL and the first syntax error in @faults; -ENOMEM.
 * document_deinit() it either way.
 */
int document_read(struct document *document, const char *file, const struct reader *reader,
		  struct faults *faults);
void document_deinit(struct document *document);
/** document_notes() - add what the scan noted; @first: of the faults that come from this document
 */
void document_notes(const struct document *document, struct faults *faults, size_t first);
/** document_line() - of the setting's value, in its file */
int document_line(const struct document *document, const config_setting_t *setting);
/** document_fault() - a fault at the line of the setting's value */
void document_fault(const struct document *document, struct faults *faults,
		    const config_setting_t *setting, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/** document_note() - a note there */
void document_note(const struct document *document, struct faults *faults,
		   const config_setting_t *setting, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
