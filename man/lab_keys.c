/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Prints the option tables of segments and ports as JSON, for the page of lab files. Runs at build
 * time.
 */
#include <jansson.h>
#include <stdio.h>

#include "dataplane/api/port_kinds.h"
#include "dataplane/api/port_options.h"
#include "dataplane/api/segment_options.h"

static json_t *format_rows(const struct option_def *rows, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s, s:s*, s:s*, s:s}", "key", rows[i].key,
						      "default", rows[i].value, "choices",
						      rows[i].choices, "help", rows[i].help));
	return list;
}

int main(void)
{
	json_t *kinds = json_array();
	json_t *page;

	for (size_t i = 0; port_kinds[i] != NULL; i++)
		json_array_append_new(
			kinds,
			json_pack("{s:s, s:s, s:o}", "name", port_kinds[i]->name, "help",
				  port_kinds[i]->help, "options",
				  format_rows(port_kinds[i]->options, port_kinds[i]->n_options)));
	page = json_pack("{s:o, s:o, s:o}", "segment",
			 format_rows(segment_options.rows, segment_options.n_rows), "kinds", kinds,
			 "common", format_rows(port_options, port_options_count));
	int failed = page == NULL || json_dumpf(page, stdout, JSON_INDENT(2)) < 0;

	json_decref(page);
	return failed;
}
