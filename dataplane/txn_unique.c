/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What no two ports may share: the name, and the path of a socket. Ports that are there do not
 * share it, so only those that are put are compared, with all others and among themselves, by
 * hashes that each port keeps: a port added to thousands looks at one word of each. Main thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/txn_check.h"

#define CLAIM_BYTES 256

/* A name or a claim of a port that is put. */
struct word {
	uint64_t hash;
	const struct dp_port *spec;
};

/* FNV-1a; 0 stands for no text. Whoever finds two texts with one hash has to look at both. */
static uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3ULL;
	return hash | 1;
}

/* "" : the port claims nothing. */
static void claim_of(const struct dataplane *dp, const struct dp_port *spec, char text[CLAIM_BYTES])
{
	const struct port_type *type = port_find_type(dp, spec->kind);

	text[0] = '\0';
	if (type != NULL && type->claim != NULL)
		type->claim(dp, spec, text, CLAIM_BYTES);
}

static uint64_t hash_claim(const struct dataplane *dp, const struct dp_port *spec)
{
	char text[CLAIM_BYTES];

	claim_of(dp, spec, text);
	return text[0] != '\0' ? hash_text(text) : 0;
}

void txn_unique_note(struct port *port)
{
	port->name_hash = hash_text(port->spec.name);
	port->claim_hash = hash_claim(port->dp, &port->spec);
}

static int compare_words(const void *a, const void *b)
{
	const struct word *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static int compare_names(const struct dp_port *port, const struct dp_port *other, char *why,
			 size_t why_bytes)
{
	if (strcmp(port->name, other->name) != 0)
		return 0;
	snprintf(why, why_bytes, "port %s: two ports have this name", port->name);
	return -EEXIST;
}

static int compare_claims(const struct dataplane *dp, const struct dp_port *port,
			  const struct dp_port *other, char *why, size_t why_bytes)
{
	char mine[CLAIM_BYTES], theirs[CLAIM_BYTES];

	claim_of(dp, port, mine);
	claim_of(dp, other, theirs);
	if (strcmp(mine, theirs) != 0)
		return 0;
	snprintf(why, why_bytes, "port %.60s: %.100s is taken by port %.60s", port->name, mine,
		 other->name);
	return -EADDRINUSE;
}

static int compare(const struct dataplane *dp, bool is_claim, const struct dp_port *port,
		   const struct dp_port *other, char *why, size_t why_bytes)
{
	return is_claim ? compare_claims(dp, port, other, why, why_bytes)
			: compare_names(port, other, why, why_bytes);
}

/* The first of those with this hash; there are more, if any, behind it. */
static const struct word *find_first(const struct word *words, size_t n, uint64_t hash)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (words[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return words + low;
}

/* One kind of word: sorted, compared with neighbours of the same hash and with ports that stay. */
static int check_words(const struct txn *txn, bool is_claim, struct word *words, size_t n,
		       const bool *touched, char *why, size_t why_bytes)
{
	const struct dataplane *dp = txn->dp;
	const struct word *end = words + n;
	int error = 0;

	qsort(words, n, sizeof(words[0]), compare_words);
	for (size_t i = 0; i < n && error == 0; i++) {
		for (size_t k = i + 1; k < n && error == 0 && words[k].hash == words[i].hash; k++)
			error = compare(dp, is_claim, words[k].spec, words[i].spec, why, why_bytes);
	}
	for (unsigned int i = 1; n != 0 && i < dp->ports_end && error == 0; i++) {
		const struct port *port = atomic_load(&dp->ports[i]);

		if (port == NULL || touched[i])
			continue;
		uint64_t hash = is_claim ? port->claim_hash : port->name_hash;
		const struct word *word = find_first(words, n, hash);

		for (; word < end && error == 0 && word->hash == hash; word++)
			error = compare(dp, is_claim, word->spec, &port->spec, why, why_bytes);
	}
	return error;
}

int txn_unique_check(const struct txn *txn, const bool *touched, char *why, size_t why_bytes)
{
	struct word *names = calloc(txn->n_ports + 1, sizeof(names[0]));
	struct word *claims = calloc(txn->n_ports + 1, sizeof(claims[0]));
	size_t n_names = 0, n_claims = 0;
	int error = -ENOMEM;

	snprintf(why, why_bytes, "out of memory");
	for (size_t i = 0; names != NULL && claims != NULL && i < txn->n_ports; i++) {
		const struct dp_port *spec = &txn->ports[i].spec;

		if (txn->ports[i].is_delete)
			continue;
		names[n_names++] = (struct word){hash_text(spec->name), spec};
		claims[n_claims] = (struct word){hash_claim(txn->dp, spec), spec};
		n_claims += claims[n_claims].hash != 0;
	}
	if (names != NULL && claims != NULL)
		error = check_words(txn, false, names, n_names, touched, why, why_bytes);
	if (error == 0)
		error = check_words(txn, true, claims, n_claims, touched, why, why_bytes);
	free(names);
	free(claims);
	return error;
}
