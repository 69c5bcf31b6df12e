/* SPDX-License-Identifier: BSD-3-Clause */
/* weftd: keeps what the user asked for and makes the dataplane match it. Arguments and signals. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "control/control.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2

static const char usage[] =
	"usage: weftd [--run-dir DIR] [--state-dir DIR]\n"
	"\n"
	"  --run-dir DIR    sockets: weftd.sock, dataplane.sock (default /run/weft)\n"
	"  --state-dir DIR  what is kept (default /var/lib/weft)\n"
	"  --version        print the version\n"
	"  --help           print this text\n";

struct arguments {
	const char *run_dir;
	const char *state_dir;
};

/* -1: go on; else the exit code. */
static int parse_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"run-dir", required_argument, NULL, 'r'},
		{"state-dir", required_argument, NULL, 's'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};

	*arguments = (struct arguments){.run_dir = "/run/weft", .state_dir = "/var/lib/weft"};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
		switch (c) {
		case 'r':
			arguments->run_dir = optarg;
			break;
		case 's':
			arguments->state_dir = optarg;
			break;
		case 'v':
			puts("weftd " WEFT_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "weftd: unexpected argument %s\n%s", argv[optind], usage);
	return EXIT_USAGE;
}

static void on_signal(void *ctx, uint32_t events, uint64_t now_ns)
{
	bool *is_stopping = ctx;

	*is_stopping = true;
}

static int run(struct control *control, int signal_fd)
{
	struct loop_watch *watch;
	bool is_stopping = false;
	int error = loop_add(control->loop, signal_fd, EPOLLIN, on_signal, &is_stopping, &watch);

	while (error == 0 && !is_stopping)
		error = control_turn(control);
	if (error < 0)
		log_error("weftd", "stopping: %s", strerror(-error));
	return error < 0 ? EXIT_FAILED : 0;
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	struct control *control;
	sigset_t signals;
	char why[512];
	int code = parse_arguments(argc, argv, &arguments);

	if (code >= 0)
		return code;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0 || control_create(arguments.run_dir, arguments.state_dir, &control, why,
					    sizeof(why)) < 0) {
		fprintf(stderr, "weftd: %s\n", signal_fd < 0 ? strerror(errno) : why);
		return EXIT_FAILED;
	}
	log_info("weftd", "ready: %s/weftd.sock, %zu segment(s), %zu port(s)", control->run_dir,
		 control->model->n_segments, control->model->n_ports);
	code = run(control, signal_fd);
	control_destroy(control);
	close(signal_fd);
	return code;
}
