/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bare copy loop: frames that one CPU has written are copied by another, and nothing else. What
 * it costs is what the machine costs just now: where another program has a part of one of the CPUs,
 * or of their caches, it costs more than it did in the same run, and a figure does not count.
 */
#pragma once

/* Nanoseconds for each frame of 1,536 bytes, the dearer of the two ways, as a mean over about
 * 20 ms: what takes a CPU away meanwhile is in it. Or a negative errno. */
double bare_copy_ns(unsigned int cpu_a, unsigned int cpu_b);
