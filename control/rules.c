/* SPDX-License-Identifier: BSD-3-Clause */
/* What must hold between the objects of a model. Pure. */
#include "control/rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/kinds.h"
#include "control/rules_channel.h"
#include "control/spec.h"
#include "control/taken.h"
#include "dataplane/api/kinds.h"
#include "dataplane/api/port_options.h"
#include "tap/link.h"
#include "tap/route.h"

struct check {
	const char *run_dir;
	struct taken taken; /* so far: "vni 100" -> "ALPHA" */
	struct problem *problem;
};

/* Notes that `owner` (of `kind`) has `what`, or refuses because another one has. What a change does
 * not touch comes first, so it is the newcomer that is refused. */
static int claim(struct check *check, const char *kind, const char *owner, const char *key,
		 const char *code, const char *what)
{
	const char *other = taken_owner(&check->taken, what);

	if (other == NULL) {
		if (taken_add(&check->taken, what, owner) < 0)
			return problem_system(check->problem, -ENOMEM, "checking");
		return 0;
	}
	int error =
		problem_set(check->problem, -EEXIST, 409, code,
			    "%s %s: %s is taken by %s %s; choose another one, or change that one "
			    "first",
			    kind, owner, what, kind, other);
	problem_at(check->problem, "%ss.%s.%s", kind, owner, key);
	return error;
}

static int check_segment(struct check *check, const struct model_segment *segment)
{
	char what[40];

	/* One that could not be read stands for its name alone. */
	if (segment->vni == 0)
		return 0;
	snprintf(what, sizeof(what), "vni %u", segment->vni);
	int error = claim(check, "segment", segment->name, "vni", "vni-taken", what);
	if (error < 0 || segment->vlan == 0)
		return error;
	snprintf(what, sizeof(what), "vlan %u", segment->vlan);
	return claim(check, "segment", segment->name, "vlan", "vlan-taken", what);
}

static int refuse_value(struct check *check, const struct model_port *port, const char *key,
			const char *text)
{
	int error = problem_set(check->problem, -EINVAL, 422, "value-invalid", "port %s: %s",
				port->name, text);

	problem_at(check->problem, "ports.%s.%s", port->name, key);
	return error;
}

static int refuse_ifname(struct check *check, const struct model_port *port)
{
	int error = problem_set(check->problem, -EINVAL, 422, "ifname-missing",
				"port %s: its name cannot be the name of a network device (at most "
				"15 characters); give it a shorter ifname",
				port->name);

	problem_at(check->problem, "ports.%s", port->name);
	return error;
}

static int check_tap(struct check *check, uint16_t carried_mtu, const struct model_port *port)
{
	const char *ifname = model_ifname(port);
	const char *netns = model_option_text(port, "netns");
	char what[160];

	if (!link_name_is_valid(ifname))
		return refuse_ifname(check, port);
	if (model_option_is(port, "attach", "on") && model_option_is(port, "persist", "on"))
		return refuse_value(check, port, "persist",
				    "persist is for devices that weft makes; leave it out with "
				    "attach=on");
	if (model_option_number(port, "mtu", carried_mtu) > carried_mtu)
		return refuse_value(check, port, "mtu",
				    "its mtu is larger than its segment's; raise that one first");
	snprintf(what, sizeof(what), "device %s in %s%s", ifname,
		 netns != NULL ? "namespace " : "the main namespace", netns != NULL ? netns : "");
	return claim(check, "port", port->name, "ifname", "ifname-taken", what);
}

/* The address in its one canonical spelling. */
static int claim_vtep(struct check *check, const struct model_port *port, const char *vtep)
{
	struct route_address address;
	char text[INET6_ADDRSTRLEN], what[80];

	if (route_parse_address(vtep, &address) < 0 ||
	    inet_ntop(address.family, address.bytes, text, sizeof(text)) == NULL)
		return 0;
	snprintf(what, sizeof(what), "vtep %s", text);
	return claim(check, "port", port->name, "vtep", "vtep-taken", what);
}

static int refuse_shared(struct check *check, const struct model_port *port, const char *other)
{
	int error = problem_set(check->problem, -EEXIST, 409, "ifname-taken",
				"port %s: interface %s is that of uplink %s; two uplinks share one "
				"only if each has a vtep of its own",
				port->name, model_ifname(port), other);

	problem_at(check->problem, "ports.%s.ifname", port->name);
	return error;
}

static int check_driver(struct check *check, const struct model_port *port)
{
	bool is_dpdk = model_option_is(port, "driver", "dpdk");
	const char *devargs = model_option_text(port, "devargs"), *ifname = model_ifname(port);
	char what[DP_TEXT_BYTES + 16];

	if (model_option_is(port, "driver", "af_packet"))
		return devargs == NULL ? 0
				       : refuse_value(check, port, "devargs",
						      "devargs is for driver=dpdk; leave it out");
	if (is_dpdk != (devargs != NULL))
		return refuse_value(check, port, "devargs",
				    is_dpdk ? "driver=dpdk needs devargs, as 0000:01:00.0"
					    : "devargs is for driver=dpdk; leave it out");
	if (port->segment[0] != '\0')
		return refuse_value(check, port, "driver",
				    "this driver leaves untagged frames to the kernel: use "
				    "af_packet, or give the segment a tag");
	snprintf(what, sizeof(what), "%s %s", is_dpdk ? "device" : "XDP program of",
		 is_dpdk ? devargs : ifname);
	return claim(check, "port", port->name, is_dpdk ? "devargs" : "driver", "ifname-taken",
		     what);
}

