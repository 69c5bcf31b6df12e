/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The examination of one port: what could keep frames from passing, looked at one by one, each with
 * what to do about it. Asks files, devices and users of this host, as only weftd may. Runs on
 * weftd's thread.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "control/control.h"

struct patient {
	const struct control *control;
	const struct model_port *port;
	const struct dp_port_state *state;
	const char *socket; /* NULL: not that kind of port */
};

/* A list of {"check", "result": ok|warn|fail, "detail", "fix"}, or NULL: no memory. */
json_t *doctor_examine(const struct patient *patient);

enum doctor_result {
	DOCTOR_OK,
	DOCTOR_WARN, /* works, but not as well as it could */
	DOCTOR_FAIL, /* frames cannot pass */
};

/* For the files of the kinds: adds a line, and to the last line what to do about it. */
void doctor_say(json_t *list, const char *check, enum doctor_result result, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void doctor_fix(json_t *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* No line says that something fails. */
bool doctor_is_healthy(const json_t *list);

void doctor_guest(json_t *list, const struct patient *patient);
void doctor_peer(json_t *list, const struct patient *patient);
void doctor_tap(json_t *list, const struct patient *patient);
void doctor_uplink(json_t *list, const struct patient *patient);
