/* SPDX-License-Identifier: BSD-3-Clause */
/* VXLAN's limits (RFC 7348). Pure functions, any thread. */
#include "vxlan/vxlan.h"

bool vxlan_vni_is_valid(uint32_t vni)
{
	return vni != 0 && vni <= VXLAN_VNI_MAX;
}
