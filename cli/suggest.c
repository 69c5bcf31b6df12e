/* SPDX-License-Identifier: BSD-3-Clause */
/* The command that was meant: by another program's word for it, or by its spelling. */
#include "cli/suggest.h"

#include <string.h>

#include "dataplane/base/nearest.h"

/* What other programs call it. */
static const struct {
	const char *typed, *meant;
} synonyms[] = {
	{"ls", "list"},	   {"rm", "del"},  {"delete", "del"}, {"remove", "del"},
	{"create", "add"}, {"new", "add"}, {"get", "show"},   {"update", "set"},
};

static const char *find_synonym(const char *typed)
{
	for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++) {
		if (strcmp(typed, synonyms[i].typed) == 0)
			return synonyms[i].meant;
	}
	return NULL;
}

const char *suggest_nearest(const char *typed, const char *const *words, size_t n_words)
{
	const char *synonym = find_synonym(typed);

	for (size_t i = 0; synonym && i < n_words; i++) {
		if (strcmp(synonym, words[i]) == 0)
			return words[i];
	}
	return nearest_word(typed, words, n_words);
}
