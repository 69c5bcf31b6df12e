/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers that describe weft itself. Runs on weftd's thread. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "control/api.h"
#include "control/fastpath.h"
#include "control/trial.h"
#include "dataplane/api/port_options.h"
#include "dataplane/api/segment_options.h"

static json_t *format_dataplane(const struct control *control)
{
	const struct dp_welcome *welcome = fastpath_welcome(control->fastpath);
	uint64_t silence_ms = fastpath_silence_ms(control->fastpath);
	char epoch[24];
	char why[80];

	if (welcome == NULL)
		return json_pack("{s:b}", "connected", 0);
	snprintf(why, sizeof(why), "it has not answered for %" PRIu64 " s; what is shown is older",
		 silence_ms / 1000);
	snprintf(epoch, sizeof(epoch), "%" PRIu64, welcome->epoch);
	return json_pack("{s:b, s:s, s:i, s:i, s:b, s:s, s:s*}", "connected", silence_ms == 0,
			 "version", welcome->package, "pid", (int)welcome->pid, "workers",
			 (int)welcome->n_workers, "hugepages", welcome->hugepages != 0, "epoch",
			 epoch, "problem",
			 silence_ms > 0 ? why : fastpath_foreign(control->fastpath));
}

static json_t *count_ports(const struct control *control)
{
	int up = 0, broken = 0;
	int total = (int)control->model->n_ports;

	for (size_t i = 0; i < control->model->n_ports; i++) {
		struct dp_port_state state =
			fastpath_state(control->fastpath, control->model->ports[i]->id);

		up += state.link == DP_LINK_UP;
		broken += state.link == DP_LINK_BROKEN;
	}
	return json_pack("{s:i, s:i, s:i, s:i}", "total", total, "up", up, "down",
			 total - up - broken, "broken", broken);
}

int api_get_status(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem)
{
	const struct control *control = ctx;
	char revision[24];

	fastpath_look(control->fastpath);
	snprintf(revision, sizeof(revision), "%" PRIu64, api_revision(control));
	json_t *status =
		json_pack("{s:s, s:s, s:s, s:s, s:o, s:i, s:o, s:o*}", "version", WEFT_VERSION,
			  "host", control->host, "cluster", control->cluster, "revision", revision,
			  "dataplane", format_dataplane(control), "segments",
			  (int)control->model->n_segments, "ports", count_ports(control),
			  "confirm", trial_format(control));
	return api_reply(control, status, reply, problem);
}

static json_t *format_option(const struct option_def *def)
{
	static const char *const kinds[] = {
		[OPTION_BOOL] = "bool",
		[OPTION_NUMBER] = "number",
		[OPTION_TEXT] = "text",
		[OPTION_CHOICE] = "choice",
	};
	json_t *object = json_pack("{s:s, s:s, s:s, s:s?, s:s, s:b}", "key", def->key, "kind",
				   kinds[def->kind], "unit", def->unit != NULL ? def->unit : "",
				   "default", def->value, "help", def->help, "live", def->live);

	if (object != NULL && def->choices != NULL)
		json_object_set_new(object, "choices", json_string(def->choices));
	return object;
}

static json_t *format_options(const struct option_set *set)
{
	json_t *options = json_array();

	for (int i = options_next(set, -1); i >= 0; i = options_next(set, i))
		json_array_append_new(options, format_option(options_row(set, (unsigned int)i)));
	return options;
}

int api_get_port_types(void *ctx, const struct http_request *request, struct http_reply *reply,
		       struct problem *problem)
{
	struct option_set common = {port_options, port_options_count, NULL, 0};
	json_t *types = json_array();

	for (size_t i = 0; port_kinds[i] != NULL; i++) {
		struct option_set own = {port_kinds[i]->options, port_kinds[i]->n_options, NULL, 0};

		json_array_append_new(
			types, json_pack("{s:s, s:s, s:o}", "name", port_kinds[i]->name, "help",
					 port_kinds[i]->help, "options", format_options(&own)));
	}
	return api_reply(ctx,
			 json_pack("{s:o, s:o}", "types", types, "common", format_options(&common)),
			 reply, problem);
}

int api_get_segment_keys(void *ctx, const struct http_request *request, struct http_reply *reply,
			 struct problem *problem)
{
	return api_reply(ctx, json_pack("{s:o}", "options", format_options(&segment_options)),
			 reply, problem);
}
