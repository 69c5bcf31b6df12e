/* SPDX-License-Identifier: BSD-3-Clause */
/* weftd from its socket to the dataplane: what its API promises. */
#include "tests/unit/control/rig.h"

#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/fastpath.h"
#include "tests/lib/deadline.h"

static void a_lab_becomes_ports_in_the_dataplane(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_count_changes(rig, "POST", "/v1/apply", rig_lab), 5);
	rig_assert_link(rig, "web0", "down");
	rig_assert_link(rig, "c1", "up");
	assert_int_not_equal(if_nametoindex("c1"), 0);
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/diff", rig_lab), 0);
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/apply", rig_lab), 0);
}

static void a_dry_run_changes_nothing(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_count_changes(rig, "POST", "/v1/apply?dry_run=1", rig_lab), 5);
	assert_int_equal(rig->control->model->n_ports, 0);
	assert_int_equal(if_nametoindex("c1"), 0);
	rig_call_only(rig, "PUT", "/v1/segments/A?dry_run=1", "{\"vni\": 1}", 200);
	rig_call_only(rig, "GET", "/v1/segments/A", "", 404);
}

static void a_port_that_the_host_refuses_leaves_everything_as_it_was(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	rig_assert_problem(
		rig, "POST", "/v1/apply",
		"{\"segments\": {\"A\": {\"vni\": 101}}, \"ports\": {\"c1\": {\"type\": \"tap\","
		" \"segment\": \"B\", \"ip\": \"10.9.0.7/24\"}, \"n1\": {\"type\": \"tap\","
		" \"segment\": \"A\"}, \"n2\": {\"type\": \"tap\", \"segment\": \"A\","
		" \"netns\": \"weft-no-such-namespace\"}}}",
		422, "host-refused", "port n2: network namespace weft-no-such-namespace");
	assert_int_equal(if_nametoindex("n1"), 0);
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/diff", rig_lab), 0);
	rig_assert_link(rig, "c1", "up");
	/* The dataplane has the old world too, so the next change is only its own. */
	assert_int_equal(rig_count_changes(rig, "PUT", "/v1/segments/C", "{\"vni\": 7}"), 1);
}

static void without_a_dataplane_nothing_is_changed(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	rig_stop_dataplane(rig);
	rig_await_connected(rig, false);
	rig_assert_problem(rig, "DELETE", "/v1/ports/c1", "", 503, "dataplane-unreachable",
			   "nothing was changed");
	rig_assert_problem(rig, "GET", "/v1/stats", "", 503, "dataplane-unreachable",
			   "/run/dataplane.sock; see");
	rig_assert_problem(rig, "GET", "/v1/fdb", "", 503, "dataplane-unreachable",
			   "/run/dataplane.sock; see");
	rig_assert_link(rig, "c1", "down");
	assert_int_equal(rig_count_changes(rig, "DELETE", "/v1/ports/c1?dry_run=1", ""), 1);
	rig_start_dataplane(rig);
	rig_await_connected(rig, true);
	rig_assert_link(rig, "c1", "up");
	assert_int_equal(rig->control->model->n_ports, 3);
}

/* How long a request takes that weftd answers with `status`: who waits for a dataplane takes
 * 2,000 ms. */
static uint64_t ms_of(struct rig *rig, const char *method, const char *path, int status)
{
	uint64_t start_ns = deadline_now_ns();

	rig_call_only(rig, method, path, "", status);
	return (deadline_now_ns() - start_ns) / 1000000;
}

static void a_dataplane_that_hangs_holds_up_no_reader(void **state)
{
	static const char *const paths[] = {"/v1/status", "/v1/ports",	"/v1/stats",
					    "/metrics",	  "/v1/export", "/v1/ports/c1"};
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	rig_assert_link(rig, "c1", "up");
	kill(rig->dataplane, SIGSTOP);
	/* The first one waits for an answer, and finds that there is none. */
	json_t *status = rig_call(rig, "GET", "/v1/status", "", 200);
	json_t *dataplane = json_object_get(status, "dataplane");
	assert_true(json_is_false(json_object_get(dataplane, "connected")));
	assert_non_null(strstr(json_string_value(json_object_get(dataplane, "problem")),
			       "has not answered for 2 s"));
	json_decref(status);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_in_range(ms_of(rig, "GET", paths[i], 200), 0, 1500);
	/* What was known is still shown; what only the dataplane can do is refused at once. */
	rig_assert_link(rig, "c1", "up");
	assert_in_range(ms_of(rig, "GET", "/v1/fdb", 503), 0, 1500);
	assert_in_range(ms_of(rig, "DELETE", "/v1/ports/c1", 503), 0, 1500);
	kill(rig->dataplane, SIGCONT);
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);
	while (fastpath_silence_ms(rig->control->fastpath) > 0) {
		assert_int_equal(control_turn(rig->control), 0);
		assert_false(deadline_passed(deadline));
	}
	rig_call_only(rig, "DELETE", "/v1/ports/c1", "", 200);
}

