/* SPDX-License-Identifier: BSD-3-Clause */
/* Why something was refused: filling in the answer. Pure. */
#include "control/problem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* In the order of the alphabet; docs/api.md has the same list. */
const struct problem_code problem_codes[] = {
	{"body-too-large", "the body has more than 8 MiB"},
	{"capture-unknown", "no such capture runs (any more)"},
	{"captures-many", "too many captures run"},
	{"changed-meanwhile",
	 "something changed since the revision of If-Match, or while it was done"},
	{"channel-in-use", "ports, vms, segments or loans use the channel"},
	{"channel-unknown",
	 "there is no such channel, or something names one that is not declared"},
	{"confirm-none", "nothing is on trial"},
	{"confirm-pending", "a revision is on trial; only confirm and rollback are taken"},
	{"dataplane-unreachable", "weft-dataplane does not answer"},
	{"flight-off", "the segment has no flight recorder"},
	{"flight-unknown", "no such recording is kept (any more)"},
	{"host-refused", "the host cannot do it: a device, a socket, a namespace"},
	{"host-unknown", "the port names another host"},
	{"ifname-missing", "the port's name is no device name; ifname is needed"},
	{"ifname-taken", "another port has that device"},
	{"ip-taken", "another port has that address"},
	{"json-invalid", "the body is not JSON"},
	{"key-duplicate", "a key stands twice in a lab"},
	{"key-missing", "a key that is needed is not there"},
	{"key-unknown", "a key that the object does not have"},
	{"lab-invalid", "the lab has another shape"},
	{"loan-invalid", "what a loan would take is not there, or not the lender's to give"},
	{"loan-unknown", "there is no such loan; perhaps it has ended"},
	{"mac-invalid", "not the address of a network card"},
	{"mac-taken", "another port of the segment has that address"},
	{"media-unsupported", "YAML where only JSON is read"},
	{"method-not-allowed", "the path is known, the method is not"},
	{"name-invalid", "a name has 1 to 63 of A-Z a-z 0-9 . _ -"},
	{"name-mismatch", "the name in the body is not the path's"},
	{"name-taken", "a port and a peer have the same name"},
	{"no-memory", "weftd is out of memory"},
	{"not-for-this-type", "the port's type has no such thing"},
	{"objects-many", "there would be more objects of a kind than there may be"},
	{"path-unknown", "there is no such path"},
	{"pool-exhausted", "more is assured to the channels of a pool than it has"},
	{"pool-in-use", "channels use the pool"},
	{"pool-unknown", "there is no such pool, or a channel names one that is not declared"},
	{"port-in-use", "a pool stands for the uplink"},
	{"port-unknown", "there is no such port"},
	{"position-gone", "a watch cannot go on from where it was"},
	{"query-unknown", "a query parameter that the path does not take"},
	{"replay-unknown", "no such replay runs (any more)"},
	{"requests-many", "the caller has sent more requests a second than it may"},
	{"revision-unknown", "there is no such revision, or it is no longer kept"},
	{"role-missing", "the caller's role does not suffice"},
	{"segment-in-use", "ports use the segment"},
	{"segment-unknown", "there is no such segment, or a port names one that is not declared"},
	{"socket-taken", "another port has that socket"},
	{"store-failed", "the store could not be read or written"},
	{"store-foreign", "the dataplane holds what this store never knew"},
	{"store-full", "the disk is full"},
	{"tests-many", "too many tests of peers run"},
	{"traces-many", "somebody follows frames already"},
	{"trunk-invalid", "a trunk's segments and tags do not fit together, or not with the rest"},
	{"type-unknown", "there is no such type of port"},
	{"value-invalid", "a value that the key does not take"},
	{"vlan-taken", "another segment has that VLAN"},
	{"vm-unknown", "nothing is set for a vm of that name"},
	{"vni-taken", "another segment has that VNI"},
	{"vtep-taken", "another peer or uplink has that VTEP"},
	{"watchers-many", "too many clients watch"},
	{"yaml-invalid", "the body is not YAML"},
	{"yaml-unsupported", "anchors, aliases, tags, several documents"},
	{NULL, NULL},
};

