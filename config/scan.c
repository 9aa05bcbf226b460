/* SPDX-License-Identifier: Apache-2.0 */
#include "config/scan.h"
#include "config/scan-flat.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_NESTING 32
#define MAX_INCLUDE_DEPTH 10
#define MAX_FILES 1000
#define MAX_FLAT_BYTES (64u << 20)

struct name { /* a key of a group that is still open */
	const char *at;
	size_t length;
	struct scan_place place;
};

/* What may come next inside a bracket. */
enum expect {
	EXPECT_NAME,  /* '{': a name or the end */
	EXPECT_MARK,  /* '{': = or : */
	EXPECT_FIRST, /* '(' and '[': an element or the end */
	EXPECT_VALUE, /* a value or an element */
	EXPECT_MORE,  /* after a value: an end mark, a name, the end; after an element: a comma, the
			 end */
};

/* Kinds of tokens, as far as the grammar goes. */
enum token {
	TOKEN_WORD,
	TOKEN_SCALAR,
	TOKEN_TEXT,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_MARK, /* = or : */
	TOKEN_END,  /* , or ; */
};

struct bracket {   /* an open one */
	char kind; /* '{', '[' or '(' */
	enum expect expect;
	char element;      /* in '[': what the first element was, 0 before it */
	size_t first_name; /* in '{': its keys are the names from here on */
	struct scan_place place;
};

struct lexer {
	struct scan *scan;
	const struct reader *reader;
	struct scan_buffer held; /* a name that waits for its value, with its '=' */
	size_t held_first;       /* which name it repeats, one more than the index; 0: none */
	char last;               /* the last token's first byte */
	struct bracket open[MAX_NESTING]; /* open[0] is the file itself */
	size_t depth;
	struct name *names;
	size_t n_names, room_names;
};

struct source { /* the file being read */
	const char *at, *end;
	uint32_t file;
	int line, include_depth;
	bool line_is_blank; /* nothing but blanks so far on this line */
	const struct source *from;
};

static const char *name_of(const struct lexer *lexer, uint32_t file)
{
	return lexer->scan->files[file].name;
}

#define BREAK(lexer, source, ...)                                                                  \
	flat_break((lexer)->scan, name_of(lexer, (source)->file), (source)->line, __VA_ARGS__)

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '*';
}

static bool is_word(char byte)
{
	return is_letter(byte) || is_digit(byte) || byte == '_' || byte == '.' || byte == '+' ||
	       byte == '-';
}

/* Says what is wrong beside the line as it is written; libconfig itself would say no more than
 * that. */
static void syntax_error(struct lexer *lexer, const struct source *source, const char *what)
{
	size_t length;
	const char *line = scan_line(lexer->scan, (int)lexer->scan->n_places, &length);
	BREAK(lexer, source, "syntax error at \"%.*s\": %s", scan_shown(line, length), line, what);
}

/* NULL where the token may stand here, and then what may come next is set; else what is wrong. */
static const char *advance(struct bracket *in, enum token token, bool joins)
{
	bool group = in->kind == '{';
	bool value = token == TOKEN_SCALAR || token == TOKEN_TEXT || token == TOKEN_OPEN;
	if (in->expect == EXPECT_MORE && joins)
		return NULL;
	if (in->expect == EXPECT_MARK) {
		in->expect = EXPECT_VALUE;
		return token == TOKEN_MARK ? NULL : "= is missing after the name";
	}
	if (in->expect == EXPECT_VALUE || in->expect == EXPECT_FIRST) {
		bool end = in->expect == EXPECT_FIRST && token == TOKEN_CLOSE;
		in->expect = EXPECT_MORE;
		return value || end ? NULL : "a value is missing; texts stand between \" \"";
	}
	if (token == TOKEN_CLOSE)
		return NULL;
	if (group && token == TOKEN_WORD) {
		in->expect = EXPECT_MARK;
		return NULL;
	}
	bool ends = token == TOKEN_END && in->expect == EXPECT_MORE;
	in->expect = group ? EXPECT_NAME : EXPECT_VALUE;
	return ends    ? NULL
	       : group ? "a name is to stand here, as in name = value;"
		       : "a comma is missing between two elements";
}