static void a_dataplane_that_hangs_does_not_hold_up_the_start(void **state)
{
	struct rig *rig = *state;

	control_destroy(rig->control);
	kill(rig->dataplane, SIGSTOP);
	rig_start_control(rig);
	for (int i = 0; i < 5; i++)
		assert_in_range(ms_of(rig, "GET", "/v1/status", 200), 0, 1500);
	kill(rig->dataplane, SIGCONT);
	rig_await_connected(rig, true);
}

static void a_restart_of_weftd_finds_the_same_devices(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	unsigned int index = if_nametoindex("c1");
	control_destroy(rig->control);
	assert_int_equal(if_nametoindex("c1"), index);
	rig_start_control(rig);
	rig_await_connected(rig, true);
	assert_int_equal(if_nametoindex("c1"), index);
	rig_assert_link(rig, "c1", "up");
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/diff", rig_lab), 0);
	rig_call_only(rig, "DELETE", "/v1/ports/c1", "", 200);
	assert_int_equal(if_nametoindex("c1"), 0);
}

static void a_restart_of_the_dataplane_keeps_the_devices(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	unsigned int index = if_nametoindex("c1");
	rig_stop_dataplane(rig);
	rig_await_connected(rig, false);
	assert_int_equal(if_nametoindex("c1"), index);
	rig_start_dataplane(rig);
	rig_await_connected(rig, true);
	rig_assert_link(rig, "c1", "up");
	rig_assert_link(rig, "web0", "down");
	assert_int_equal(if_nametoindex("c1"), index);
}

static void what_cannot_be_made_again_is_broken_and_the_rest_comes_up(void **state)
{
	struct rig *rig = *state;
	json_t *json;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	control_destroy(rig->control);
	rig_stop_dataplane(rig);
	/* Nobody holds c1 now; a stranger takes its name. */
	assert_int_equal(system("ip tuntap add c1 mode tap"), 0);
	rig_start_dataplane(rig);
	rig_start_control(rig);
	rig_await_connected(rig, true);
	assert_string_equal(rig_link_of(rig, "c1", &json), "broken");
	assert_non_null(strstr(
		json_string_value(json_object_get(json_object_get(json, "status"), "reason")),
		"exists already"));
	json_decref(json);
	rig_assert_link(rig, "c2", "up");
	/* A change elsewhere is not held up; when the name is free, the port comes by itself. */
	rig_call_only(rig, "PUT", "/v1/segments/C", "{\"vni\": 7}", 200);
	assert_int_equal(system("ip link del c1"), 0);
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);
	while (strcmp(rig_link_of(rig, "c1", &json), "up") != 0) {
		json_decref(json);
		assert_false(deadline_passed(deadline));
	}
	json_decref(json);
}

static void a_device_that_vanished_is_made_anew(void **state)
{
	struct rig *rig = *state;
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	unsigned int index = if_nametoindex("c1");
	assert_int_equal(system("ip link del c1"), 0);
	while (if_nametoindex("c1") == 0) {
		assert_int_equal(control_turn(rig->control), 0);
		assert_false(deadline_passed(deadline));
	}
	assert_int_not_equal(if_nametoindex("c1"), index);
	rig_assert_link(rig, "c1", "up");
}

