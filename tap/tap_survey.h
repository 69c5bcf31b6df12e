/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All devices of a network namespace at one look: two dumps, however many taps are there, where
 * each tap_device_update() asks twice, and the second answer has every address of the namespace.
 * For who looks after hundreds. One thread.
 */
#pragma once

#include <stdbool.h>

#include "tap/tap_device.h"

struct tap_survey;

/* netns as in struct tap_device_spec. 0 or -errno. */
int tap_survey_create(const char *netns, struct tap_survey **survey);
void tap_survey_destroy(struct tap_survey *survey); /* NULL is legal */

/* Was the device behind fd just what the spec says, so that tap_device_update() would change
 * nothing? The spec's namespace is the survey's. */
bool tap_survey_fits(const struct tap_survey *survey, const struct tap_device_spec *spec, int fd);
