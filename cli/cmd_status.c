/* SPDX-License-Identifier: BSD-3-Clause */
/* weft status, weft version. */
#include "cli/cmds.h"

#include "cli/call.h"

int cmd_status_run(const struct call *call)
{
	json_t *answer;
	int code = call_get(call, "/v1/status", &answer);

	if (code)
		return code;
	code = call_print_object(call, answer);
	json_decref(answer);
	return code;
}

int cmd_status_version(const struct call *call)
{
	json_t *version;
	int code;

	if (!call_is_raw(call)) {
		fprintf(call->out, "weft %s\n", WEFT_VERSION);
		return CALL_DONE;
	}
	version = json_pack("{s:s}", "version", WEFT_VERSION);
	code = call_print_raw(call, version);
	json_decref(version);
	return code;
}
