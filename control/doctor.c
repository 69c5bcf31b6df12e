/* SPDX-License-Identifier: BSD-3-Clause */
/* What is looked at for every kind of port, and the lines themselves. Runs on weftd's thread. */
#include "control/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control/fastpath.h"
#include "dataplane/api/kinds.h"

void doctor_say(json_t *list, const char *check, enum doctor_result result, const char *format, ...)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_WARN] = "warn",
		[DOCTOR_FAIL] = "fail",
	};
	char detail[512];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "check", check, "result",
					      names[result], "detail", detail, "fix", ""));
}

void doctor_fix(json_t *list, const char *format, ...)
{
	json_t *last = json_array_get(list, json_array_size(list) - 1);
	char fix[512];
	va_list args;

	va_start(args, format);
	vsnprintf(fix, sizeof(fix), format, args);
	va_end(args);
	json_object_set_new(last, "fix", json_string(fix));
}

bool doctor_is_healthy(const json_t *list)
{
	const json_t *check;
	size_t i;

	json_array_foreach(list, i, check) {
		if (strcmp(json_string_value(json_object_get(check, "result")), "fail") == 0)
			return false;
	}
	return true;
}

/* false: there is nothing more to be found out. */
static bool examine_dataplane(json_t *list, const struct patient *patient)
{
	const struct dp_welcome *welcome = fastpath_welcome(patient->control->fastpath);

	if (welcome != NULL) {
		doctor_say(list, "dataplane", DOCTOR_OK, "%s, pid %u, connected", welcome->package,
			   welcome->pid);
		return true;
	}
	doctor_say(list, "dataplane", DOCTOR_FAIL, "weft-dataplane is not connected");
	doctor_fix(list, "start weft-dataplane --run-dir %s; weft status shows more",
		   patient->control->run_dir);
	return false;
}

static bool examine_placed(json_t *list, const struct patient *patient)
{
	const char *why = fastpath_broken(patient->control->fastpath, patient->port->id);

	if (why == NULL)
		return true;
	doctor_say(list, "made", DOCTOR_FAIL, "the port could not be made: %s", why);
	doctor_fix(list, "put that right; weft tries again every few seconds and at every change");
	return false;
}

/* What the user said that holds frames back. */
static void examine_state(json_t *list, const struct patient *patient)
{
	if (model_option_is(patient->port, "state", "active"))
		return;
	doctor_say(list, "state", DOCTOR_FAIL, "the port is set to a state other than active");
	doctor_fix(list, "weft port set %s state=", patient->port->name);
}

/* Drops that say something about this port's peer. Others are everyday life. */
static void examine_drops(json_t *list, const struct patient *patient)
{
	static const enum drop_reason telling[] = {
		DROP_RING_FULL, DROP_BAD_CHAIN, DROP_BAD_OFFLOAD, DROP_NO_OFFLOAD,
		DROP_TAP_FULL,	DROP_TAP_ERROR, DROP_GUEST_FAULT, DROP_BAD_SOURCE,
		DROP_UPLINK_FULL, DROP_UPLINK_ERROR};
	const struct meter *meter = fastpath_meter(patient->control->fastpath);
	char text[256] = "";
	size_t len = 0;

	if (meter == NULL)
		return;
	struct counters_block sum = meter_sum(meter, patient->state->counters_slot);

	for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
		if (sum.drops[telling[i]] != 0 && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %" PRIu64,
						len != 0 ? ", " : "", drop_reason_name(telling[i]),
						sum.drops[telling[i]]);
	}
	if (len == 0) {
		doctor_say(list, "drops", DOCTOR_OK, "none that this port is the cause of");
		return;
	}
	doctor_say(list, "drops", DOCTOR_WARN, "since the port was made: %s", text);
	doctor_fix(list, "weft drops %s says what each means", patient->port->name);
}

json_t *doctor_examine(const struct patient *patient)
{
	json_t *list = json_array();

	if (list == NULL || !examine_dataplane(list, patient) || !examine_placed(list, patient))
		return list;
	if (patient->socket != NULL)
		doctor_guest(list, patient);
	else if (patient->port->kind == &kind_uplink)
		doctor_uplink(list, patient);
	else if (patient->port->kind == &kind_peer)
		doctor_peer(list, patient);
	else if (patient->port->kind == &kind_tap)
		doctor_tap(list, patient);
	examine_state(list, patient);
	examine_drops(list, patient);
	return list;
}