static void objects_are_put_changed_and_deleted_one_by_one(void **state)
{
	struct rig *rig = *state;
	json_t *json;

	rig_call_only(rig, "PUT", "/v1/segments/A", "{\"vni\": 5, \"vlan\": 50}", 200);
	rig_call_only(rig, "PUT", "/v1/ports/p", "{\"type\": \"tap\", \"segment\": \"A\"}", 200);
	rig_assert_problem(rig, "DELETE", "/v1/segments/A", "", 409, "segment-in-use",
			   "is used by port p; delete or move");
	json = rig_call(rig, "GET", "/v1/ports/p", "", 200);
	/* What GET says can be put as it is. */
	char *text = json_dumps(json, 0);
	assert_int_equal(rig_count_changes(rig, "PUT", "/v1/ports/p", text), 0);
	free(text);
	json_decref(json);
	assert_int_equal(
		rig_count_changes(rig, "PUT", "/v1/ports/p",
				  "{\"type\": \"tap\", \"segment\": \"A\", \"vm\": \"x\"}"),
		1);
	rig_call_only(rig, "DELETE", "/v1/ports/p", "", 200);
	rig_call_only(rig, "DELETE", "/v1/segments/A", "", 200);
	json = rig_call(rig, "GET", "/v1/export", "", 200);
	assert_int_equal(json_object_size(json_object_get(json, "segments")), 0);
	json_decref(json);
}

static void bad_requests_get_their_own_codes(void **state)
{
	struct rig *rig = *state;
	int status;

	rig_assert_problem(rig, "GET", "/v1/nothing", "", 404, "path-unknown", "/v1/nothing");
	rig_assert_problem(rig, "GET", "/v1/ports/", "", 404, "path-unknown", "");
	rig_assert_problem(rig, "POST", "/v1/ports", "{}", 405, "method-not-allowed",
			   "POST is not possible on /v1/ports; use GET");
	rig_assert_problem(rig, "POST", "/v1/segments/x", "{}", 405, "method-not-allowed",
			   "use GET, PUT, DELETE");
	rig_assert_problem(rig, "GET", "/v1/ports/x", "", 404, "port-unknown", "x");
	rig_assert_problem(rig, "DELETE", "/v1/segments/x", "", 404, "segment-unknown", "x");
	rig_assert_problem(rig, "PUT", "/v1/segments/x", "{", 400, "json-invalid", "line 1");
	rig_assert_problem(rig, "PUT", "/v1/segments/x", "", 422, "key-missing", "vni");
	rig_assert_problem(rig, "PUT", "/v1/segments/x", "[]", 422, "value-invalid", "keys");
	rig_assert_problem(rig, "PUT", "/v1/segments/x%2f%01", "{\"vni\": 1}", 404, "path-unknown",
			   "?");
	rig_assert_problem(rig, "POST", "/v1/apply", "", 400, "json-invalid", "");
	json_t *json = rig_call_as(rig, "PUT", "/v1/segments/x", "Content-Type: text/yaml\r\n",
				   "vni: 1", &status);
	assert_int_equal(status, 415);
	json_decref(json);
}

static void a_misspelt_query_is_not_carried_out(void **state)
{
	struct rig *rig = *state;

	rig_assert_problem(rig, "POST", "/v1/apply?dry-run=1", rig_lab, 400, "query-unknown",
			   "takes dry_run, prune");
	rig_assert_problem(rig, "POST", "/v1/apply?dry", rig_lab, 400, "query-unknown", "'dry'");
	rig_assert_problem(rig, "GET", "/v1/status?x=", "", 400, "query-unknown", "takes none");
	/* Without a value it means yes. */
	assert_int_equal(rig_count_changes(rig, "POST", "/v1/apply?dry_run", rig_lab), 5);
	assert_int_equal(rig->control->model->n_ports, 0);
}

static void a_body_beyond_the_limit_is_refused(void **state)
{
	struct rig *rig = *state;
	size_t bytes = 9u << 20;
	char *body = malloc(bytes + 1);

	memset(body, ' ', bytes);
	body[bytes] = '\0';
	rig_assert_problem(rig, "POST", "/v1/apply", body, 413, "body-too-large", "8 MiB");
	free(body);
}

static void if_match_refuses_what_was_read_too_long_ago(void **state)
{
	struct rig *rig = *state;
	char header[64];
	int status;

	rig_call_only(rig, "PUT", "/v1/segments/A", "{\"vni\": 1}", 200);
	json_t *json = rig_call(rig, "GET", "/v1/status", "", 200);
	snprintf(header, sizeof(header), "If-Match: \"%s\"\r\n",
		 json_string_value(json_object_get(json, "revision")));
	json_decref(json);
	json_decref(rig_call_as(rig, "PUT", "/v1/segments/B", header, "{\"vni\": 2}", &status));
	assert_int_equal(status, 200);
	json_decref(rig_call_as(rig, "PUT", "/v1/segments/B", header, "{\"vni\": 3}", &status));
	assert_int_equal(status, 412);
}