static bool take(struct lexer *lexer, const struct source *source, enum token token)
{
	bool joins = token == TOKEN_TEXT && lexer->last == '"';
	const char *wrong = advance(&lexer->open[lexer->depth], token, joins);
	if (wrong)
		syntax_error(lexer, source, wrong);
	return !wrong;
}

/* The held name goes to the line that is being written now: its value is here. */
static void release_name(struct lexer *lexer)
{
	if (lexer->held.length == 0)
		return;
	flat_put(lexer->scan, lexer->held.at, lexer->held.length);
	flat_put(lexer->scan, " ", 1);
	if (lexer->held_first > 0) {
		const struct name *first = &lexer->names[lexer->held_first - 1];
		flat_note(lexer->scan, NOTE_ALSO,
			  "key \"%.*s\" occurs twice in this group, first at %s:%d; keep one",
			  (int)first->length, first->at, name_of(lexer, first->place.file),
			  first->place.line);
	}
	lexer->held.length = 0;
	lexer->held_first = 0;
}

static void put_token(struct lexer *lexer, const char *at, size_t length)
{
	release_name(lexer);
	flat_put(lexer->scan, at, length);
	flat_put(lexer->scan, " ", 1);
	lexer->last = at[0];
}

static size_t find_name(const struct lexer *lexer, const char *at, size_t length)
{
	for (size_t i = lexer->open[lexer->depth].first_name; i < lexer->n_names; i++)
		if (lexer->names[i].length == length && memcmp(lexer->names[i].at, at, length) == 0)
			return i + 1;
	return 0;
}

static void add_name(struct lexer *lexer, struct name name)
{
	if (lexer->n_names == lexer->room_names) {
		size_t room = lexer->room_names ? 2 * lexer->room_names : 64;
		struct name *grown = realloc(lexer->names, room * sizeof(*grown));
		if (!grown) {
			lexer->scan->no_memory = true;
			return;
		}
		lexer->names = grown;
		lexer->room_names = room;
	}
	lexer->names[lexer->n_names++] = name;
}

static void hold_name(struct lexer *lexer, const struct source *source, const char *at,
		      size_t length)
{
	bool *no_memory = &lexer->scan->no_memory;
	lexer->held_first = find_name(lexer, at, length);
	add_name(lexer, (struct name){at, length, {source->file, source->line}});
	if (lexer->held_first > 0) {
		char renamed[64];
		int n = snprintf(renamed, sizeof(renamed), SCAN_DUPLICATE "%zu", lexer->n_names);
		scan_buffer_put(&lexer->held, renamed, (size_t)n, no_memory);
	} else {
		scan_buffer_put(&lexer->held, at, length, no_memory);
	}
	lexer->last = at[0];
}

/* libconfig takes arrays of one scalar type only. */
static void check_element(struct lexer *lexer, const struct source *source, char kind)
{
	struct bracket *array = &lexer->open[lexer->depth];
	if (array->kind != '[')
		return;
	if (array->element == 0)
		array->element = kind;
	else if (array->element != kind)
		BREAK(lexer, source,
		      "syntax error: the elements of an array [ ] are of one type; write a list "
		      "( ), which may mix 1 and 2.5");
}

static void read_number(struct lexer *lexer, struct source *source, const char *at, size_t length)
{
	check_element(lexer, source, flat_number_kind(at, length));
	if (!take(lexer, source, TOKEN_SCALAR))
		return;
	if (!flat_is_number(at, length)) {
		syntax_error(lexer, source, "this is no number; texts stand between \" \"");
		return;
	}
	release_name(lexer);
	flat_number(lexer->scan, at, length);
	put_token(lexer, " ", 1);
	lexer->last = '0';
}

