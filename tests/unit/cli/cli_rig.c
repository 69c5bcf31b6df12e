/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs the command line in this process, against canned answers from a thread. */
#include "tests/unit/cli/cli_rig.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cmd.h"

#define WORDS_MAX 16

struct cli_rig {
	char run_dir[64];
	char socket_path[96];
	int listen_fd;
	pthread_t thread;
	bool is_ended;
	const char *const *answers;
	size_t n_answers;
	char requests[CLI_RIG_REQUESTS_MAX][CLI_RIG_REQUEST_BYTES];
};

/* The rig itself is broken: no test result would mean anything. */
static void must(bool is_fine)
{
	if (!is_fine)
		abort();
}

static size_t content_length(const char *request)
{
	const char *header = strcasestr(request, "\r\nContent-Length:");

	return header ? strtoul(header + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

static bool is_whole(const char *request, size_t bytes)
{
	const char *end = strstr(request, "\r\n\r\n");

	return end && bytes - (size_t)(end + 4 - request) >= content_length(request);
}

/* All of it is read; its beginning is kept. */
static void read_request(int fd, char *request)
{
	char rest[CLI_RIG_REQUEST_BYTES];
	size_t bytes = 0;
	ssize_t n = 1;

	memset(request, 0, CLI_RIG_REQUEST_BYTES);
	while (n > 0 && !is_whole(request, bytes)) {
		size_t room_bytes =
			bytes < CLI_RIG_REQUEST_BYTES - 1 ? CLI_RIG_REQUEST_BYTES - 1 - bytes : 0;

		n = room_bytes ? read(fd, request + bytes, room_bytes)
			       : read(fd, rest, sizeof(rest));
		bytes += n > 0 ? (size_t)n : 0;
	}
}

/* Ends after the last answer, or when cli_rig_request() shuts the socket down. */
static void *serve(void *ctx)
{
	struct cli_rig *rig = ctx;
	struct timeval deadline = {.tv_sec = 10};

	for (size_t i = 0; i < rig->n_answers; i++) {
		int fd = accept(rig->listen_fd, NULL, NULL);

		if (fd < 0)
			break;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
		read_request(fd, rig->requests[i % CLI_RIG_REQUESTS_MAX]);
		send(fd, rig->answers[i], strlen(rig->answers[i]), MSG_NOSIGNAL);
		close(fd);
	}
	return NULL;
}

static struct cli_rig *listen_anew(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct cli_rig *rig = calloc(1, sizeof(*rig));

	must(rig != NULL);
	strcpy(rig->run_dir, "/tmp/weft-cli-test-XXXXXX");
	must(mkdtemp(rig->run_dir) != NULL);
	snprintf(rig->socket_path, sizeof(rig->socket_path), "%s/weftd.sock", rig->run_dir);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig->socket_path);
	rig->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(rig->listen_fd >= 0);
	must(bind(rig->listen_fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	must(listen(rig->listen_fd, 8) == 0);
	return rig;
}

struct cli_rig *cli_rig_create_silent(void)
{
	struct cli_rig *rig = listen_anew();

	rig->is_ended = true;
	return rig;
}

struct cli_rig *cli_rig_create(const char *const *answers, size_t n_answers)
{
	struct cli_rig *rig = listen_anew();

	rig->answers = answers;
	rig->n_answers = n_answers;
	must(pthread_create(&rig->thread, NULL, serve, rig) == 0);
	return rig;
}

const char *cli_rig_request(struct cli_rig *rig, size_t i)
{
	if (!rig->is_ended) {
		shutdown(rig->listen_fd, SHUT_RDWR);
		pthread_join(rig->thread, NULL);
		rig->is_ended = true;
	}
	return rig->requests[i];
}

void cli_rig_destroy(struct cli_rig *rig)
{
	cli_rig_request(rig, 0);
	close(rig->listen_fd);
	unlink(rig->socket_path);
	rmdir(rig->run_dir);
	free(rig);
}

const char *cli_rig_run_dir(const struct cli_rig *rig)
{
	return rig->run_dir;
}

const char *cli_rig_answer(char room[CLI_RIG_REQUEST_BYTES], const char *status_and_headers,
			   const char *body)
{
	snprintf(room, CLI_RIG_REQUEST_BYTES, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
		 status_and_headers, strlen(body), body);
	return room;
}

struct cli_rig_result cli_rig_run_in(struct cli_rig *rig, const char *in, const char *const *words)
{
	struct cli_rig_result result = {0};
	size_t out_bytes, err_bytes;
	char *argv[WORDS_MAX + 4] = {0}, *to_free[WORDS_MAX + 4];
	FILE *streams[3];
	int argc = 0;

	argv[argc++] = strdup("weft");
	if (rig) {
		argv[argc++] = strdup("--run-dir");
		argv[argc++] = strdup(rig->run_dir);
	}
	for (; *words; words++) {
		must(argc < WORDS_MAX + 3);
		argv[argc++] = strdup(*words);
	}
	/* The program may reorder argv; what is freed is what was allocated. */
	memcpy(to_free, argv, sizeof(to_free));
	streams[0] = fmemopen(NULL, strlen(in) + 1, "w+");
	streams[1] = open_memstream(&result.out, &out_bytes);
	streams[2] = open_memstream(&result.err, &err_bytes);
	must(streams[0] != NULL && streams[1] != NULL && streams[2] != NULL);
	fputs(in, streams[0]);
	rewind(streams[0]);
	result.code = cmd_run(argc, argv, streams[0], streams[1], streams[2]);
	for (int i = 0; i < 3; i++)
		fclose(streams[i]);
	for (int i = 0; i < argc; i++)
		free(to_free[i]);
	return result;
}

void cli_rig_release(struct cli_rig_result *result)
{
	free(result->out);
	free(result->err);
}
