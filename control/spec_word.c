/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of an object's body: reading and refusing. Pure. */
#include "control/spec_word.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/spec.h"
#include "dataplane/base/nearest.h"

#define KEYS_MAX (DP_OPTIONS_MAX + 10) /* of one object */

int spec_word_refuse(const struct spec_place *place, const char *key, const char *code,
		     const char *text)
{
	int error = problem_set(place->problem, -EINVAL, 422, code, "%s %.80s: %s", place->kind,
				place->name, text);

	problem_at(place->problem, "%ss.%s%s%s", place->kind, place->name, key != NULL ? "." : "",
		   key != NULL ? key : "");
	return error;
}

int spec_word_read(const struct spec_place *place, const char *key, const json_t *value,
		   char word[SPEC_WORD_BYTES])
{
	char text[320];

	if (json_is_string(value) && json_string_length(value) < SPEC_WORD_BYTES &&
	    strlen(json_string_value(value)) == json_string_length(value)) {
		memcpy(word, json_string_value(value), json_string_length(value) + 1);
		return 0;
	}
	if (json_is_integer(value)) {
		snprintf(word, SPEC_WORD_BYTES, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return 0;
	}
	if (json_is_boolean(value)) {
		snprintf(word, SPEC_WORD_BYTES, "%s", json_is_true(value) ? "true" : "false");
		return 0;
	}
	snprintf(text, sizeof(text), "%.60s: use one word or number%s", key,
		 json_is_null(value)	 ? "; nothing is written here"
		 : json_is_string(value) ? "; this is too long"
					 : "");
	return spec_word_refuse(place, key, "value-invalid", text);
}

int spec_word_number(const struct spec_place *place, const char *key, const char *word,
		     uint64_t min, uint64_t max, uint64_t *number)
{
	char text[320];
	char *end;

	errno = 0;
	*number = strtoull(word, &end, 10);
	if (errno == 0 && isdigit((unsigned char)word[0]) && *end == '\0' && *number >= min &&
	    *number <= max)
		return 0;
	snprintf(text, sizeof(text), "%s: %.40s is not a number from %llu to %llu", key, word,
		 (unsigned long long)min, (unsigned long long)max);
	return spec_word_refuse(place, key, "value-invalid", text);
}

int spec_word_quantity(const struct spec_place *place, const char *key, enum quantity quantity,
		       const char *word, uint64_t *value)
{
	char text[320];

	if (quantity_parse(quantity, word, value) == 0)
		return 0;
	snprintf(text, sizeof(text), "%s: %.40s %s", key, word, quantity_help(quantity));
	return spec_word_refuse(place, key, "value-invalid", text);
}

int spec_parse_duration(const char *word, uint64_t max_s, uint32_t *duration_s)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end;

	errno = 0;
	uint64_t count = strtoull(word, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (errno != 0 || !isdigit((unsigned char)word[0]) || end[0] != units[i].unit ||
		    end[1] != '\0' || count == 0 || count > max_s / units[i].seconds)
			continue;
		*duration_s = (uint32_t)count * units[i].seconds;
		return 0;
	}
	return -EINVAL;
}

int spec_word_duration_s(const struct spec_place *place, const char *key, const char *word,
			 uint64_t max_s, uint32_t *duration_s)
{
	char text[320];

	if (spec_parse_duration(word, max_s, duration_s) == 0)
		return 0;
	snprintf(text, sizeof(text),
		 "%s: %.40s is not a time from 1s to %llus; write it as 300s, 5m, "
		 "2h or 1d",
		 key, word, (unsigned long long)max_s);
	return spec_word_refuse(place, key, "value-invalid", text);
}

int spec_word_name(const struct spec_place *place, const char *key, const char *word,
		   char name[DP_NAME_BYTES])
{
	char text[320];

	if (model_is_name(word)) {
		snprintf(name, DP_NAME_BYTES, "%.*s", DP_NAME_BYTES - 1, word);
		return 0;
	}
	snprintf(text, sizeof(text),
		 "%s: '%.70s' is not a name: use 1 to 63 of A-Z a-z 0-9 . _ -, "
		 "first a letter or digit",
		 key, word);
	return spec_word_refuse(place, key, "name-invalid", text);
}

int spec_word_check_self(const char *kind, const char *name, const json_t *json,
			 struct spec_place *place)
{
	*place = (struct spec_place){.kind = kind, .name = name, .problem = place->problem};
	if (!model_is_name(name))
		return spec_word_refuse(place, NULL, "name-invalid",
					"not a name: use 1 to 63 of A-Z a-z 0-9 . _ -, "
					"first a letter or digit");
	if (!json_is_object(json))
		return spec_word_refuse(place, NULL, "value-invalid",
					"needs keys and values, as "
					"{key: value, ...}");
	return 0;
}

int spec_word_check_name(const struct spec_place *place, const char *word)
{
	if (strcmp(word, place->name) == 0)
		return 0;
	return spec_word_refuse(place, "name", "name-mismatch",
				"leave name out: the key is the name (in a PUT, the path)");
}

int spec_word_missing(const struct spec_place *place, const char *key, const char *example)
{
	char text[160];

	snprintf(text, sizeof(text), "%s is missing; give it %s", key, example);
	return spec_word_refuse(place, NULL, "key-missing", text);
}

int spec_word_option(const struct spec_place *place, const struct option_set *set,
		     unsigned int index, const char *word, struct dp_option *value)
{
	char why[DP_TEXT_BYTES];

	if (options_parse(set, index, word, value, why, sizeof(why)) == 0)
		return 0;
	return spec_word_refuse(place, options_row(set, index)->key, "value-invalid", why);
}

void spec_word_keep_option(const struct option_set *set, const struct dp_option *value,
			   struct dp_option *options, uint16_t *n_options)
{
	struct dp_option fallback;
	unsigned int i;

	if (options_default(set, value->index, &fallback) &&
	    memcmp(&fallback, value, sizeof(fallback)) == 0)
		return;
	for (i = (*n_options)++; i > 0 && options[i - 1].index > value->index; i--)
		options[i] = options[i - 1];
	options[i] = *value;
}

int spec_word_refuse_key(const struct spec_place *place, const char *key, const char *const *own,
			 size_t n_own, const struct option_set *set)
{
	const char *known[KEYS_MAX];
	char text[600];
	size_t n = 0;

	for (; n < n_own; n++)
		known[n] = own[n];
	for (int i = set != NULL ? options_next(set, -1) : -1; i >= 0 && n < KEYS_MAX;
	     i = options_next(set, i))
		known[n++] = options_row(set, (unsigned int)i)->key;
	const char *dot = strrchr(key, '.');
	const char *nearest = nearest_word(dot != NULL ? dot + 1 : key, known, n);
	int len = snprintf(text, sizeof(text), "unknown key '%.60s'; %s%s%s", key,
			   nearest != NULL ? "did you mean " : "known: ",
			   nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
	for (size_t i = 0; i < n && nearest == NULL && (size_t)len < sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s", i > 0 ? ", " : "",
				known[i]);
	return spec_word_refuse(place, key, "key-unknown", text);
}
