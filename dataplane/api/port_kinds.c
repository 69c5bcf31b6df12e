/* SPDX-License-Identifier: BSD-3-Clause */
/* Option tables of the port kinds: look up, parse, format, compare. Pure; any thread. */
#include "dataplane/api/port_kinds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dataplane/api/kinds.h"

/* clang-format off */
const struct port_kind *const port_kinds[] = {
#define X(kind) &kind,
	PORT_KINDS(X)
#undef X
	NULL,
};
/* clang-format on */

const struct port_kind *port_kinds_find(const char *name)
{
	for (size_t i = 0; port_kinds[i] != NULL; i++) {
		if (strcmp(port_kinds[i]->name, name) == 0)
			return port_kinds[i];
	}
	return NULL;
}

int port_kinds_option(const struct port_kind *kind, const char *key)
{
	for (size_t i = 0; i < kind->n_options; i++) {
		if (strcmp(kind->options[i].key, key) == 0)
			return (int)i;
	}
	return -ENOENT;
}

unsigned int port_kinds_choices(const struct option_def *def)
{
	unsigned int n = 1;

	for (const char *c = def->choices; *c != '\0'; c++)
		n += *c == '|';
	return n;
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

int port_kinds_parse(const struct port_kind *kind, unsigned int index, const char *word,
		     struct dp_option *value, char *why, size_t why_bytes)
{
	const struct option_def *def = &kind->options[index];

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

int port_kinds_format(const struct port_kind *kind, const struct dp_option *value, char *text,
		      size_t text_bytes)
{
	const struct option_def *def = &kind->options[value->index];
	const char *choice = def->choices;
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
		for (uint64_t i = 0; i < value->number; i++)
			choice = strchr(choice, '|') + 1;
		len = snprintf(text, text_bytes, "%.*s", (int)strcspn(choice, "|"), choice);
		break;
	}
	return (size_t)len < text_bytes ? len : -ENOSPC;
}

static const struct dp_option *find_option(const struct dp_port *port, unsigned int index)
{
	for (unsigned int i = 0; i < port->n_options && i < DP_OPTIONS_MAX; i++) {
		if (port->options[i].index == index)
			return &port->options[i];
	}
	return NULL;
}

bool port_kinds_is_replace(const struct dp_port *from, const struct dp_port *to)
{
	const struct port_kind *kind = port_kinds_find(to->kind);

	if (kind == NULL || strcmp(from->kind, to->kind) != 0 || strcmp(from->name, to->name) != 0)
		return true;
	for (unsigned int i = 0; i < kind->n_options; i++) {
		const struct dp_option *a = find_option(from, i);
		const struct dp_option *b = find_option(to, i);

		if (kind->options[i].live || (a == NULL && b == NULL))
			continue;
		if (a == NULL || b == NULL || memcmp(a, b, sizeof(*a)) != 0)
			return true;
	}
	return false;
}
