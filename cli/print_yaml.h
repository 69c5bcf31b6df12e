/* SPDX-License-Identifier: BSD-3-Clause */
/* A JSON value as a YAML document. Used by print.c. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* 0, -EIO or -ENOMEM. */
int print_yaml_write(FILE *out, json_t *value);