static void labs_travel_as_yaml_too(void **state)
{
	struct rig *rig = *state;
	int status;
	json_t *json = rig_call_as(
		rig, "POST", "/v1/apply", "Content-Type: application/yaml\r\n",
		"segments:\n  A: {vni: 1}\nports:\n  v: {type: vhost-user, segment: A}\n", &status);

	assert_int_equal(status, 200);
	json_decref(json);
	json = rig_call_as(rig, "GET", "/v1/export", "Accept: application/yaml\r\n", "", &status);
	assert_string_equal(json_string_value(json), "segments:\n  A: {vni: 1}\nports:\n"
						     "  v: {type: vhost-user, segment: A}\n");
	json_decref(json);
}

static void guests_are_told_how_to_plug_in(void **state)
{
	struct rig *rig = *state;
	char expected[256];

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	json_t *json = rig_call(rig, "GET", "/v1/ports/web0/qemu-args?memory=256M&tcg=1", "", 200);
	char *text = json_dumps(json, 0);
	snprintf(expected, sizeof(expected), "path=%s/vhost/web0.sock,reconnect=1",
		 rig->control->run_dir);
	assert_non_null(strstr(text, expected));
	assert_non_null(strstr(text, "memory-backend-memfd,id=weft-mem,share=on,size=256M"));
	assert_non_null(strstr(text, "host_mtu=1500"));
	assert_non_null(strstr(text, "vectors=0"));
	free(text);
	json_decref(json);
	json = rig_call(rig, "GET", "/v1/ports/web0/qemu-args?nic_only=1", "", 200);
	text = json_dumps(json, 0);
	assert_null(strstr(text, "memory-backend"));
	assert_null(strstr(text, "vectors"));
	assert_null(strstr(text, "queues="));
	free(text);
	json_decref(json);
	json = rig_call(rig, "GET", "/v1/ports/web0/libvirt-xml", "", 200);
	const char *xml = json_string_value(json_object_get(json, "xml"));
	assert_non_null(strstr(xml, "<interface type='vhostuser'>"));
	assert_non_null(strstr(xml, "<alias name='ua-weft-web0'/>"));
	assert_non_null(strstr(xml, "<qemu:device alias='ua-weft-web0'>"));
	assert_non_null(strstr(xml, "name='host_mtu' type='unsigned' value='1500'/>"));
	assert_null(strstr(xml, "<mtu"));
	assert_null(strstr(xml, "vectors"));
	json_decref(json);
	json = rig_call(rig, "GET", "/v1/ports/web0/libvirt-xml?tcg=1", "", 200);
	assert_non_null(strstr(json_string_value(json_object_get(json, "xml")),
			       "name='vectors' type='unsigned' value='0'/>"));
	json_decref(json);
	rig_call_only(rig, "PUT", "/v1/ports/web0",
		      "{\"type\": \"vhost-user\", \"segment\": \"A\", \"mode\": \"client\"}", 200);
	json = rig_call(rig, "GET", "/v1/ports/web0/qemu-args?nic_only=1", "", 200);
	text = json_dumps(json, 0);
	assert_non_null(strstr(text, "/vhost/web0.sock,server=on,wait=off"));
	assert_null(strstr(text, "reconnect"));
	free(text);
	json_decref(json);
	json = rig_call(rig, "GET", "/v1/ports/web0/libvirt-xml", "", 200);
	xml = json_string_value(json_object_get(json, "xml"));
	assert_non_null(strstr(xml, "/vhost/web0.sock' mode='server'/>"));
	assert_null(strstr(xml, "reconnect"));
	json_decref(json);
	rig_assert_problem(rig, "GET", "/v1/ports/c1/qemu-args", "", 409, "not-for-this-type",
			   "tap");
	rig_assert_problem(rig, "GET", "/v1/ports/web0/qemu-args?memory=1,x", "", 422,
			   "value-invalid", "256M");
}

