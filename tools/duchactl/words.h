/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Words: the operator's language, and text that is safe on a terminal.
 *
 * Codes travel; this tool translates them by its own LANGUAGE. It works with the locale C.UTF-8
 * that every Debian has, and numbers never follow the locale.
 */
struct text;

/** words_open() - locale and catalogue (main thread, first thing) */
void words_open(void);
/** tr() - the word in the operator's language; "" and NULL stay as they are */
const char *tr(const char *english) __attribute__((format_arg(1)));
/** words_clean() - adds @s with control characters replaced, so that no text from outside can
 * command the terminal */
void words_clean(struct text *out, const char *s);
/** words_width() - terminal columns of @s; East Asian characters take two */
int words_width(const char *s);
