/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lanes: what of a port passes through a channel, one way. On the way to the port (rx, as its
 * machine sees it) a lane holds the frames that the channel, or a full receiver, does not let pass
 * yet. On the way from it (tx) guests wait in their own ring, and a lane holds only what has no
 * ring that could hold it: frames of taps and uplinks, of a trunk whose segments have different
 * channels, of ports with queue=switch, and the pieces of a large TCP frame of a slow channel.
 *
 * Frames are held in an FQ-CoDel queue (fq.h), copied. Any worker may add under the lane's lock;
 * the worker whose frame made it not empty owns it, and takes out, until it is empty again.
 */
#pragma once
