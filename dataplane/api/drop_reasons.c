/* SPDX-License-Identifier: BSD-3-Clause */
/* Texts of the drop reasons, for whoever prints counters. */
#include "dataplane/api/drop_reasons.h"

/* clang-format off */
static const struct {
	const char *name;
	const char *help;
} reasons[DROP_COUNT] = {
	[DROP_NONE] = {"none", "not dropped"},
#define X(symbol, name, help) [DROP_##symbol] = {name, help},
	DROP_REASONS(X)
#undef X
};
/* clang-format on */

const char *drop_reason_name(unsigned int reason)
{
	return reason < DROP_COUNT ? reasons[reason].name : "unknown";
}

const char *drop_reason_help(unsigned int reason)
{
	return reason < DROP_COUNT ? reasons[reason].help : "unknown reason";
}
