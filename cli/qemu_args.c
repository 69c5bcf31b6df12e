/* SPDX-License-Identifier: BSD-3-Clause */
/* QEMU's command line: an option is a word with a dash and the words up to the next such one. */
#include "cli/qemu_args.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const char *word_at(const json_t *args, size_t i)
{
	return json_string_value(json_array_get(args, i));
}

/* Position after the option that starts at `i`. */
static size_t option_end(const json_t *args, size_t i)
{
	for (i++; i < json_array_size(args) && word_at(args, i)[0] != '-'; i++)
		;
	return i;
}

int qemu_args_append(json_t *args, json_t *more)
{
	json_t *word;
	size_t i;

	if (!json_is_array(more))
		return -EPROTO;
	json_array_foreach(more, i, word) {
		if (!json_is_string(word))
			return -EPROTO;
	}
	return json_array_extend(args, more) ? -ENOMEM : 0;
}

static void print_quoted(FILE *out, const char *word)
{
	bool is_plain = *word != '\0';

	for (const char *c = word; *c && is_plain; c++)
		is_plain = isalnum((unsigned char)*c) || strchr("-_=+,.:/@%", *c);
	if (is_plain) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}

void qemu_args_print(FILE *out, const json_t *args, bool is_one_option_a_line)
{
	size_t n_words = json_array_size(args);

	for (size_t i = 0, end = 0; i < n_words; i++) {
		if (i == end) {
			fputs(i == 0 ? "" : is_one_option_a_line ? " \\\n" : " ", out);
			end = option_end(args, i);
		} else {
			fputc(' ', out);
		}
		print_quoted(out, word_at(args, i));
	}
	fputc('\n', out);
}