static void read_truth(struct lexer *lexer, struct source *source, const char *at, size_t length)
{
	bool truth = (length == 4 && strncasecmp(at, "true", 4) == 0) ||
		     (length == 5 && strncasecmp(at, "false", 5) == 0);
	check_element(lexer, source, 'b');
	if (!take(lexer, source, truth ? TOKEN_SCALAR : TOKEN_WORD))
		return;
	put_token(lexer, at, length);
}

static void read_word(struct lexer *lexer, struct source *source)
{
	const char *start = source->at;
	while (source->at < source->end && is_word(*source->at))
		source->at++;
	size_t length = (size_t)(source->at - start);
	const struct bracket *in = &lexer->open[lexer->depth];
	if (!is_letter(*start))
		read_number(lexer, source, start, length);
	else if (in->kind != '{' || in->expect == EXPECT_VALUE)
		read_truth(lexer, source, start, length);
	else if (memchr(start, '.', length) || memchr(start, '+', length))
		syntax_error(lexer, source, "names are made of letters, digits, _ and -");
	else if (take(lexer, source, TOKEN_WORD))
		hold_name(lexer, source, start, length);
}

/* A text may neither go on on the next line nor hold a NUL. */
static bool ends_text(const struct source *source)
{
	return source->at >= source->end || *source->at == '\n' || *source->at == '\0';
}

static void read_string(struct lexer *lexer, struct source *source)
{
	const char *start = source->at++;
	check_element(lexer, source, lexer->last == '"' ? lexer->open[lexer->depth].element : 's');
	while (!ends_text(source) && *source->at != '"') {
		source->at++;
		if (source->at[-1] == '\\' && !ends_text(source))
			source->at++;
	}
	if (ends_text(source)) {
		BREAK(lexer, source,
		      "syntax error: a text is not closed on this line; end it with \"");
		return;
	}
	source->at++;
	if (take(lexer, source, TOKEN_TEXT))
		put_token(lexer, start, (size_t)(source->at - start));
}

static void end_line(struct lexer *lexer, struct source *source)
{
	source->line++;
	source->line_is_blank = true;
	flat_line_end(lexer->scan, source->file, source->line);
}

static void skip_line_comment(struct source *source)
{
	while (source->at < source->end && *source->at != '\n')
		source->at++;
}

static void skip_block_comment(struct lexer *lexer, struct source *source)
{
	const char *end = memmem(source->at + 2, (size_t)(source->end - source->at - 2), "*/", 2);
	if (!end) {
		BREAK(lexer, source,
		      "syntax error: this comment is never closed, and all after it would be "
		      "ignored; end it with */");
		return;
	}
	for (; source->at < end + 2; source->at++)
		if (*source->at == '\n')
			end_line(lexer, source);
}

static void open_bracket(struct lexer *lexer, struct source *source)
{
	if (lexer->open[lexer->depth].kind == '[')
		syntax_error(lexer, source, "an array [ ] holds single values; write a list ( )");
	else if (take(lexer, source, TOKEN_OPEN))
		put_token(lexer, source->at, 1);
	if (lexer->depth + 1 == MAX_NESTING) {
		BREAK(lexer, source, "syntax error: brackets are nested deeper than %d",
		      MAX_NESTING - 1);
		return;
	}
	lexer->open[++lexer->depth] = (struct bracket){
		.kind = *source->at,
		.expect = *source->at == '{' ? EXPECT_NAME : EXPECT_FIRST,
		.first_name = lexer->n_names,
		.place = {source->file, source->line},
	};
	source->at++;
}

static void close_bracket(struct lexer *lexer, struct source *source)
{
	char kind = *source->at;
	const struct bracket *open = &lexer->open[lexer->depth];
	char wanted = lexer->depth == 0   ? '\0'
		      : open->kind == '{' ? '}'
		      : open->kind == '[' ? ']'
					  : ')';
	if (kind == wanted && kind != '}' && lexer->last == ',') {
		BREAK(lexer, source, "syntax error: remove the comma before %c", kind);
	} else if (kind == wanted) {
		if (!take(lexer, source, TOKEN_CLOSE))
			return;
		put_token(lexer, source->at, 1);
		lexer->n_names = open->first_name;
		lexer->depth--;
		source->at++;
	} else if (lexer->depth == 0) {
		BREAK(lexer, source, "syntax error: %c closes nothing; remove it", kind);
	} else {
		BREAK(lexer, source,
		      "syntax error: %c stands where the %c of line %d (%s) is to be "
		      "closed; write %c before it",
		      kind, open->kind, open->place.line, name_of(lexer, open->place.file), wanted);
	}
}

