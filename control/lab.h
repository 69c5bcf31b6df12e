/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lab: what `weft apply` sends. Text (YAML or JSON) becomes a JSON tree, checked for what a
 * tree cannot show any more (duplicate keys, several documents); the tree is laid over a model.
 * Errors name the line where the text is known. Pure; hostile text costs no more than its size.
 *
 *     name: demo
 *     segments: {ALPHA: {vni: 100}}
 *     pools: {host: {capacity: 10G}}
 *     channels: {gold: {pool: host, tx: {rate: 500M}}}
 *     vms: {db: {channel: gold}}
 *     ports: {web0: {type: vhost-user, segment: ALPHA}}
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "control/model.h"
#include "control/problem.h"

#define LAB_BYTES_MAX (8u * 1024 * 1024)
#define LAB_DEPTH_MAX 32

/* A place is one number: the line, and below it the column. */
#define LAB_COLUMN_BITS 16
#define LAB_COLUMN_MAX ((1 << LAB_COLUMN_BITS) - 1)

struct lab {
	json_t *tree;
	json_t *places; /* YAML: "ports.web0.segment" -> line and column; JSON: empty */
};

/* Strict JSON. 0, or -EINVAL with a problem. YAML: lab_yaml.h. */
int lab_parse_json(const char *text, size_t bytes, struct lab *lab, struct problem *problem);
void lab_fini(struct lab *lab);

/* Its `name`, else "default"; "": what it declares belongs to no lab. Borrowed. */
const char *lab_name(const struct lab *lab);

/*
 * Lays the lab over `current`: *wanted is a copy in which the declared objects are as declared.
 * Where problems are collected (problem_collect()), it goes on behind what cannot be read, and may
 * succeed: rules_check() then fails.
 * prune: what this lab made and does not declare any more is left out. Objects alone are checked;
 * what they share, not yet (rules_check()).
 */
int lab_merge(const struct lab *lab, const char *cluster, const struct model *current, bool prune,
	      struct model **wanted, struct problem *problem);

/* Says where the faults are that lab_merge(), or rules_check() after it, has found. */
void lab_locate(const struct lab *lab, struct problem *problem);

/* The whole model as one lab, owners too: applied here it changes nothing, elsewhere it makes the
 * same. New reference; NULL: no memory. */
json_t *lab_format(const char *cluster, const struct model *model);
