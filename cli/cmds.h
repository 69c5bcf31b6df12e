/* SPDX-License-Identifier: BSD-3-Clause */
/* What the table of commands runs: one file cmd_NOUN.c for each noun. Exit codes. */
#pragma once

#include <jansson.h>
#include <stdio.h>

struct call;

int cmd_help(const struct call *call);

int cmd_lab_apply(const struct call *call);
int cmd_lab_diff(const struct call *call);
int cmd_lab_export(const struct call *call);

int cmd_history_run(const struct call *call);
int cmd_history_show(const struct call *call);
int cmd_history_rollback(const struct call *call);
int cmd_history_confirm(const struct call *call);

int cmd_status_run(const struct call *call);
int cmd_status_version(const struct call *call);

int cmd_segment_add(const struct call *call);
int cmd_segment_list(const struct call *call);
int cmd_segment_show(const struct call *call);
int cmd_segment_set(const struct call *call);
int cmd_segment_del(const struct call *call);
int cmd_segment_keys(const struct call *call);

int cmd_port_add(const struct call *call);
int cmd_port_list(const struct call *call);
int cmd_port_show(const struct call *call);
int cmd_port_set(const struct call *call);
int cmd_port_del(const struct call *call);
int cmd_port_types(const struct call *call);
int cmd_port_qemu_args(const struct call *call);
int cmd_port_libvirt_xml(const struct call *call);

int cmd_uplink_add(const struct call *call);
int cmd_uplink_list(const struct call *call);
int cmd_uplink_show(const struct call *call);
int cmd_uplink_set(const struct call *call);
int cmd_uplink_del(const struct call *call);

int cmd_peer_add(const struct call *call);
int cmd_peer_list(const struct call *call);
int cmd_peer_show(const struct call *call);
int cmd_peer_set(const struct call *call);
int cmd_peer_del(const struct call *call);

int cmd_pool_add(const struct call *call);
int cmd_pool_list(const struct call *call);
int cmd_pool_show(const struct call *call);
int cmd_pool_set(const struct call *call);
int cmd_pool_del(const struct call *call);
int cmd_pool_plan(const struct call *call);

int cmd_channel_add(const struct call *call);
int cmd_channel_list(const struct call *call);
int cmd_channel_show(const struct call *call);
int cmd_channel_set(const struct call *call);
int cmd_channel_del(const struct call *call);
int cmd_channel_assign(const struct call *call);
int cmd_channel_unassign(const struct call *call);
int cmd_channel_lend(const struct call *call);
int cmd_channel_recall(const struct call *call);
int cmd_channel_plan(const struct call *call);

int cmd_vm_add(const struct call *call);
int cmd_vm_list(const struct call *call);
int cmd_vm_show(const struct call *call);
int cmd_vm_set(const struct call *call);
int cmd_vm_del(const struct call *call);

int cmd_loan_list(const struct call *call);
int cmd_loan_show(const struct call *call);

int cmd_doctor_run(const struct call *call);
/* A list of checks, each with its fix. */
void cmd_doctor_print(FILE *out, const json_t *checks);

int cmd_overlay_test(const struct call *call);

int cmd_top_run(const struct call *call);

int cmd_completion_run(const struct call *call);

int cmd_stats_fdb(const struct call *call);
int cmd_stats_run(const struct call *call);
int cmd_stats_drops(const struct call *call);

int cmd_drops_run(const struct call *call);

int cmd_capture_run(const struct call *call);
int cmd_capture_list(const struct call *call);
int cmd_capture_end(const struct call *call);

int cmd_flight_list(const struct call *call);
int cmd_flight_get(const struct call *call);
int cmd_flight_save(const struct call *call);
int cmd_flight_del(const struct call *call);

int cmd_worker_list(const struct call *call);
int cmd_worker_queues(const struct call *call);
int cmd_worker_move(const struct call *call);

int cmd_replay_run(const struct call *call);

int cmd_test_run(const struct call *call);
/* Becomes weft-scenario, which compares two captures; returns if it cannot be started. */
void cmd_test_compare(const char *expected, const char *seen);

int cmd_watch_run(const struct call *call);

int cmd_trace_run(const struct call *call);
int cmd_trace_next(const struct call *call);
/* Lines, one for each. */
void cmd_trace_print(FILE *out, const json_t *steps);

int cmd_why_run(const struct call *call);

int cmd_where_run(const struct call *call);
