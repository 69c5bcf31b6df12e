/* SPDX-License-Identifier: BSD-3-Clause */
/* What bodies say of frames that are captured or followed, and frames as JSON. Pure, but for the
 * names of ports. Runs on weftd's thread. */
#include <errno.h>

#include "control/api.h"

static int refuse(struct problem *problem, const char *key, const char *why)
{
	return problem_set(problem, -EINVAL, 422, "value-invalid", "%s: %s", key, why);
}

static int add_port(const struct control *control, const char *name, uint64_t *ids, uint32_t *n,
		    struct problem *problem)
{
	const struct model_port *port = api_find_port(control, name, problem);

	if (port == NULL)
		return -ENOENT;
	if (*n == DP_CAPTURE_PORTS_MAX)
		return refuse(problem, "ports", "more than 64; leave them out for all");
	for (uint32_t i = 0; i < *n; i++) {
		if (ids[i] == port->id)
			return refuse(problem, "ports", "a name stands there twice");
	}
	ids[(*n)++] = port->id;
	return 0;
}

int api_read_ports(const struct control *control, const json_t *value,
		   uint64_t ids[DP_CAPTURE_PORTS_MAX], uint32_t *n, struct problem *problem)
{
	const json_t *item;
	int error = 0;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) == 0)
		return refuse(problem, "ports", "a list of names of ports");
	json_array_foreach(value, i, item) {
		if (!json_is_string(item))
			return refuse(problem, "ports", "a list of names of ports");
		if (error == 0)
			error = add_port(control, json_string_value(item), ids, n, problem);
	}
	return error;
}

int api_read_number(const char *key, const json_t *value, json_int_t max, uint64_t *number,
		    struct problem *problem)
{
	json_int_t n = json_is_integer(value) ? json_integer_value(value) : 0;

	if (n < 1 || n > max)
		return problem_set(problem, -EINVAL, 422, "value-invalid",
				   "%s: a number, 1 to %lld", key, (long long)max);
	*number = (uint64_t)n;
	return 0;
}

static int read_insn(const json_t *value, struct dp_insn *insn, struct problem *problem)
{
	static const json_int_t max[4] = {UINT16_MAX, UINT8_MAX, UINT8_MAX, UINT32_MAX};
	json_int_t number[4];

	for (size_t i = 0; i < 4; i++) {
		const json_t *item = json_array_get(value, i);

		number[i] = json_is_integer(item) ? json_integer_value(item) : -1;
		if (json_array_size(value) != 4 || number[i] < 0 || number[i] > max[i])
			return refuse(problem, "filter",
				      "instructions of classic BPF, each [code, jt, jf, k]");
	}
	*insn = (struct dp_insn){.code = (uint16_t)number[0],
				 .jt = (uint8_t)number[1],
				 .jf = (uint8_t)number[2],
				 .k = (uint32_t)number[3]};
	return 0;
}

int api_read_filter(const json_t *value, struct dp_insn insns[DP_INSNS_MAX], uint32_t *n_insns,
		    struct problem *problem)
{
	size_t n = json_array_size(value);
	int error = 0;

	if (!json_is_array(value) || n == 0 || n > DP_INSNS_MAX)
		return refuse(problem, "filter",
			      "1 to 512 instructions of classic BPF; a simpler filter has fewer");
	for (size_t i = 0; i < n && error == 0; i++)
		error = read_insn(json_array_get(value, i), &insns[i], problem);
	*n_insns = (uint32_t)n;
	return error;
}

json_t *api_format_hex(const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * sizeof(((struct dp_dropped_frame *)0)->head)];

	if (n > sizeof(text) / 2)
		n = sizeof(text) / 2;
	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return json_stringn(text, 2 * n);
}
