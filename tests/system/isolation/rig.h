/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ports of the isolation test: each is driven from its far side, a vhost-user port by a
 * front-end of our own, a tap port by a packet socket in the tap's namespace. One thread.
 */
#pragma once

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/frontend.h"
#include "tests/system/host.h"

#define RIG_PORTS_MAX 16
#define RIG_SEGMENTS_MAX 8

enum rig_kind {
	RIG_VHOST,
	RIG_PLAIN,	/* vhost-user without offloads and mergeable buffers */
	RIG_TAP,
};

struct rig_port {
	char name[16];		/* of a tap: its device's too */
	char netns[DP_NAME_BYTES];
	enum rig_kind kind;
	unsigned int index;
	uint8_t segment;	/* index in rig.segments */
	uint8_t mac[6];		/* its own for good, wherever it moves */
	uint32_t slot;		/* in the counters */
	struct frontend *frontend;
	int fd;			/* packet socket, -1: none */
	unsigned char *received;
};

struct rig {
	const char *run_dir;
	struct host host;
	struct host_view view;
	struct rig_port ports[RIG_PORTS_MAX];
	unsigned int n_ports;
	char segments[RIG_SEGMENTS_MAX][DP_NAME_BYTES];
	unsigned int n_segments;
};

struct rig_frame {
	struct virtio_net_hdr header;
	const unsigned char *bytes;
	size_t n_bytes;
};

/* Adds a port from "NAME:SEGMENT:vhost", "NAME:SEGMENT:plain" or "NAME:SEGMENT:tap:NETNS". */
int rig_add(struct rig *rig, const char *words);

/* Opens the far side of a port that the host has; closes it. 0 or -errno, said on stderr. */
int rig_open_port(struct rig *rig, struct rig_port *port);
void rig_close_port(struct rig_port *port);

/* Reads what the host has: slots of the counters; the ports must be where the rig says. */
int rig_look(struct rig *rig);

/* 0, or -EAGAIN (no room), or -errno. */
int rig_send(struct rig_port *port, const struct rig_frame *frame);

/* Takes a frame if one waits; its bytes stay until the next call for this port. 0, -EAGAIN or
 * -errno. */
int rig_receive(struct rig_port *port, struct rig_frame *frame);
