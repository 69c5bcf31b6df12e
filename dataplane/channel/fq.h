/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bounded FQ-CoDel queue (RFC 8290, RFC 8289) of copies of frames: flows by hash, served in turn
 * by bytes, sparse ones first; each flow's delay controlled by marking ECN, then by dropping. Time is
 * passed in. Not thread-safe: its lane has a lock.
 */
#pragma once
