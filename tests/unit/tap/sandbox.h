/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A private corner of the machine for tests that make network devices: own network and mount
 * namespaces with an own /run, so that named namespaces and devices go with the process, however it
 * ends. Single-threaded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* cmocka group setup: enters the sandbox if this process may. Always 0. */
int sandbox_enter(void **state);

/* Skips the running test, with the reason, if sandbox_enter() was not permitted. */
void sandbox_require(void);

/* `ip netns add NAME`, `ip netns del NAME`; failures fail the test. */
void sandbox_add_netns(const char *name);
void sandbox_del_netns(const char *name);

/* Runs the calling thread in the named namespace (NULL: back in the sandbox's own). */
void sandbox_visit(const char *netns);

/* What the kernel shows of the namespace that is visited, asked without rtnetlink code of ours. */
bool sandbox_has_link(const char *ifname);
unsigned int sandbox_count_links(void);
int sandbox_mtu(const char *ifname);
unsigned int sandbox_flags(const char *ifname);			/* IFF_* */
/* Waits until the device is up and has a carrier: before, what is sent there is thrown away. The
 * kernel works that out a little after its cause. */
void sandbox_await_running(const char *ifname);
void sandbox_mac(const char *ifname, uint8_t mac[6]);

/* "10.0.1.2/24 fd00::2/64": all but link-local addresses, in the kernel's order. */
void sandbox_addresses(const char *ifname, char *text, size_t bytes);

unsigned int sandbox_count_fds(void);
