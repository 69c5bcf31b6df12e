/* SPDX-License-Identifier: BSD-3-Clause */
/* QEMU's command line for the ports of one machine: as a list, then quoted for a shell. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Appends the arguments of one more port. -EPROTO if `more` is no array of strings. */
int qemu_args_append(json_t *args, json_t *more);

/* Shell-quoted where a shell needs it. One line; or a line for each option, joined by " \". */
void qemu_args_print(FILE *out, const json_t *args, bool is_one_option_a_line);
