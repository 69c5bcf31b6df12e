/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines. Runs on weftd's thread. */
#include "control/overlay_verdict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/doctor.h"

#define NS_PER_US 1000
#define NAMED_MAX 4 /* ports that are told */
#define LOSS_FAIL_PERCENT 5

/* The small ones, counted. */
struct sums {
	unsigned int n, answered;
	unsigned int with, with_answered, with_unseen; /* outer checksum */
	unsigned int bare, bare_answered;
	unsigned int moved;			/* the peer saw another source port */
	uint64_t delays_ns[OVERLAY_TEST_SMALL]; /* sorted */
};

static int compare_delays(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void add_up(const struct overlay_test_result *result, struct sums *sums)
{
	*sums = (struct sums){.n = OVERLAY_TEST_SMALL};
	for (unsigned int i = 0; i < OVERLAY_TEST_SMALL; i++) {
		const struct overlay_test_probe *probe = &result->probes[i];
		bool is_answered = probe->delay_ns != 0;

		sums->with += probe->had_checksum;
		sums->bare += !probe->had_checksum;
		if (!is_answered)
			continue;
		sums->delays_ns[sums->answered++] = probe->delay_ns;
		sums->with_answered += probe->had_checksum;
		sums->bare_answered += !probe->had_checksum;
		sums->with_unseen += probe->had_checksum && !probe->seen_checksum;
		sums->moved += probe->seen_port != result->ports[i % OVERLAY_TEST_PORTS];
	}
	qsort(sums->delays_ns, sums->answered, sizeof(sums->delays_ns[0]), compare_delays);
}

static void say_silence(json_t *list, const struct overlay_test_result *result,
			const struct sums *sums)
{
	unsigned int port = result->spec.vxlan_port;

	if (result->error == -ECONNREFUSED) {
		doctor_say(list, "reach", DOCTOR_FAIL,
			   "no answer: that host is there, but nobody takes UDP port %u", port);
		doctor_fix(list, "there: weft uplink list; is its vxlan_port %u?", port);
	} else if (result->error != 0) {
		doctor_say(list, "reach", DOCTOR_FAIL, "this host cannot send: %s",
			   strerror(-result->error));
		doctor_fix(list, "look at ip route get, and at this host's firewall");
	} else {
		doctor_say(list, "reach", DOCTOR_FAIL,
			   "no answer to %u probes: the peer is no weft, does not have this host "
			   "as a peer, or UDP port %u is filtered",
			   sums->n, port);
		doctor_fix(list,
			   "there: weft port list, weft drops; on the way: pass UDP to port %u, "
			   "and answers from it to ports 49152 to 65535. A VTEP that is no weft "
			   "never answers, and may work",
			   port);
	}
}

static void say_loss(json_t *list, const struct sums *sums)
{
	unsigned int lost = sums->n - sums->answered;
	bool is_much = lost * 100 > sums->n * LOSS_FAIL_PERCENT;

	doctor_say(list, "loss",
		   lost == 0 ? DOCTOR_OK
		   : is_much ? DOCTOR_FAIL
			     : DOCTOR_WARN,
		   "%u of %u probes lost", lost, sums->n);
	if (lost != 0)
		doctor_fix(list, "again: if it stays, look at weft uplink list (LOST) there, and "
				 "at the links between");
}

static void say_delay(json_t *list, const struct sums *sums)
{
	unsigned int n = sums->answered;

	doctor_say(list, "delay", DOCTOR_OK,
		   "there and back: least %llu us, median %llu us, p99 %llu us",
		   (unsigned long long)(sums->delays_ns[0] / NS_PER_US),
		   (unsigned long long)(sums->delays_ns[n / 2] / NS_PER_US),
		   (unsigned long long)(sums->delays_ns[n * 99 / 100] / NS_PER_US));
}

/* A port of which nothing came back hints at one bad way of several: routers choose by port. */
static void say_entropy(json_t *list, const struct overlay_test_result *result,
			const struct sums *sums)
{
	char names[64] = "";
	unsigned int silent = 0;

	for (unsigned int i = 0; i < OVERLAY_TEST_PORTS; i++) {
		if (result->probes[i].delay_ns != 0 ||
		    result->probes[i + OVERLAY_TEST_PORTS].delay_ns != 0)
			continue;
		size_t len = strlen(names);

		if (silent++ < NAMED_MAX)
			snprintf(names + len, sizeof(names) - len, "%s%u", len != 0 ? ", " : "",
				 result->ports[i]);
	}
	if (silent != 0) {
		doctor_say(list, "entropy", DOCTOR_FAIL,
			   "%u of %u source ports lead nowhere (%s%s)", silent, OVERLAY_TEST_PORTS,
			   names, silent > NAMED_MAX ? " ..." : "");
		doctor_fix(list, "flows are spread by source port: one of several links or paths "
				 "is dead, or a filter knows ports");
	} else if (sums->moved != 0) {
		doctor_say(list, "entropy", DOCTOR_WARN,
			   "%u of %u probes came with another source port than they were sent from",
			   sums->moved, sums->answered);
		doctor_fix(list, "no NAT belongs between VTEPs: paths are chosen by source port");
	} else {
		doctor_say(list, "entropy", DOCTOR_OK, "all of %u source ports arrive as sent",
			   OVERLAY_TEST_PORTS);
	}
}

static void say_checksum(json_t *list, const struct sums *sums)
{
	if (sums->with_answered == 0 || (sums->bare != 0 && sums->bare_answered == 0)) {
		doctor_say(list, "checksum", DOCTOR_FAIL,
			   "packets %s outer UDP checksum do not arrive, others do",
			   sums->with_answered == 0 ? "with" : "without");
		doctor_fix(list, "weft uplink set NAME checksum=%s; see weft drops there",
			   sums->with_answered == 0 ? "off" : "on");
	} else if (sums->with_unseen != 0) {
		doctor_say(list, "checksum", DOCTOR_WARN,
			   "%u outer UDP checksums were taken off on the way", sums->with_unseen);
		doctor_fix(list, "a router or tunnel between rewrites UDP; look for it");
	} else {
		doctor_say(list, "checksum", DOCTOR_OK, "%u with outer checksum verified%s",
			   sums->with_answered,
			   sums->bare != 0 ? ", and as good without" : "; IPv6 has no others");
	}
}

static void say_mtu(json_t *list, const struct overlay_test_result *result)
{
	const struct overlay_test_spec *spec = &result->spec;
	uint32_t path = result->path_bytes, needed = spec->needed_bytes;

	if (path < needed) {
		doctor_say(list, "path-mtu", DOCTOR_FAIL,
			   "packets of %u bytes pass, not more: segments need %u", path, needed);
		doctor_fix(list,
			   "raise the MTU on the way to %u, or weft segment set NAME mtu=%u on all "
			   "hosts",
			   needed, path - spec->way.overhead_bytes);
	} else if (needed == 0) {
		doctor_say(list, "path-mtu", DOCTOR_OK, "packets of %u bytes pass", path);
	} else {
		doctor_say(list, "path-mtu", DOCTOR_OK,
			   "packets of %u bytes pass, segments need %u", path, needed);
	}
}

json_t *overlay_verdict(const struct overlay_test_result *result)
{
	json_t *list = json_array();
	struct sums sums;

	if (list == NULL)
		return NULL;
	add_up(result, &sums);
	if (sums.answered == 0) {
		say_silence(list, result, &sums);
		return list;
	}
	doctor_say(list, "reach", DOCTOR_OK, "%u of %u probes answered; they arrive with TTL %u",
		   sums.answered, sums.n, result->ttl);
	say_mtu(list, result);
	say_checksum(list, &sums);
	say_loss(list, &sums);
	say_delay(list, &sums);
	say_entropy(list, result, &sums);
	return list;
}
