/* SPDX-License-Identifier: BSD-3-Clause */
/* Options: look up, parse, format, compare. Pure; any thread. */
#include "dataplane/api/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int options_next(const struct option_set *set, int index)
{
	unsigned int next = (unsigned int)(index + 1);

	if (next < set->n_rows || (next > OPTIONS_COMMON && next < OPTIONS_COMMON + set->n_common))
		return (int)next;
	return next <= OPTIONS_COMMON && set->n_common != 0 ? OPTIONS_COMMON : -1;
}

const struct option_def *options_row(const struct option_set *set, unsigned int index)
{
	if (index < set->n_rows)
		return &set->rows[index];
	if (index >= OPTIONS_COMMON && index - OPTIONS_COMMON < set->n_common)
		return &set->common[index - OPTIONS_COMMON];
	return NULL;
}

int options_find(const struct option_set *set, const char *key)
{
	for (int i = options_next(set, -1); i >= 0; i = options_next(set, i)) {
		const char *own = options_row(set, (unsigned int)i)->key;

		if (own[0] == key[0] && strcmp(own, key) == 0)
			return i;
	}
	return -ENOENT;
}

static int parse_bool(const struct option_def *def, const char *word, struct dp_option *value,
		      char *why, size_t why_bytes)
{
	static const char *const yes[] = {"on", "true", "yes", "1"};
	static const char *const no[] = {"off", "false", "no", "0"};

	for (size_t i = 0; i < 4; i++) {
		if (strcasecmp(word, yes[i]) == 0 || strcasecmp(word, no[i]) == 0) {
			value->number = strcasecmp(word, yes[i]) == 0;
			return 0;
		}
	}
	snprintf(why, why_bytes, "%s=%.40s: use on or off", def->key, word);
	return -EINVAL;
}

static int parse_number(const struct option_def *def, const char *word, struct dp_option *value,
			char *why, size_t why_bytes)
{
	char *end;

	errno = 0;
	uint64_t number = strtoull(word, &end, 10);
	if (errno == 0 && end != word && *end == '\0' && word[0] != '-' && number >= def->min &&
	    number <= def->max) {
		value->number = number;
		return 0;
	}
	snprintf(why, why_bytes, "%s=%.40s: use a number from %" PRIu64 " to %" PRIu64 "%s%s",
		 def->key, word, def->min, def->max, def->unit != NULL ? " " : "",
		 def->unit != NULL ? def->unit : "");
	return -EINVAL;
}

static int parse_text(const struct option_def *def, const char *word, struct dp_option *value,
		      char *why, size_t why_bytes)
{
	size_t len = strlen(word);

	if (len < def->min || len > def->max || len >= sizeof(value->text)) {
		snprintf(why, why_bytes,
			 "%s: use %" PRIu64 " to %" PRIu64 " characters, this has %zu", def->key,
			 def->min, def->max, len);
		return -EINVAL;
	}
	for (size_t i = 0; i < len; i++) {
		if (word[i] <= ' ' || word[i] > '~') {
			snprintf(why, why_bytes,
				 "%s: only printable ASCII characters without spaces", def->key);
			return -EINVAL;
		}
	}
	memcpy(value->text, word, len + 1);
	return 0;
}

static int parse_choice(const struct option_def *def, const char *word, struct dp_option *value,
			char *why, size_t why_bytes)
{
	size_t len = strlen(word);
	uint64_t number = 0;

	for (const char *c = def->choices; c != NULL; number++) {
		const char *bar = strchr(c, '|');
		size_t n = bar != NULL ? (size_t)(bar - c) : strlen(c);

		if (n == len && strncmp(c, word, n) == 0) {
			value->number = number;
			return 0;
		}
		c = bar != NULL ? bar + 1 : NULL;
	}
	snprintf(why, why_bytes, "%s=%.40s: use one of %s", def->key, word, def->choices);
	return -EINVAL;
}

int options_parse(const struct option_set *set, unsigned int index, const char *word,
		  struct dp_option *value, char *why, size_t why_bytes)
{
	const struct option_def *def = options_row(set, index);

