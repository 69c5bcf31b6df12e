/* SPDX-License-Identifier: BSD-3-Clause */
/* weft replay: sends captures into ports as if their machines had sent them. */
#include "cli/cmds.h"

#include <stdlib.h>
#include <string.h>

#include "cli/replay.h"

static int run(struct replay *replay)
{
	int code = replay_parse(replay);

	if (code)
		return code;
	if (replay_feed_scan(&replay->feed))
		return call_fail(replay->call, CALL_REFUSED, "%s", replay->feed.why);
	for (size_t i = 0; i < replay->feed.n_inputs; i++) {
		const struct replay_input *input = &replay->feed.inputs[i];

		if (input->backwards != 0 && replay->feed.pace == REPLAY_PACE_TIMES)
			call_fail(replay->call, CALL_DONE,
				  "%s: %llu packets are older than the one before; they go at once",
				  input->path, (unsigned long long)input->backwards);
	}
	int err = replay->fates_path
			  ? replay_fates_open(&replay->fates, replay->fates_path, &replay->feed)
			  : 0;

	if (err)
		return call_fail(replay->call, CALL_REFUSED, "%s: %s", replay->fates_path,
				 strerror(-err));
	code = replay_drive(replay);
	if (!code)
		code = replay_report(replay);
	return code ? code : replay_expect_check(replay);
}

int cmd_replay_run(const struct call *call)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return call_fail(call, CALL_REFUSED, "out of memory");
	replay->call = call;
	int code = run(replay);

	replay_expect_fini(replay);
	replay_fates_fini(&replay->fates);
	replay_feed_fini(&replay->feed);
	json_decref(replay->state);
	json_decref(replay->before);
	json_decref(replay->after);
	free(replay);
	return code;
}
