/* SPDX-License-Identifier: BSD-3-Clause */
/* A small validator for schemas of OpenAPI 3.0. */
#include "tests/unit/control/schema.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static bool misfit(char *why, size_t why_bytes,
							 const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, why_bytes, format, args);
	va_end(args);
	return false;
}

static const json_t *resolve(const json_t *document, const json_t *schema)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref"));

	if (ref == NULL || strncmp(ref, "#/", 2) != 0)
		return schema;
	for (ref += 2; document != NULL && *ref != '\0';) {
		char step[128];
		size_t len = strcspn(ref, "/");

		snprintf(step, sizeof(step), "%.*s", (int)len, ref);
		document = json_object_get(document, step);
		ref += len + (ref[len] == '/');
	}
	return document;
}

static bool is_type(const char *type, const json_t *value)
{
	return (strcmp(type, "object") == 0 && json_is_object(value)) ||
	       (strcmp(type, "array") == 0 && json_is_array(value)) ||
	       (strcmp(type, "string") == 0 && json_is_string(value)) ||
	       (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
	       (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
	       (strcmp(type, "number") == 0 && json_is_number(value));
}

static bool knows_words(const json_t *schema, char *why, size_t why_bytes)
{
	static const char *const words[] = {
		"$ref",	       "type",	  "properties", "required", "additionalProperties",
		"items",       "enum",	  "minimum",	"maximum",  "nullable",
		"description", "default", "example",	"oneOf",    "discriminator",
	};
	const char *key;
	json_t *ignored;

	json_object_foreach((json_t *)(uintptr_t)schema, key, ignored) {
		bool is_known = strncmp(key, "x-", 2) == 0;

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			is_known |= strcmp(key, words[i]) == 0;
		if (!is_known)
			return misfit(why, why_bytes, "schema: unknown word %s", key);
	}
	return true;
}

static bool fits_object(const json_t *document, const json_t *schema, const json_t *value,
			char *why, size_t why_bytes)
{
	const json_t *properties = json_object_get(schema, "properties");
	const json_t *others = json_object_get(schema, "additionalProperties");
	const char *key;
	json_t *member;
	size_t i;
	char inner[256];

	json_array_foreach(json_object_get(schema, "required"), i, member) {
		if (json_object_get(value, json_string_value(member)) == NULL)
			return misfit(why, why_bytes, "%s is missing", json_string_value(member));
	}
	json_object_foreach((json_t *)(uintptr_t)value, key, member) {
		const json_t *own = json_object_get(properties, key);

		if (own == NULL && json_is_object(others))
			own = others;
		if (own == NULL && (json_is_false(others) || (properties != NULL && !others)))
			return misfit(why, why_bytes, "%s is not in the schema", key);
		if (own != NULL && !schema_fits(document, own, member, inner, sizeof(inner)))
			return misfit(why, why_bytes, "%s: %s", key, inner);
	}
	return true;
}

static bool is_listed(const json_t *list, const json_t *value)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item) {
		if (json_equal(item, value))
			return true;
	}
	return false;
}

static bool fits_one(const json_t *document, const json_t *list, const json_t *value, char *why,
		     size_t why_bytes)
{
	size_t i, n = 0;
	json_t *item;

	json_array_foreach(list, i, item)
		n += schema_fits(document, item, value, why, why_bytes);
	return n == 1 || misfit(why, why_bytes, "fits %zu of oneOf; the last: %.100s", n, why);
}

bool schema_fits(const json_t *document, const json_t *schema, const json_t *value, char *why,
		 size_t why_bytes)
{
	schema = resolve(document, schema);
	if (schema == NULL)
		return misfit(why, why_bytes, "a $ref leads nowhere");
	const char *type = json_string_value(json_object_get(schema, "type"));
	const json_t *items = json_object_get(schema, "items");
	const json_t *choices = json_object_get(schema, "enum");
	const json_t *one_of = json_object_get(schema, "oneOf");
	size_t i;
	json_t *item;

	if (!knows_words(schema, why, why_bytes))
		return false;
	if (json_is_null(value) && json_is_true(json_object_get(schema, "nullable")))
		return true;
	if (one_of != NULL && !fits_one(document, one_of, value, why, why_bytes))
		return false;
	if (type != NULL && !is_type(type, value))
		return misfit(why, why_bytes, "not of type %s", type);
	if (choices != NULL && !is_listed(choices, value))
		return misfit(why, why_bytes, "none of the choices");
	if (json_is_integer(value) &&
	    json_integer_value(value) < json_integer_value(json_object_get(schema, "minimum")))
		return misfit(why, why_bytes, "below the minimum");
	json_array_foreach(value, i, item) {
		if (items != NULL && !schema_fits(document, items, item, why, why_bytes))
			return false;
	}
	return !json_is_object(value) || fits_object(document, schema, value, why, why_bytes);
}
