/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules of isolated segments, stated once more. See model.h. One thread. */
#include "tests/system/isolation/model.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/deadline.h"
#include "tests/system/isolation/plain.h"

#define LEARN_MS 2000

static struct model_address *find(struct model *model, unsigned int segment, const uint8_t *mac)
{
	for (unsigned int i = 0; i < model->n; i++) {
		struct model_address *address = &model->addresses[i];

		if (address->segment == segment && memcmp(address->mac, mac, 6) == 0)
			return address;
	}
	return NULL;
}

static bool learn(struct model *model, unsigned int segment, unsigned int port, const uint8_t *mac)
{
	struct model_address *address = find(model, segment, mac);

	if (address != NULL && address->port == port)
		return false;
	if (address == NULL)
		address = &model->addresses[model->n++];
	address->segment = (uint8_t)segment;
	address->port = (uint8_t)port;
	memcpy(address->mac, mac, 6);
	return true;
}

bool model_is_priority_tagged(const struct rig_frame *frame)
{
	const unsigned char *bytes = frame->bytes;

	if (frame->n_bytes < 18 || bytes[12] != 0x81 || bytes[13] != 0 || (bytes[14] & 0x0f) != 0 ||
	    bytes[15] != 0)
		return false;
	switch (bytes[16] << 8 | bytes[17]) {
	case 0x8100:
	case 0x88a8:
	case 0x9100:
		return false;
	}
	return true;
}

/* Why the port does not even let it in. */
static enum drop_reason refusal(const struct rig_port *from, const struct rig_frame *frame)
{
	static const uint8_t zero[6], reserved[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};
	const unsigned char *bytes = frame->bytes;

	if (from->kind == RIG_PLAIN && plain_is_needed(frame))
		return DROP_BAD_OFFLOAD;
	if (frame->n_bytes < 14)
		return DROP_RUNT;
	if ((bytes[6] & 1) != 0 || memcmp(bytes + 6, zero, 6) == 0)
		return DROP_BAD_SOURCE;
	switch (bytes[12] << 8 | bytes[13]) {
	case 0x8100:
		if (model_is_priority_tagged(frame))
			break;
		return DROP_TAGGED;
	case 0x88a8:
	case 0x9100:
		return DROP_TAGGED;
	}
	return memcmp(bytes, reserved, 5) == 0 && bytes[5] < 16 ? DROP_LINK_LOCAL : DROP_NONE;
}

static void deliver(struct model_outcome *outcome, const struct rig_port *to)
{
	outcome->receivers |= 1U << to->index;
	outcome->n_instances++;
}

static void flood(struct model_outcome *outcome, const struct rig *rig, const struct rig_port *from)
{
	for (unsigned int i = 0; i < rig->n_ports; i++) {
		const struct rig_port *to = &rig->ports[i];

		if (to != from && to->segment == from->segment)
			deliver(outcome, to);
	}
}

struct model_outcome model_send(struct model *model, const struct rig *rig,
				const struct rig_port *from, const struct rig_frame *frame)
{
	struct model_outcome outcome = {0};
	enum drop_reason reason = refusal(from, frame);
	const struct model_address *known = NULL;

	if (reason == DROP_NONE) {
		outcome.learns = learn(model, from->segment, from->index, frame->bytes + 6);
		if ((frame->bytes[0] & 1) == 0)
			known = find(model, from->segment, frame->bytes);
		if (known == NULL)
			flood(&outcome, rig, from);
		else if (known->port == from->index)
			reason = DROP_SAME_PORT;
		else
			deliver(&outcome, &rig->ports[known->port]);
		if (known == NULL && outcome.n_instances == 0)
			reason = DROP_NO_RECEIVER;
	}
	if (reason != DROP_NONE) {
		outcome.drops[from->index] = reason;
		outcome.n_instances = 1;
	}
	return outcome;
}

/* ---- against the host ---- */

static int translate(const struct rig *rig, const struct dp_fdb_entry *entry,
		     struct model_address *address)
{
	const struct host_view *view = &rig->view;

	memcpy(address->mac, entry->mac, 6);
	address->port = address->segment = UINT8_MAX;
	for (unsigned int i = 0; i < view->n_ports; i++) {
		for (unsigned int k = 0; k < rig->n_ports; k++) {
			if (view->ports[i].id == entry->port_id &&
			    strcmp(view->ports[i].name, rig->ports[k].name) == 0)
				address->port = (uint8_t)k;
		}
	}
	for (unsigned int i = 0; i < view->n_segments; i++) {
		for (unsigned int k = 0; k < rig->n_segments; k++) {
			if (view->segments[i].id == entry->segment_id &&
			    strcmp(view->segments[i].name, rig->segments[k]) == 0)
				address->segment = (uint8_t)k;
		}
	}
	if (address->port == UINT8_MAX || rig->ports[address->port].segment != address->segment)
		return -EUCLEAN;
	return 0;
}

static int read_host(struct rig *rig, struct model *model)
{
	struct host_fdb fdb;
	int err = host_read_fdb(&rig->host, &fdb);

	model->n = fdb.n;
	for (unsigned int i = 0; i < fdb.n && err == 0; i++)
		err = translate(rig, &fdb.entries[i], &model->addresses[i]);
	return err;
}

static bool are_equal(struct model *a, const struct model *b)
{
	for (unsigned int i = 0; i < b->n; i++) {
		const struct model_address *there = &b->addresses[i];
		const struct model_address *here = find(a, there->segment, there->mac);

		if (here == NULL || here->port != there->port)
			return false;
	}
	return a->n == b->n;
}

int model_load(struct model *model, struct rig *rig)
{
	int err = read_host(rig, model);

	if (err < 0)
		fprintf(stderr, "the host has learned an address in a segment that its port is "
				"not in\n");
	return err;
}

int model_wait(const struct model *model, struct rig *rig)
{
	uint64_t deadline_ns = deadline_in_ms(LEARN_MS);
	struct model seen;

	do {
		int err = read_host(rig, &seen);

		if (err == 0 && are_equal(&seen, model))
			return 0;
		poll(NULL, 0, 1);
	} while (!deadline_passed(deadline_ns));
	fprintf(stderr, "the host has learned %u addresses, not just the %u that it should\n",
		seen.n, model->n);
	return -EUCLEAN;
}