/* An interface is a trunk, or the underlay of any number of tunnel ends. */
static int check_uplink(struct check *check, const struct model_port *port)
{
	const char *vtep = model_option_text(port, "vtep");
	const char *ifname = model_ifname(port), *other;
	char trunk[64], underlay[64];

	if (!link_name_is_valid(ifname))
		return refuse_ifname(check, port);
	int error = check_driver(check, port);

	if (error < 0)
		return error;
	snprintf(trunk, sizeof(trunk), "trunk on interface %s", ifname);
	snprintf(underlay, sizeof(underlay), "underlay on interface %s", ifname);
	other = taken_owner(&check->taken, trunk);
	if (other == NULL && vtep == NULL)
		other = taken_owner(&check->taken, underlay);
	if (other != NULL)
		return refuse_shared(check, port, other);
	if (taken_add(&check->taken, vtep != NULL ? underlay : trunk, port->name) < 0)
		return problem_system(check->problem, -ENOMEM, "checking");
	return vtep != NULL ? claim_vtep(check, port, vtep) : 0;
}

/* A port has a socket even where it names none. */
static int check_socket(struct check *check, const struct model_port *port)
{
	const char *given = model_option_text(port, "socket");
	char path[DP_TEXT_BYTES];
	char what[DP_TEXT_BYTES + 8];

	if (port_kinds_option(port->kind, "socket") < 0)
		return 0;
	if (given != NULL)
		snprintf(path, sizeof(path), "%s", given);
	else
		snprintf(path, sizeof(path), "%s/vhost/%s.sock", check->run_dir, port->name);
	snprintf(what, sizeof(what), "socket %s", path);
	const char *other = taken_owner(&check->taken, what);
	if (other == NULL)
		return claim(check, "port", port->name, "socket", "socket-taken", what);
	int error = problem_set(check->problem, -EEXIST, 409, "socket-taken",
				"port %s: %s is the socket of port %s; choose another one",
				port->name, path, other);
	problem_at(check->problem, "ports.%s.socket", port->name);
	return error;
}

static int check_ip(struct check *check, const struct model_port *port, const char *ip)
{
	struct link_prefix prefix;
	char address[INET6_ADDRSTRLEN];
	char what[200];

	/* The address in its one canonical spelling, without the length of the prefix. */
	if (link_parse_prefix(ip, &prefix) < 0 ||
	    inet_ntop(prefix.family, prefix.address, address, sizeof(address)) == NULL)
		return 0;
	snprintf(what, sizeof(what), "address %s in segment %s", address, port->segment);
	return claim(check, "port", port->name, "ip", "ip-taken", what);
}

/* A static address is behind one port of a segment. */
static int check_macs(struct check *check, const struct model_port *port, const char *segment)
{
	const char *list = model_option_text(port, "macs");
	uint8_t macs[PORT_OPTIONS_MACS_MAX][6];
	int n = list != NULL && segment[0] != '\0' ? port_options_parse_macs(list, macs) : 0;
	char mac[SPEC_MAC_BYTES], what[200];
	int error = 0;

	for (int i = 0; i < n && error == 0; i++) {
		spec_format_mac(macs[i], mac);
		snprintf(what, sizeof(what), "static mac %s in segment %s", mac, segment);
		error = claim(check, "port", port->name, "macs", "mac-taken", what);
	}
	return error;
}

static int check_declared(const struct model *model, const struct model_port *port,
			  const char *name, const char *key, struct problem *problem)
{
	if (model_segment(model, name) != NULL)
		return 0;
	int error = problem_set(problem, -EINVAL, 422, "segment-unknown",
				"port %s: segment %s is not declared; add that segment, or correct "
				"the name",
				port->name, name);
	problem_at(problem, "ports.%s.%s", port->name, key);
	return error;
}

static int refuse_member(const struct model_port *port, const char *segment, const char *why,
			 struct problem *problem)
{
	int error = problem_set(problem, -EINVAL, 422, "trunk-invalid", "port %s: trunk: %s: %s",
				port->name, segment, why);

	problem_at(problem, "ports.%s.trunk", port->name);
	return error;
}

/* What parsing could not know: which segments there are, and what tags are theirs. */
static int check_trunk(const struct model *model, const struct model_port *port,
		       struct problem *problem)
{
	bool seen[MODEL_VLAN_MAX + 1] = {false};

