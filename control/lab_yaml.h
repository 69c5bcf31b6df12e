/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * YAML to a JSON tree and back, for labs. One document of maps, lists and scalars; what can
 * surprise or grow is refused by name: aliases, anchors, tags, duplicate keys, several documents.
 * Plain scalars are integers, true, false and null as YAML 1.2 writes them; everything else is
 * text, so that 02:00:00:00:00:01 and `on` stay what was written. Pure.
 */
#pragma once

#include "control/lab.h"

/* 0, or -EINVAL with a problem that names the line. */
int lab_yaml_parse(const char *text, size_t bytes, struct lab *lab, struct problem *problem);

/* A tree of objects and scalars as text that lab_yaml_parse() reads back as the same tree. NULL: no
 * memory. */
char *lab_yaml_format(const json_t *tree);
