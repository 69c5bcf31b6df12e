/* SPDX-License-Identifier: BSD-3-Clause */
/* See filter.h. */
#include "cli/filter.h"

#include <pcap/pcap.h>

#include "cli/call.h"

#define SNAPLEN_MAX 262144

int filter_add(const struct call *call, const char *text, json_t *body)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAPLEN_MAX);
	struct bpf_program program;
	json_t *list = json_array();
	int code = CALL_DONE;

	if (!pcap)
		code = call_fail(call, CALL_REFUSED, "out of memory");
	else if (pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN))
		code = call_fail(call, CALL_USAGE, "the filter '%s': %s; see man pcap-filter", text,
				 pcap_geterr(pcap));
	if (!code) {
		for (unsigned int i = 0; i < program.bf_len; i++) {
			const struct bpf_insn *insn = &program.bf_insns[i];

			json_array_append_new(list, json_pack("[i, i, i, I]", (int)insn->code,
							      (int)insn->jt, (int)insn->jf,
							      (json_int_t)insn->k));
		}
		pcap_freecode(&program);
		json_object_set(body, "filter", list);
	}
	json_decref(list);
	if (pcap)
		pcap_close(pcap);
	return code;
}
