#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     weft-shape: a sends to b; nine sources to nine sinks
#        |           |
#     ===+== ALPHA ==+===      channels on what a sends, or on what b gets
#
# Rates, what is assured under overload, a change of the rate: scripts/bench-channels in its short form,
# whose limits are coarse.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

[ "$(nproc)" -ge 2 ] || skip "needs a CPU for the worker and one for the load"
"$top/scripts/bench-channels" --short accuracy overload step
finish
