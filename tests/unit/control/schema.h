/* SPDX-License-Identifier: BSD-3-Clause */
/* Holds a JSON value against a schema of an OpenAPI 3.0 document: the part of it that weft uses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Does it fit? If not, `why` says where. A schema with a word that this does not know fits nothing.
 */
bool schema_fits(const json_t *document, const json_t *schema, const json_t *value, char *why,
		 size_t why_bytes);
