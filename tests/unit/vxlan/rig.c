/* SPDX-License-Identifier: BSD-3-Clause */
/* Helpers of the tests of vxlan/. */
#include "tests/unit/vxlan/rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

const struct vector *rig_vector(const char *name)
{
	const struct vector *vector = vectors;

	while (vector->name != NULL && strcmp(vector->name, name) != 0)
		vector++;
	if (vector->name == NULL)
		fail_msg("vectors.py has no %s", name);
	return vector;
}

uint8_t *rig_copy(const void *bytes, size_t n)
{
	uint8_t *copy = malloc(n != 0 ? n : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	return copy;
}

uint16_t rig_sum(uint16_t sum, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i += 2) {
		uint32_t next = sum + (uint32_t)(bytes[i] << 8) + (i + 1 < n ? bytes[i + 1] : 0);

		sum = (uint16_t)(next & 0xffff) + (uint16_t)(next >> 16);
	}
	return sum;
}

bool rig_is_intact(const uint8_t *frame, size_t n)
{
	const uint8_t *ip = frame + 14;
	bool is_ipv4 = ip[0] >> 4 == 4;
	size_t header = is_ipv4 ? (ip[0] & 15) * 4u : 40;
	size_t n_upper = n - 14 - header;
	uint8_t protocol = is_ipv4 ? ip[9] : ip[6];
	const uint8_t pseudo[4] = {(uint8_t)(n_upper >> 8), (uint8_t)n_upper, 0, protocol};
	uint16_t sum = 0;

	if (is_ipv4 && (rig_sum(0, ip, header) != 0xffff || (ip[2] << 8 | ip[3]) != (int)n - 14))
		return false;
	if (!is_ipv4 && (ip[4] << 8 | ip[5]) != (int)n_upper)
		return false;
	if (protocol != IPPROTO_ICMP) {
		sum = rig_sum(sum, ip + (is_ipv4 ? 12 : 8), is_ipv4 ? 8 : 32);
		sum = rig_sum(sum, pseudo, sizeof(pseudo));
	}
	if (protocol == IPPROTO_UDP && ip[header + 6] == 0 && ip[header + 7] == 0)
		return false;
	return rig_sum(sum, ip + header, n_upper) == 0xffff;
}

uint32_t rig_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*state >> 32);
}