static void a_guest_with_several_queues_is_told_how_many(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply",
		      "{\"segments\": {\"A\": {\"vni\": 1}}, \"ports\": {\"v\": {\"type\": "
		      "\"vhost-user\", \"segment\": \"A\", \"queues\": 4}}}",
		      200);
	json_t *json = rig_call(rig, "GET", "/v1/ports/v/qemu-args", "", 200);
	char *text = json_dumps(json, 0);
	assert_non_null(strstr(text, "chardev=weft-chr-v,queues=4\""));
	assert_non_null(strstr(text, ",mq=on,vectors=10\""));
	free(text);
	json_decref(json);
	json = rig_call(rig, "GET", "/v1/ports/v/qemu-args?tcg=1", "", 200);
	text = json_dumps(json, 0);
	assert_non_null(strstr(text, ",mq=on,vectors=0\""));
	free(text);
	json_decref(json);
	json = rig_call(rig, "GET", "/v1/ports/v/libvirt-xml", "", 200);
	assert_non_null(strstr(json_string_value(json_object_get(json, "xml")),
			       "<driver queues='4' rx_queue_size="));
	json_decref(json);
}

static void counters_and_tables_have_every_port(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	json_t *json = rig_call(rig, "GET", "/v1/stats", "", 200);
	assert_int_equal(json_array_size(json_object_get(json, "ports")), 3);
	assert_int_equal(json_array_size(json_object_get(json, "workers")), 1);
	assert_true(json_is_object(json_object_get(json, "retired")));
	assert_true(json_is_integer(json_object_get(json, "memory_bytes")));
	json_decref(json);
	json = rig_call(rig, "GET", "/v1/stats?port=c1", "", 200);
	assert_int_equal(json_array_size(json_object_get(json, "ports")), 1);
	json_decref(json);
	rig_call_only(rig, "GET", "/v1/stats?port=no", "", 404);
	rig_call_only(rig, "GET", "/v1/drops", "", 200);
	rig_call_only(rig, "GET", "/v1/fdb?segment=B&port=c1", "", 200);
	rig_call_only(rig, "GET", "/v1/fdb?segment=no", "", 404);
	json = rig_call(rig, "GET", "/v1/port-types", "", 200);
	assert_int_equal(json_array_size(json_object_get(json, "types")), 4);
	json_decref(json);
}

