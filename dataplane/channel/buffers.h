/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory for frames that wait: blocks of 2 KiB out of one bounded area, taken and given back by any
 * worker without a lock. The area is reserved whole and used from its beginning, so what was never
 * needed costs nothing.
 */
#pragma once
