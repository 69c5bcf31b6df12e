/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments and ports as a user writes them: JSON objects (a lab file is read into the same) to and
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

/* Parses the body of an object into *segment or *port (ids, generation and lab are left zero). On
 * -EINVAL `problem` says what is wrong, and where: "segments.NAME.KEY". */
int spec_parse_segment(const char *name, const json_t *json, struct model_segment *segment,
		       struct problem *problem);
int spec_parse_port(const char *cluster, const char *name, const json_t *json,
		    struct model_port *port, struct problem *problem);

/* New references; NULL: no memory. */
json_t *spec_format_segment(const struct model_segment *segment, enum spec_form form);
json_t *spec_format_port(const char *cluster, const struct model_port *port, enum spec_form form);

/* "300s", "5m", "2h", "1d": 1 s to max_s. 0 or -EINVAL. */
int spec_parse_duration(const char *word, uint64_t max_s, uint32_t *duration_s);

/* "02:00:5e:10:00:01" */
#define SPEC_MAC_BYTES 18
void spec_format_mac(const uint8_t mac[6], char text[SPEC_MAC_BYTES]);
