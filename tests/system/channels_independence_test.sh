#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     v -> w            x -> y, z -> everybody, f -> g
#     |    |            |    |  |               |    |
#   ==+====+== ALPHA ===+====+==+===============+====+===
#   channel gold        others
#
# A flood of 64-byte frames, a broadcast storm and a receiver that takes nothing leave the rate and
# the delay of another channel; a held source loses nothing; a sparse probe overtakes what is queued:
# scripts/bench-channels in its short form, whose limits are coarse.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

[ "$(nproc)" -ge 2 ] || skip "needs a CPU for the worker and one for the load"
"$top/scripts/bench-channels" --short lossless delay flooder stuck
finish