	memset(value, 0, sizeof(*value));
	value->index = (uint16_t)index;
	value->kind = (uint16_t)def->kind;
	switch (def->kind) {
	case OPTION_BOOL:
		return parse_bool(def, word, value, why, why_bytes);
	case OPTION_NUMBER:
		return parse_number(def, word, value, why, why_bytes);
	case OPTION_TEXT:
		return parse_text(def, word, value, why, why_bytes);
	case OPTION_CHOICE:
		return parse_choice(def, word, value, why, why_bytes);
	}
	snprintf(why, why_bytes, "%s: unknown kind of option", def->key);
	return -EINVAL;
}

/* The words of a choice from number `skip` on, or NULL. */
static const char *choice_at(const struct option_def *def, uint64_t skip)
{
	const char *choice = def->choices;

	for (; choice != NULL && skip > 0; skip--) {
		choice = strchr(choice, '|');
		choice = choice != NULL ? choice + 1 : NULL;
	}
	return choice;
}

int options_format(const struct option_set *set, const struct dp_option *value, char *text,
		   size_t text_bytes)
{
	const struct option_def *def = options_row(set, value->index);
	const char *choice;
	int len = 0;

	switch (def->kind) {
	case OPTION_BOOL:
		len = snprintf(text, text_bytes, "%s", value->number != 0 ? "on" : "off");
		break;
	case OPTION_NUMBER:
		len = snprintf(text, text_bytes, "%" PRIu64, value->number);
		break;
	case OPTION_TEXT:
		len = snprintf(text, text_bytes, "%s", value->text);
		break;
	case OPTION_CHOICE:
		choice = choice_at(def, value->number);
		len = snprintf(text, text_bytes, "%.*s", (int)strcspn(choice, "|"), choice);
		break;
	}
	return (size_t)len < text_bytes ? len : -ENOSPC;
}

bool options_default(const struct option_set *set, unsigned int index, struct dp_option *value)
{
	const struct option_def *def = options_row(set, index);
	char why[DP_TEXT_BYTES];

	return def->value != NULL && def->value[0] != '\0' &&
	       options_parse(set, index, def->value, value, why, sizeof(why)) == 0;
}

const char *options_check(const struct option_set *set, const struct dp_option *value)
{
	const struct option_def *def = options_row(set, value->index);

	if (def == NULL)
		return "an unknown option";
	if (value->kind != (uint16_t)def->kind || def->user != OPTION_FOR_DATAPLANE)
		return "an option of the wrong kind";
	switch (def->kind) {
	case OPTION_BOOL:
		return value->number > 1 ? "an option out of range" : NULL;
	case OPTION_NUMBER:
		return value->number < def->min || value->number > def->max
			       ? "an option out of range"
			       : NULL;
	case OPTION_TEXT:
		return value->text[0] == '\0' ||
				       memchr(value->text, '\0', sizeof(value->text)) == NULL
			       ? "an option that is no text"
			       : NULL;
	case OPTION_CHOICE:
		return choice_at(def, value->number) == NULL
			       ? "an option that is none of the choices"
			       : NULL;
	}
	return NULL;
}

const struct dp_option *options_value(const struct dp_option *list, unsigned int n,
				      unsigned int index)
{
	for (unsigned int i = 0; i < n && i < DP_OPTIONS_MAX; i++) {
		if (list[i].index == index)
			return &list[i];
	}
	return NULL;
}

uint64_t options_number(const struct option_set *set, const struct dp_option *list, unsigned int n,
			const char *key)
{
	int index = options_find(set, key);
	const struct dp_option *value;
	struct dp_option fallback;

	if (index < 0)
		return 0;
	value = options_value(list, n, (unsigned int)index);
	if (value != NULL)
		return value->number;
	return options_default(set, (unsigned int)index, &fallback) ? fallback.number : 0;
}

bool options_is_same(const struct dp_option *a, unsigned int n_a, const struct dp_option *b,
		     unsigned int n_b, unsigned int index)
{
	const struct dp_option *x = options_value(a, n_a, index);
	const struct dp_option *y = options_value(b, n_b, index);

	return x == y || (x != NULL && y != NULL && memcmp(x, y, sizeof(*x)) == 0);
}