	for (unsigned int i = 0; i < port->trunk->n_members; i++) {
		const struct trunk_member *member = &port->trunk->members[i];
		int error = check_declared(model, port, member->segment, "trunk", problem);

		if (error < 0)
			return error;
		if (port->kind->place == PORT_PLACE_VNI)
			continue;
		uint16_t vlan = member->vlan != 0 ? member->vlan
						  : model_segment(model, member->segment)->vlan;

		if (vlan == 0)
			return refuse_member(port, member->segment,
					     "the segment has no vlan of its own; write the tag",
					     problem);
		if (seen[vlan])
			return refuse_member(port, member->segment,
					     "its tag is taken by another segment of the trunk",
					     problem);
		seen[vlan] = true;
		if (strcmp(member->segment, port->segment) == 0)
			return refuse_member(port, member->segment,
					     "it is native already: tagged or untagged, not both",
					     problem);
	}
	return 0;
}

static int check_place(struct check *check, const struct model *model, const char *host,
		       const struct model_port *port)
{
	struct problem *problem = check->problem;
	const char *key = port->trunk != NULL ? "native" : "segment";
	int error = 0;

	if (port->segment[0] != '\0')
		error = check_declared(model, port, port->segment, key, problem);
	if (error == 0 && port->trunk != NULL)
		error = check_trunk(model, port, problem);
	if (error < 0 || port->host[0] == '\0' || strcmp(port->host, host) == 0)
		return error;
	error = problem_set(problem, -EINVAL, 422, "host-unknown",
			    "port %s: host %s is not this host (%s), and weft runs on one host; "
			    "leave host out",
			    port->name, port->host, host);
	problem_at(problem, "ports.%s.host", port->name);
	return error;
}

/* A peer is where its VTEP is; a VTEP is one host's. */
static int check_peer(struct check *check, const struct model_port *port)
{
	const char *vtep = model_option_text(port, "vtep");

	if (vtep == NULL) {
		int error = problem_set(check->problem, -EINVAL, 422, "key-missing",
					"peer %s: vtep is missing; give it the address that the "
					"host's tunnels end at, as 10.9.0.2",
					port->name);
		problem_at(check->problem, "ports.%s", port->name);
		return error;
	}
	return claim_vtep(check, port, vtep);
}

static int check_port(struct check *check, const struct model *model, const char *host,
		      const struct model_port *port)
{
	const char *ip = model_option_text(port, "ip");
	char mac[SPEC_MAC_BYTES];
	char what[160];
	int error = check_place(check, model, host, port);

	if (error < 0)
		return error;
	if (model_has_card(port)) {
		spec_format_mac(port->mac, mac);
		snprintf(what, sizeof(what), "mac %s", mac);
		error = claim(check, "port", port->name, "mac", "mac-taken", what);
	}
	if (error == 0)
		error = check_socket(check, port);
	if (error == 0 && port->kind == &kind_uplink)
		error = check_uplink(check, port);
	if (error == 0 && port->kind == &kind_tap)
		error = check_tap(check, model_port_mtu(model, port), port);
	if (error == 0 && ip != NULL)
		error = check_ip(check, port, ip);
	if (error == 0 && port->kind->place == PORT_PLACE_VNI)
		error = check_peer(check, port);
	if (error == 0)
		error = check_macs(check, port, port->segment);
	for (unsigned int i = 0; port->trunk != NULL && i < port->trunk->n_members; i++) {
		if (error == 0)
			error = check_macs(check, port, port->trunk->members[i].segment);
	}
	return error;
}

/* Too many may come one by one. A model that has had more may lose them so. */
static int check_counts(const struct model *model, const struct model *former,
			struct problem *problem)
{
	for (enum model_kind kind = 0; kind < MODEL_KINDS; kind++) {
		size_t n = model->lists[kind].n, max = kinds[kind].max;

		if (max == 0 || n <= max || n <= former->lists[kind].n)
			continue;
		problem_set(problem, -EINVAL, 422, "objects-many",
			    "there would be %zu %s, and %zu is the most; delete some first", n,
			    kinds[kind].plural, max);
		problem_at(problem, "%s", kinds[kind].plural);
		return -EINVAL;
	}
	return 0;
}

int rules_check(const struct model *model, const struct model *former, const char *host,
		const char *run_dir, struct problem *problem)
{
	struct check check = {.run_dir = run_dir, .problem = problem};
	int error = check_counts(model, former, problem);

	/* What a change declares has no id yet (plan.h): the rest was there before. */
	for (int is_new = 0; is_new < 2; is_new++) {
		for (size_t i = 0; i < model->n_segments && error == 0; i++) {
			if ((model->segments[i]->id == 0) == is_new)
				error = check_segment(&check, model->segments[i]);
			if (error < 0)
				error = problem_collect(problem, error);
		}
		for (size_t i = 0; i < model->n_ports && error == 0; i++) {
			if ((model->ports[i]->id == 0) == is_new)
				error = check_port(&check, model, host, model->ports[i]);
			if (error < 0)
				error = problem_collect(problem, error);
		}
	}
	taken_fini(&check.taken);
	if (error == 0)
		error = rules_channel_check(model, former, problem);
	return error < 0 ? error : problem_collected(problem);
}