/* How many bytes the character takes that begins here; 0: this is no UTF-8. */
static size_t character_bytes(const unsigned char *c)
{
	size_t n = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;

	for (size_t i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong, a surrogate, beyond the last one. */
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] >= 0xa0) ||
	    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] >= 0x90) || c[0] > 0xf4)
		return 0;
	return n;
}

/* Details are one line of printable text, whatever a user wrote into a name or a path, and wherever
 * a precision has cut it: JSON could not carry half a character. */
static void make_printable(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c != '\0';) {
		size_t n = character_bytes(c);

		if (n == 0 || *c < ' ' || *c == 0x7f) {
			*c = '?';
			n = 1;
		}
		c += n;
	}
}

int problem_set(struct problem *problem, int error, int status, const char *code,
		const char *format, ...)
{
	va_list args;

	problem->status = status;
	problem->code = code;
	problem->where[0] = '\0';
	va_start(args, format);
	vsnprintf(problem->detail, sizeof(problem->detail), format, args);
	va_end(args);
	make_printable(problem->detail);
	return error;
}

void problem_at(struct problem *problem, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem->where, sizeof(problem->where), format, args);
	va_end(args);
	make_printable(problem->where);
}

void problem_prefix(struct problem *problem, const char *format, ...)
{
	char prefix[160];
	char detail[sizeof(problem->detail)];
	va_list args;

	va_start(args, format);
	vsnprintf(prefix, sizeof(prefix), format, args);
	va_end(args);
	memcpy(detail, problem->detail, sizeof(detail));
	int len = snprintf(problem->detail, sizeof(problem->detail), "%s", prefix);
	snprintf(problem->detail + len, sizeof(problem->detail) - (size_t)len, "%s", detail);
	make_printable(problem->detail);
}

int problem_collect(struct problem *problem, int error)
{
	json_t *errors = problem->errors;

	if (error != -EINVAL && error != -EEXIST)
		return error;
	/* Without a detail it was noted already, by who was called. */
	if (errors == NULL || json_array_size(errors) >= PROBLEM_ERRORS_MAX)
		return error;
	if (problem->detail[0] != '\0' &&
	    json_array_append_new(errors, json_pack("{s:s, s:i, s:s, s:s}", "code", problem->code,
						    "status", problem->status, "where",
						    problem->where, "detail", problem->detail)) < 0)
		return error;
	problem->detail[0] = '\0';
	return 0;
}

int problem_collected(struct problem *problem)
{
	const json_t *first = json_array_get(problem->errors, 0);

	if (first == NULL)
		return 0;
	problem->status = (int)json_integer_value(json_object_get(first, "status"));
	problem->code = json_string_value(json_object_get(first, "code"));
	snprintf(problem->where, sizeof(problem->where), "%s",
		 json_string_value(json_object_get(first, "where")));
	size_t n_more = json_array_size(problem->errors) - 1;
	int len = snprintf(problem->detail, sizeof(problem->detail), "%s",
			   json_string_value(json_object_get(first, "detail")));
	if (n_more > 0 && (size_t)len < sizeof(problem->detail))
		snprintf(problem->detail + len, sizeof(problem->detail) - (size_t)len,
			 " (and %zu more)", n_more);
	make_printable(problem->detail);
	return -EINVAL;
}

void problem_locate(struct problem *problem, size_t line, size_t column)
{
	if (problem->errors != NULL && problem_collect(problem, -EINVAL) == 0) {
		json_t *error =
			json_array_get(problem->errors, json_array_size(problem->errors) - 1);

		json_object_set_new(error, "line", json_integer((json_int_t)line));
		json_object_set_new(error, "column", json_integer((json_int_t)column));
		problem_collected(problem);
	}
	problem_prefix(problem, "line %zu: ", line);
}

void problem_fini(struct problem *problem)
{
	json_decref(problem->errors);
	problem->errors = NULL;
}

int problem_system(struct problem *problem, int error, const char *doing)
{
	switch (error) {
	case -ENOMEM:
		return problem_set(problem, error, 503, "no-memory",
				   "%s: out of memory; nothing was changed", doing);
	case -ENOSPC:
		return problem_set(problem, error, 507, "store-full",
				   "%s: the disk is full; free some space and try again", doing);
	default:
		return problem_set(problem, error, 503, "store-failed",
				   "%s: %s; see the log of weftd", doing, strerror(-error));
	}
}