static void queues_are_told_and_moved(void **state)
{
	struct rig *rig = *state;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	json_t *json = rig_call(rig, "GET", "/v1/workers", "", 200);
	assert_int_equal(json_array_size(json_object_get(json, "workers")), 1);
	/* Of both taps; no guest is there. */
	assert_int_equal(json_array_size(json_object_get(json, "queues")), 2);
	json_decref(json);
	rig_call_only(rig, "POST", "/v1/workers/move",
		      "{\"port\": \"c1\", \"queue\": 0, \"worker\": 0}", 200);
	json = rig_call(rig, "GET", "/v1/workers", "", 200);
	json_t *queue = json_array_get(json_object_get(json, "queues"), 0);
	assert_true(json_is_true(json_object_get(queue, "pinned")));
	json_decref(json);
	static const struct {
		const char *move;
		int status;
		const char *code, *words;
	} bad[] = {
		{"{\"port\": \"c1\", \"queue\": 0, \"worker\": 7}", 422, "host-refused",
		 "there is no worker 7: use 0 to 0"},
		{"{\"port\": \"c1\", \"queue\": 3, \"worker\": 0}", 422, "host-refused",
		 "queue 3 of the port is not polled"},
		{"{\"port\": \"no\", \"queue\": 0, \"worker\": 0}", 404, "port-unknown", "no"},
		{"{\"port\": \"c1\", \"queue\": -1, \"worker\": 0}", 422, "value-invalid",
		 "queue: give a number"},
		{"{\"port\": \"c1\", \"queue\": 0, \"worker\": \"x\"}", 422, "value-invalid",
		 "\"auto\""},
		{"{\"port\": \"c1\", \"queue\": 0}", 422, "value-invalid", "worker"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		rig_assert_problem(rig, "POST", "/v1/workers/move", bad[i].move, bad[i].status,
				   bad[i].code, bad[i].words);
}

static void prometheus_reads_every_port(void **state)
{
	struct rig *rig = *state;
	int status;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	json_t *json = rig_call_as(rig, "GET", "/metrics", "", "", &status);
	const char *text = json_string_value(json);
	assert_int_equal(status, 200);
	assert_non_null(strstr(text, "\nweft_dataplane_up 1\n"));
	assert_non_null(strstr(text, "\nweft_port_up{port=\"c1\",segment=\"B\",vm=\"\"} 1\n"));
	assert_non_null(strstr(text, "\nweft_segment_ports{segment=\"B\",vni=\"200\"} 2\n"));
	assert_non_null(strstr(text, "\nweft_port_tx_bytes_total{port=\"web0\","));
	json_decref(json);
	rig_stop_dataplane(rig);
	rig_await_connected(rig, false);
	json = rig_call_as(rig, "GET", "/metrics", "", "", &status);
	text = json_string_value(json);
	assert_int_equal(status, 200);
	assert_non_null(strstr(text, "\nweft_dataplane_up 0\n"));
	assert_null(strstr(text, "bytes_total"));
	json_decref(json);
	rig_start_dataplane(rig);
	rig_await_connected(rig, true);
}

static void a_second_weftd_is_refused(void **state)
{
	struct rig *rig = *state;
	struct control *second;
	char why[512];
	char other[96];

	struct control_options options = {
		.run_dir = rig->run_dir, .state_dir = rig->state_dir, .history = 1};
	assert_true(control_create(&options, &second, why, sizeof(why)) < 0);
	assert_non_null(strstr(why, "another weftd uses"));
	snprintf(other, sizeof(other), "%s/x", rig->dir);
	options.state_dir = other;
	assert_true(control_create(&options, &second, why, sizeof(why)) < 0);
	assert_non_null(strstr(why, "another weftd answers"));
	rig_call_only(rig, "GET", "/v1/status", "", 200);
}

static void the_socket_is_for_the_group_and_the_state_for_root(void **state)
{
	struct rig *rig = *state;
	char path[128];
	struct stat stat_;

	snprintf(path, sizeof(path), "%s/weftd.sock", rig->run_dir);
	assert_int_equal(stat(path, &stat_), 0);
	assert_int_equal(stat_.st_mode & 0777, 0660);
	assert_int_equal(stat(rig->state_dir, &stat_), 0);
	assert_int_equal(stat_.st_mode & 0777, 0700);
}

int main(int argc, char **argv)
{
	struct rig rig = {0};
	const struct CMUnitTest tests[] = {
		RIG_TEST(a_lab_becomes_ports_in_the_dataplane, &rig),
		RIG_TEST(a_dry_run_changes_nothing, &rig),
		RIG_TEST(a_port_that_the_host_refuses_leaves_everything_as_it_was, &rig),
		RIG_TEST(without_a_dataplane_nothing_is_changed, &rig),
		RIG_TEST(a_dataplane_that_hangs_holds_up_no_reader, &rig),
		RIG_TEST(a_dataplane_that_hangs_does_not_hold_up_the_start, &rig),
		RIG_TEST(a_restart_of_weftd_finds_the_same_devices, &rig),
		RIG_TEST(a_restart_of_the_dataplane_keeps_the_devices, &rig),
		RIG_TEST(what_cannot_be_made_again_is_broken_and_the_rest_comes_up, &rig),
		RIG_TEST(a_device_that_vanished_is_made_anew, &rig),
		RIG_TEST(objects_are_put_changed_and_deleted_one_by_one, &rig),
		RIG_TEST(bad_requests_get_their_own_codes, &rig),
		RIG_TEST(a_misspelt_query_is_not_carried_out, &rig),
		RIG_TEST(a_body_beyond_the_limit_is_refused, &rig),
		RIG_TEST(if_match_refuses_what_was_read_too_long_ago, &rig),
		RIG_TEST(labs_travel_as_yaml_too, &rig),
		RIG_TEST(guests_are_told_how_to_plug_in, &rig),
		RIG_TEST(a_guest_with_several_queues_is_told_how_many, &rig),
		RIG_TEST(counters_and_tables_have_every_port, &rig),
		RIG_TEST(queues_are_told_and_moved, &rig),
		RIG_TEST(prometheus_reads_every_port, &rig),
		RIG_TEST(a_second_weftd_is_refused, &rig),
		RIG_TEST(the_socket_is_for_the_group_and_the_state_for_root, &rig),
	};

	return rig_run(&rig, argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
