/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Objects as a user writes them: JSON objects (a lab file is read into the same) to and
 * from the model. Each object alone is checked here; what they must not share, in rules.h. Pure.
 */
#pragma once

#include <jansson.h>

#include "control/model.h"
#include "control/problem.h"

enum spec_form {
	SPEC_SHORT, /* what a lab file needs: no name, no defaults, nothing derived */
	SPEC_FULL,  /* what GET shows: everything */
};

/* Parses the body of an object (ids, generation and lab are left zero). On -EINVAL `problem` says
 * what is wrong, and where: "segments.NAME.KEY". By kind: kinds.h. */
int spec_parse_segment(const char *name, const json_t *json, struct model_segment *segment,
		       struct problem *problem);
int spec_parse_port(const char *cluster, const char *name, const json_t *json,
		    struct model_port *port, struct problem *problem);
int spec_parse_pool(const char *name, const json_t *json, struct model_pool *pool,
		    struct problem *problem);
int spec_parse_channel(const char *name, const json_t *json, struct model_channel *channel,
		       struct problem *problem);
int spec_parse_vm(const char *name, const json_t *json, struct model_vm *vm,
		  struct problem *problem);
int spec_parse_loan(const char *name, const json_t *json, struct model_loan *loan,
		    struct problem *problem);

/* New references; NULL: no memory. */
json_t *spec_format_segment(const struct model_segment *segment, enum spec_form form);
json_t *spec_format_port(const char *cluster, const struct model_port *port, enum spec_form form);
json_t *spec_format_pool(const struct model_pool *pool, enum spec_form form);
json_t *spec_format_channel(const struct model_channel *channel, enum spec_form form);
json_t *spec_format_vm(const struct model_vm *vm, enum spec_form form);
json_t *spec_format_loan(const struct model_loan *loan, enum spec_form form);

/* "tx", "rx", "both", for bits 1 << enum dp_way. */
const char *spec_ways_name(uint32_t ways);

/* "300s", "5m", "2h", "1d": 1 s to max_s. 0 or -EINVAL. */
int spec_parse_duration(const char *word, uint64_t max_s, uint32_t *duration_s);

/* "02:00:5e:10:00:01" */
#define SPEC_MAC_BYTES 18
void spec_format_mac(const uint8_t mac[6], char text[SPEC_MAC_BYTES]);