/* The = goes with the name; what is held is "name = " until its value comes. */
static void put_mark(struct lexer *lexer, struct source *source)
{
	if (!take(lexer, source, TOKEN_MARK))
		return;
	scan_buffer_put(&lexer->held, " = ", 3, &lexer->scan->no_memory);
	lexer->last = *source->at++;
}

/* A list needs commas; a setting ends with ; or , or nothing. */
static void put_end(struct lexer *lexer, struct source *source)
{
	bool group = lexer->open[lexer->depth].kind == '{';
	if (!group && *source->at == ';')
		syntax_error(lexer, source, "elements are parted by commas, not by ;");
	else if (take(lexer, source, TOKEN_END))
		put_token(lexer, source->at++, 1);
}

static void read_file(struct lexer *lexer, struct source *source);

static bool includes_itself(const struct lexer *lexer, const struct source *source,
			    const char *name)
{
	for (; source; source = source->from)
		if (strcmp(name_of(lexer, source->file), name) == 0)
			return true;
	return false;
}

static void include(struct lexer *lexer, struct source *source, const char *path)
{
	struct scan *scan = lexer->scan;
	char *name = reader_beside(name_of(lexer, source->file), path);
	if (name && includes_itself(lexer, source, name)) {
		BREAK(lexer, source, "@include \"%s\" includes itself; remove it", path);
	} else if (source->include_depth == MAX_INCLUDE_DEPTH || scan->n_files >= MAX_FILES ||
		   scan->flat.length > MAX_FLAT_BYTES) {
		BREAK(lexer, source, "@include goes too far; at most %d files deep and %d in all",
		      MAX_INCLUDE_DEPTH, MAX_FILES);
	} else {
		int error;
		uint32_t file = flat_add_file(scan, name, lexer->reader, &error);
		if (error == -ENOMEM)
			return;
		if (error) {
			flat_break(scan, name_of(lexer, file), 1,
				   "cannot be read: %s; it is included at %s:%d", strerror(-error),
				   name_of(lexer, source->file), source->line);
			return;
		}
		struct source inner = {
			.file = file, .include_depth = source->include_depth + 1, .from = source};
		read_file(lexer, &inner);
		return;
	}
	free(name);
}

/* @include "path", alone on its line but for a comment. */
static void read_include(struct lexer *lexer, struct source *source)
{
	const char *at = source->at, *end = source->end;
	const char *newline = memchr(at, '\n', (size_t)(end - at));
	end = newline ? newline : end;
	const char *open = memchr(at, '"', (size_t)(end - at));
	const char *close = open ? memchr(open + 1, '"', (size_t)(end - open - 1)) : NULL;
	bool good = source->line_is_blank && close && close > open + 1 && open - at > 8 &&
		    memcmp(at, "@include", 8) == 0 && !memchr(open, '\\', (size_t)(close - open));
	for (const char *blank = at + 8; good && blank < open; blank++)
		good = *blank == ' ' || *blank == '\t';
	const char *rest = good ? close + 1 : at;
	while (good && rest < end && (*rest == ' ' || *rest == '\t' || *rest == '\r'))
		rest++;
	good = good && (rest == end || *rest == '#' ||
			(end - rest > 1 && rest[0] == '/' && rest[1] == '/'));
	if (!good) {
		BREAK(lexer, source,
		      "syntax error: an include stands alone on its line, as @include "
		      "\"file.cfg\"");
		return;
	}
	char *path = strndup(open + 1, (size_t)(close - open - 1));
	source->at = end;
	if (path)
		include(lexer, source, path);
	else
		lexer->scan->no_memory = true;
	free(path);
}

