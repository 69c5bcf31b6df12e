/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments as a user writes them, into the model. Pure. */
#include "control/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/spec_word.h"
#include "dataplane/api/segment_options.h"
#include "vxlan/vxlan.h"

/* Besides the options of the table. */
static const char *const segment_keys[] = {"vni", "vlan", "mtu", "age", "channel"};

static int parse_segment_option(const struct spec_place *place, const char *key, const char *word,
				struct model_segment *segment)
{
	int index = options_find(&segment_options, key);
	struct dp_option value;

	if (index < 0)
		return spec_word_refuse_key(place, key, segment_keys,
					    sizeof(segment_keys) / sizeof(segment_keys[0]),
					    &segment_options);
	int error = spec_word_option(place, &segment_options, (unsigned int)index, word, &value);

	if (error == 0)
		spec_word_keep_option(&segment_options, &value, segment->options,
				      &segment->n_options);
	return error;
}

static int take_segment_key(const struct spec_place *place, const char *key, const json_t *value,
			    struct model_segment *segment)
{
	char word[SPEC_WORD_BYTES];
	uint64_t number = 0;
	int error = spec_word_read(place, key, value, word);

	if (error < 0)
		return error;
	if (strcmp(key, "vni") == 0) {
		error = spec_word_number(place, key, word, 1, VXLAN_VNI_MAX, &number);
		segment->vni = (uint32_t)number;
	} else if (strcmp(key, "vlan") == 0) {
		error = spec_word_number(place, key, word, 1, MODEL_VLAN_MAX, &number);
		segment->vlan = (uint16_t)number;
	} else if (strcmp(key, "mtu") == 0) {
		error = spec_word_number(place, key, word, MODEL_MTU_MIN, MODEL_MTU_MAX, &number);
		segment->mtu = (uint16_t)number;
	} else if (strcmp(key, "age") == 0) {
		error = spec_word_duration_s(place, key, word, MODEL_AGE_S_MAX, &segment->age_s);
	} else if (strcmp(key, "channel") == 0) {
		error = spec_word_name(place, key, word, segment->channel);
	} else if (strcmp(key, "name") == 0) {
		error = spec_word_check_name(place, word);
	} else {
		error = parse_segment_option(place, key, word, segment);
	}
	return error;
}

int spec_parse_segment(const char *name, const json_t *json, struct model_segment *segment,
		       struct problem *problem)
{
	struct spec_place place = {.problem = problem};
	int error = spec_word_check_self("segment", name, json, &place);
	const json_t *value;
	const char *key;
	bool is_bad = false;

	if (error < 0)
		return error;
	*segment = (struct model_segment){.age_s = MODEL_AGE_S_DEFAULT};
	snprintf(segment->name, sizeof(segment->name), "%s", name);
	/* cast: jansson's iteration macro takes no const object, but does not write to it */
	json_object_foreach((json_t *)(uintptr_t)json, key, value) {
		error = take_segment_key(&place, key, value, segment);
		is_bad = is_bad || error < 0;
		if (error < 0 && problem_collect(problem, error) < 0)
			return error;
	}
	if (is_bad)
		return -EINVAL;
	if (!vxlan_vni_is_valid(segment->vni))
		return spec_word_missing(&place, "vni", "a number from 1 to 16777215");
	return 0;
}
