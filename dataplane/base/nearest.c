/* SPDX-License-Identifier: BSD-3-Clause */
/* The nearest word by edits: insert, delete, replace, swap of neighbours. Pure. */
#include "dataplane/base/nearest.h"

#include <string.h>

#define WORD_CHARS_MAX 32 /* longer words are nobody's typo */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

static size_t edits(const char *a, const char *b)
{
	size_t cost[WORD_CHARS_MAX + 1][WORD_CHARS_MAX + 1];
	size_t a_chars = strlen(a), b_chars = strlen(b);

	if (a_chars > WORD_CHARS_MAX || b_chars > WORD_CHARS_MAX)
		return WORD_CHARS_MAX;
	for (size_t i = 0; i <= a_chars; i++) {
		for (size_t j = 0; j <= b_chars; j++) {
			if (i == 0 || j == 0) {
				cost[i][j] = i + j;
				continue;
			}
			cost[i][j] = min3(cost[i - 1][j] + 1, cost[i][j - 1] + 1,
					  cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    cost[i - 2][j - 2] + 1 < cost[i][j])
				cost[i][j] = cost[i - 2][j - 2] + 1;
		}
	}
	return cost[a_chars][b_chars];
}

const char *nearest_word(const char *typed, const char *const *words, size_t n_words)
{
	const char *nearest = NULL;
	size_t least = strlen(typed) < 4 ? 1 : 2; /* edits that still count as a slip */

	for (size_t i = 0; i < n_words; i++) {
		size_t n_edits = edits(typed, words[i]);

		if (n_edits < least || (n_edits == least && !nearest)) {
			least = n_edits;
			nearest = words[i];
		}
	}
	return nearest;
}
