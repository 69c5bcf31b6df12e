/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far apart two CPUs are: the time in which a cache line changes hands. On shared machines the
 * host moves virtual CPUs between core complexes within seconds, and every vhost rate follows: a
 * figure counts only if the CPUs were near (below 60 ns) before and after it was taken.
 */
#pragma once

#define PINGPONG_NEAR_NS 60.0

/* Nanoseconds of one hand-over between two CPUs, or a negative errno. Takes milliseconds. */
double pingpong_ns(int cpu_a, int cpu_b);
