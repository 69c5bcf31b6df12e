/* SPDX-License-Identifier: BSD-3-Clause */
/* weftd: keeps what the user asked for and makes the dataplane match it. Arguments and signals. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "control/control.h"
#include "control/history.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2

static const char usage[] =
	"usage: weftd [--run-dir DIR] [--state-dir DIR] [--history N] [--grant ROLE=WHO ...]\n"
	"             [--listen ADDRESS:PORT --tls-cert FILE --tls-key FILE --tls-ca FILE]\n"
	"\n"
	"  --run-dir DIR       sockets: weftd.sock, dataplane.sock (default WEFT_RUN_DIR, then\n"
	"                      /run/weft)\n"
	"  --state-dir DIR     what is kept (default /var/lib/weft)\n"
	"  --history N         how many former configurations are kept, 1 to 1000 (default 100)\n"
	"  --grant ROLE=WHO    ROLE: read, operate, admin; WHO: user:NAME, group:NAME, or\n"
	"                      cert:NAME, the common name of a client's certificate\n"
	"  --listen ADDR:PORT  serve the API by TLS too, to clients with a certificate\n"
	"  --tls-cert FILE     weftd's certificate, PEM\n"
	"  --tls-key FILE      its key\n"
	"  --tls-ca FILE       the CA that signs the certificates of clients\n"
	"  --version           print the version\n"
	"  --help              print this text\n";

struct arguments {
	struct control_options control;
	const char *listen, *tls_cert, *tls_key, *tls_ca;
	struct roles roles;
};

static bool parse_history(const char *word, unsigned int *history)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	*history = (unsigned int)n;
	return isdigit((unsigned char)word[0]) && *end == '\0' && n >= 1 && n <= HISTORY_KEEP_MAX;
}

static int refuse(const char *why)
{
	fprintf(stderr, "weftd: %s\n", why);
	return EXIT_USAGE;
}

/* -1: go on; else the exit code. */
static int parse_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"run-dir", required_argument, NULL, 'r'},
		{"state-dir", required_argument, NULL, 's'},
		{"grant", required_argument, NULL, 'g'},
		{"listen", required_argument, NULL, 'l'},
		{"tls-cert", required_argument, NULL, 'c'},
		{"tls-key", required_argument, NULL, 'k'},
		{"tls-ca", required_argument, NULL, 'a'},
		{"history", required_argument, NULL, 'n'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *run_dir = getenv("WEFT_RUN_DIR");
	char why[256];

	*arguments = (struct arguments){.control = {
						.run_dir = run_dir != NULL ? run_dir : "/run/weft",
						.state_dir = "/var/lib/weft",
						.history = HISTORY_KEEP_DEFAULT,
					}};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
		switch (c) {
		case 'r':
			arguments->control.run_dir = optarg;
			break;
		case 's':
			arguments->control.state_dir = optarg;
			break;
		case 'g':
			if (roles_grant(&arguments->roles, optarg, why, sizeof(why)) < 0)
				return refuse(why);
			break;
		case 'l':
			arguments->listen = optarg;
			break;
		case 'c':
			arguments->tls_cert = optarg;
			break;
		case 'k':
			arguments->tls_key = optarg;
			break;
		case 'a':
			arguments->tls_ca = optarg;
			break;
		case 'n':
			if (!parse_history(optarg, &arguments->control.history))
				return refuse("--history: say a number from 1 to 1000");
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
	if (arguments->listen == NULL &&
	    (arguments->tls_cert || arguments->tls_key || arguments->tls_ca))
		return refuse("--tls-cert, --tls-key and --tls-ca belong to --listen");
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

static int open_control(const struct arguments *arguments, struct control **control, char *why,
			size_t why_bytes)
{
	struct http_tls tls = {0};
	int error = 0;

	if (arguments->listen != NULL)
		error = http_tls_read(&tls, arguments->tls_cert, arguments->tls_key,
				      arguments->tls_ca, why, why_bytes);
	if (error == 0)
		error = control_create(&arguments->control, control, why, why_bytes);
	if (error == 0) {
		(*control)->roles = arguments->roles;
		if (arguments->listen != NULL)
			error = control_listen(*control, arguments->listen, &tls, why, why_bytes);
		if (error < 0)
			control_destroy(*control);
	}
	http_tls_fini(&tls);
	return error;
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
	if (signal_fd < 0 || open_control(&arguments, &control, why, sizeof(why)) < 0) {
		fprintf(stderr, "weftd: %s\n", signal_fd < 0 ? strerror(errno) : why);
		return EXIT_FAILED;
	}
	log_info("weftd", "ready: %s/weftd.sock, %zu segment(s), %zu port(s)", control->run_dir,
		 control->model->n_segments, control->model->n_ports);
	if (arguments.listen != NULL)
		log_info("weftd", "ready: https://%s", arguments.listen);
	code = run(control, signal_fd);
	control_destroy(control);
	close(signal_fd);
	return code;
}