static void read_token(struct lexer *lexer, struct source *source)
{
	char byte = *source->at;
	char next = source->at + 1 < source->end ? source->at[1] : '\0';
	if (byte == '@') {
		read_include(lexer, source);
		return;
	}
	source->line_is_blank = false;
	if (byte == '#' || (byte == '/' && next == '/'))
		skip_line_comment(source);
	else if (byte == '/' && next == '*')
		skip_block_comment(lexer, source);
	else if (byte == '"')
		read_string(lexer, source);
	else if (is_word(byte) && byte != '_')
		read_word(lexer, source);
	else if (byte == '{' || byte == '[' || byte == '(')
		open_bracket(lexer, source);
	else if (byte == '}' || byte == ']' || byte == ')')
		close_bracket(lexer, source);
	else if (byte == '=' || byte == ':')
		put_mark(lexer, source);
	else if (byte == ',' || byte == ';')
		put_end(lexer, source);
	else if (byte > ' ' && byte < 0x7f)
		BREAK(lexer, source, "syntax error: %c has no meaning here; remove it", byte);
	else
		BREAK(lexer, source,
		      "syntax error: the byte 0x%02x is no ASCII character and stands outside of a "
		      "text; put it between \" \"",
		      (unsigned char)byte);
}

static bool check_start(struct lexer *lexer, const struct source *source)
{
	size_t length = (size_t)(source->end - source->at);
	if (length >= 3 && memcmp(source->at, "\xef\xbb\xbf", 3) == 0)
		BREAK(lexer, source,
		      "the file begins with a byte order mark (BOM); save it as UTF-8 without BOM");
	else if (length >= 2 &&
		 (memcmp(source->at, "\xff\xfe", 2) == 0 || memcmp(source->at, "\xfe\xff", 2) == 0))
		BREAK(lexer, source, "the file is UTF-16; save it as UTF-8 without BOM");
	return !lexer->scan->broken;
}

static void read_file(struct lexer *lexer, struct source *source)
{
	const struct scan_file *file = &lexer->scan->files[source->file];
	source->at = file->text;
	source->end = file->text + file->length;
	source->line = 0;
	end_line(lexer, source);
	if (!check_start(lexer, source))
		return;
	while (source->at < source->end && !lexer->scan->broken && !lexer->scan->no_memory) {
		char byte = *source->at;
		if (byte == '\n')
			end_line(lexer, source);
		if (byte == '\n' || byte == ' ' || byte == '\t' || byte == '\r' || byte == '\f')
			source->at++;
		else
			read_token(lexer, source);
	}
}

static void check_end(struct lexer *lexer)
{
	if (lexer->scan->broken)
		return;
	release_name(lexer);
	const struct bracket *open = &lexer->open[lexer->depth];
	if (lexer->depth == 0 && (open->expect == EXPECT_MARK || open->expect == EXPECT_VALUE))
		flat_break(lexer->scan, name_of(lexer, 0), scan_place(lexer->scan, INT_MAX).line,
			   "syntax error: the file ends where a value is to come");
	else if (lexer->depth > 0)
		flat_break(lexer->scan, name_of(lexer, open->place.file), open->place.line,
			   "syntax error: %c is never closed", open->kind);
}

int scan_read(struct scan *scan, const char *file, const struct reader *reader)
{
	*scan = (struct scan){0};
	struct lexer lexer = {.scan = scan, .reader = reader};
	lexer.open[0].kind = '{';
	int error;
	uint32_t index = flat_add_file(scan, strdup(file), reader, &error);
	if (!scan->no_memory && error) {
		flat_break(scan, file, 1, "cannot be read: %s", strerror(-error));
	} else if (!scan->no_memory) {
		struct source source = {.file = index};
		read_file(&lexer, &source);
		check_end(&lexer);
	}
	flat_put(scan, "\n", 1);
	free(lexer.held.at);
	free(lexer.names);
	return scan->no_memory ? -ENOMEM : 0;
}
