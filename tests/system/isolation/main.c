/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-isolation: tries to get a frame from one segment into another, on a running host. Prints
 * what was sent, received and dropped. Exit codes: 0 isolated and all as expected, 1 not, 2 usage,
 * 3 the host is not as described.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/system/isolation/live.h"
#include "tests/system/isolation/matrix.h"

#define ROUNDS_MAX 100

static const char usage[] =
	"usage: weft-isolation RUN-DIR WEFT ROUNDS PORT...\n"
	"  WEFT     the command, for changes under traffic; ROUNDS of them (0: none)\n"
	"  PORT     NAME:SEGMENT:vhost, NAME:SEGMENT:plain or NAME:SEGMENT:tap:NETNS\n";

static int open_all(struct rig *rig)
{
	char why[DP_TEXT_BYTES];
	int err = host_open(&rig->host, rig->run_dir, why);

	if (err < 0)
		fprintf(stderr, "weft-isolation: %s\n", why);
	for (unsigned int i = 0; i < rig->n_ports && err == 0; i++)
		err = rig_open_port(rig, &rig->ports[i]);
	return err == 0 ? rig_look(rig) : err;
}

static void close_all(struct rig *rig)
{
	for (unsigned int i = 0; i < rig->n_ports; i++) {
		rig_close_port(&rig->ports[i]);
		free(rig->ports[i].received);
	}
	if (rig->host.client != NULL)
		host_close(&rig->host);
}

static int run_matrix(struct rig *rig)
{
	struct matrix_result result;
	int err = matrix_run(rig, &result);

	matrix_print(&result);
	return err;
}

static int run(struct rig *rig, const char *weft, unsigned int n_rounds)
{
	struct live_result live;
	int err = run_matrix(rig);

	if (err < 0 || n_rounds == 0)
		return err;
	err = live_run(rig, weft, n_rounds, &live);
	live_print(&live);
	if (err == 0)
		err = rig_look(rig);
	return err < 0 ? err : run_matrix(rig);
}

int main(int argc, char **argv)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	unsigned int n_rounds = argc < 5 ? ROUNDS_MAX : (unsigned int)atoi(argv[3]);
	int err = rig == NULL || n_rounds >= ROUNDS_MAX ? -EINVAL : 0;

	for (int i = 4; i < argc && err == 0; i++)
		err = rig_add(rig, argv[i]);
	/* The changes need two segments that can be renewed. */
	if (err < 0 || rig->n_segments < 2) {
		fputs(usage, stderr);
		free(rig);
		return 2;
	}
	rig->run_dir = argv[1];
	err = open_all(rig);
	int status = 3;

	if (err == 0) {
		err = run(rig, argv[2], n_rounds);
		if (err < 0 && err != -EUCLEAN)
			fprintf(stderr, "weft-isolation: %s\n", strerror(-err));
		status = err < 0;
	}
	close_all(rig);
	free(rig);
	return status;
}
