/* SPDX-License-Identifier: BSD-3-Clause */
/* The handler that examines a port. Runs on weftd's thread. */
#include <errno.h>

#include "control/api.h"
#include "control/doctor.h"
#include "control/fastpath.h"

int api_get_doctor(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem)
{
	const struct control *control = ctx;
	const struct model_port *port = api_find_port(control, request->name, problem);
	char socket[DP_TEXT_BYTES];

	if (port == NULL)
		return -ENOENT;
	fastpath_look(control->fastpath);
	struct dp_port_state state = fastpath_state(control->fastpath, port->id);
	struct patient patient = {.control = control, .port = port, .state = &state};

	if (api_guest_socket(control, port, socket, sizeof(socket)))
		patient.socket = socket;
	json_t *checks = doctor_examine(&patient);

	return api_reply(control,
			 json_pack("{s:s, s:s, s:b, s:o}", "port", port->name, "type",
				   port->kind->name, "healthy", doctor_is_healthy(checks), "checks",
				   checks),
			 reply, problem);
}
