/* SPDX-License-Identifier: BSD-3-Clause */
/* See ecn_mark.h. What a tunnel does with marks of its path is just this. */
#include "dataplane/channel/ecn_mark.h"

#include "dataplane/frame.h"
#include "vxlan/vxlan_ecn.h"

bool ecn_mark(struct frame *frame)
{
	struct vxlan_inner inner;

	vxlan_inner_read(frame->head, frame->head_len, &inner);
	/* Of a sender that knows of no marks the answer is to drop: that is the caller's. */
	return inner.ip_version != 0 && vxlan_ecn_decap(frame->head, &inner, VXLAN_ECN_CE);
}
