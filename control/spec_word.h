/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words of an object's body, for the parsers of spec.h: reading one, and refusing it with a line
 * that says whose it is, and where. Pure.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "control/problem.h"
#include "control/quantity.h"
#include "dataplane/api/options.h"

#define SPEC_WORD_BYTES 256

/* What a message needs to know: "port web0", "ports.web0". */
struct spec_place {
	const char *kind;
	const char *name;
	struct problem *problem;
};

/* Returns -EINVAL. key NULL: the object as a whole. */
int spec_word_refuse(const struct spec_place *place, const char *key, const char *code,
		     const char *text);
int spec_word_missing(const struct spec_place *place, const char *key, const char *example);

/* "unknown key 'x'; did you mean a?", or if nothing is near, all that is known: `own` keys, and the
 * rows of the set, which may be NULL. */
int spec_word_refuse_key(const struct spec_place *place, const char *key, const char *const *own,
			 size_t n_own, const struct option_set *set);

/* Begins an object: fills *place but its problem, and checks name and shape. */
int spec_word_check_self(const char *kind, const char *name, const json_t *json,
			 struct spec_place *place);

/* The body of a PUT may repeat the name. */
int spec_word_check_name(const struct spec_place *place, const char *word);

/* A scalar as the word that a user would type; then what the word says. */
int spec_word_read(const struct spec_place *place, const char *key, const json_t *value,
		   char word[SPEC_WORD_BYTES]);
int spec_word_number(const struct spec_place *place, const char *key, const char *word,
		     uint64_t min, uint64_t max, uint64_t *number);
int spec_word_quantity(const struct spec_place *place, const char *key, enum quantity quantity,
		       const char *word, uint64_t *value);
int spec_word_duration_s(const struct spec_place *place, const char *key, const char *word,
			 uint64_t max_s, uint32_t *duration_s);
int spec_word_name(const struct spec_place *place, const char *key, const char *word,
		   char name[DP_NAME_BYTES]);
int spec_word_option(const struct spec_place *place, const struct option_set *set,
		     unsigned int index, const char *word, struct dp_option *value);

/* Options go into the order of the table, whatever order they were written in; defaults stay out.
 * DP_OPTIONS_MAX is more than any table has rows. */
void spec_word_keep_option(const struct option_set *set, const struct dp_option *value,
			   struct dp_option *options, uint16_t *n_options);
