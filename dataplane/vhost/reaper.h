/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closes descriptors that a front-end sent. close() of somebody else's descriptor can wait: a TCP
 * socket lingers, a file on FUSE asks its server, a Unix socket drops what was sent over it. What
 * is known not to wait (eventfds, shared memory) is closed at once; anything else by a thread of
 * its own, which may wait as long as it likes. Main thread.
 */
#pragma once

void reaper_close(int fd);
