/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-wakes: what an idle switch costs, and how late it wakes. Attaches front-ends to all ports of
 * a switch, lets nothing happen for a while and reads the CPU time that the switch took. Then sends
 * single frames, each long after the one before, so that the worker sleeps when it comes, and the
 * receiver sleeps too. In turn with each, the same pair of wake-ups without a switch: a thread on
 * the worker's CPU that answers one eventfd by another.
 *
 * One line of JSON. Exit 0 done, 1 a socket failed or a frame was lost, 2 usage.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/bench/words.h"
#include "tests/lib/deadline.h"
#include "tests/lib/frontend.h"

#define PORTS_MAX 256u
#define WAKES_MAX 100000u
#define REST_MS 3 /* a worker polls 60 us before it sleeps */
#define ANSWER_MS 1000u
#define SETTLE_MS 5000u

static const char usage[] =
	"usage: weft-wakes --sockets DIR --ports N --pid PID [options]\n"
	"Attaches to DIR/p0.sock to DIR/pN-1.sock; PID is the switch's process.\n"
	"  --wakes N       single frames (1000)      --idle-seconds N  before that (10)\n"
	"  --switch-cpu N  where the worker is (0)   --cpu N           where this runs (1)\n";

struct options {
	const char *sockets;
	unsigned int n_ports, n_wakes, idle_seconds, cpu, switch_cpu;
	int pid;
};

struct wakes {
	const struct options *options;
	struct frontend *ports[PORTS_MAX];
	uint32_t *wake_ns, *bare_ns; /* n_wakes of each */
};

/* --- the switch --- */

static int send_frame(struct wakes *w, unsigned int from, unsigned int to)
{
	unsigned char bytes[60] = {2,	 'W', 'k', 0, 0, (unsigned char)to,
				   2,	 'W', 'k', 0, 0, (unsigned char)from,
				   0x88, 0xb5};
	struct frontend_frame frame = {.bytes = bytes, .n_bytes = sizeof(bytes)};

	return frontend_send(w->ports[from], 0, &frame);
}

/* Takes whatever came, until nothing does for a while. */
static void drain(struct frontend *f)
{
	struct frontend_received received;

	while (frontend_receive(f, 0, 20, &received) == 0)
		;
}

static int attach(struct wakes *w)
{
	char path[256], why[FRONTEND_WHY_BYTES] = "";
	struct frontend_received received;
	uint64_t deadline_ns = deadline_in_ms(SETTLE_MS);

	for (unsigned int i = 0; i < w->options->n_ports; i++) {
		struct frontend_config config = {
			.path = path, .frame_bytes_max = 1514, .rx_bytes = 1536, .why = why};

		snprintf(path, sizeof(path), "%s/p%u.sock", w->options->sockets, i);
		if (frontend_create(&config, &w->ports[i]) < 0) {
			fprintf(stderr, "weft-wakes: %s\n", why);
			return -1;
		}
	}
	/* Port 1 is learned when a frame to it alone arrives there, after it has sent. */
	do {
		send_frame(w, 1, 0);
		if (frontend_receive(w->ports[0], 0, 100, &received) == 0) {
			for (unsigned int i = 0; i < w->options->n_ports; i++)
				drain(w->ports[i]);
			return 0;
		}
	} while (!deadline_passed(deadline_ns));
	fprintf(stderr, "weft-wakes: no frame came through in 5 s\n");
	return -1;
}

/* CPU time of all threads of the process, in ms. */
static double read_cpu_ms(int pid)
{
	char path[64], line[1024] = "";
	unsigned long user = 0, system = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) != NULL && strrchr(line, ')') != NULL)
		sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		       &user, &system);
	fclose(file);
	return (double)(user + system) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

static double measure_idle_percent(const struct options *o)
{
	double before_ms = read_cpu_ms(o->pid);

	poll(NULL, 0, (int)o->idle_seconds * 1000);
	return (read_cpu_ms(o->pid) - before_ms) / (o->idle_seconds * 10.0);
}

/* --- the same without a switch --- */

struct echo {
	int ask_fd, answer_fd;
	unsigned int cpu;
};

static void *answer(void *arg)
{
	const struct echo *echo = arg;
	struct epoll_event event = {.events = EPOLLIN};
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	eventfd_t value = 0;

	words_pin(echo->cpu);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, echo->ask_fd, &event);
	/* A second bit is the end. */
	while (value < 2 && epoll_wait(epoll_fd, &event, 1, -1) >= 0) {
		if (eventfd_read(echo->ask_fd, &value) == 0)
			eventfd_write(echo->answer_fd, 1);
	}
	close(epoll_fd);
	return NULL;
}

static uint32_t ask_bare(const struct echo *echo)
{
	struct pollfd ready = {.fd = echo->answer_fd, .events = POLLIN};
	uint64_t start_ns = deadline_now_ns();
	eventfd_t value;

	eventfd_write(echo->ask_fd, 1);
	poll(&ready, 1, ANSWER_MS);
	eventfd_read(echo->answer_fd, &value);
	return (uint32_t)(deadline_now_ns() - start_ns);
}

static int measure_wakes(struct wakes *w)
{
	struct echo echo = {.ask_fd = eventfd(0, EFD_CLOEXEC),
			    .answer_fd = eventfd(0, EFD_CLOEXEC),
			    .cpu = w->options->switch_cpu};
	struct frontend_received received;
	pthread_t thread;
	int err = -pthread_create(&thread, NULL, answer, &echo);

	if (err < 0)
		return err;
	for (unsigned int i = 0; i < w->options->n_wakes && err == 0; i++) {
		poll(NULL, 0, REST_MS);
		w->bare_ns[i] = ask_bare(&echo);
		poll(NULL, 0, REST_MS);
		uint64_t start_ns = deadline_now_ns();

		send_frame(w, 0, 1);
		err = frontend_receive(w->ports[1], 0, ANSWER_MS, &received);
		w->wake_ns[i] = (uint32_t)(deadline_now_ns() - start_ns);
	}
	eventfd_write(echo.ask_fd, 2);
	pthread_join(thread, NULL);
	close(echo.ask_fd);
	close(echo.answer_fd);
	if (err < 0)
		fprintf(stderr, "weft-wakes: a frame did not come: %s\n", strerror(-err));
	return err;
}

/* --- */

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void report(struct wakes *w, double idle_percent)
{
	unsigned int n = w->options->n_wakes;
	double p99_us[2];

	qsort(w->wake_ns, n, sizeof(*w->wake_ns), by_value);
	qsort(w->bare_ns, n, sizeof(*w->bare_ns), by_value);
	p99_us[0] = w->wake_ns[n * 99 / 100] / 1e3;
	p99_us[1] = w->bare_ns[n * 99 / 100] / 1e3;
	printf("{\"ports\":%u,\"idle_percent\":%.2f,\"wakes\":%u,\"wake_p50_us\":%.1f,"
	       "\"wake_p99_us\":%.1f,\"bare_p50_us\":%.1f,\"bare_p99_us\":%.1f,"
	       "\"difference_p99_us\":%.1f}\n",
	       w->options->n_ports, idle_percent, n, w->wake_ns[n / 2] / 1e3, p99_us[0],
	       w->bare_ns[n / 2] / 1e3, p99_us[1], p99_us[0] - p99_us[1]);
}

static struct options parse(int argc, char **argv)
{
	static const struct option table[] = {
		{"sockets", required_argument, NULL, 's'},
		{"ports", required_argument, NULL, 'p'},
		{"pid", required_argument, NULL, 'i'},
		{"wakes", required_argument, NULL, 'w'},
		{"idle-seconds", required_argument, NULL, 'd'},
		{"cpu", required_argument, NULL, 'c'},
		{"switch-cpu", required_argument, NULL, 'x'},
		{0},
	};
	struct options o = {.n_wakes = 1000, .idle_seconds = 10, .cpu = 1};
	int code;

	while ((code = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (code == 's')
			o.sockets = optarg;
		else if (code == 'p')
			o.n_ports = words_number(optarg, 2, PORTS_MAX);
		else if (code == 'i')
			o.pid = (int)words_number(optarg, 1, 1u << 22);
		else if (code == 'w')
			o.n_wakes = words_number(optarg, 1, WAKES_MAX);
		else if (code == 'd')
			o.idle_seconds = words_number(optarg, 1, 3600);
		else if (code == 'c')
			o.cpu = words_number(optarg, 0, 1023);
		else if (code == 'x')
			o.switch_cpu = words_number(optarg, 0, 1023);
		else
			o.n_ports = 0;
	}
	if (optind == argc && o.sockets != NULL && o.n_ports != 0 && o.pid != 0)
		return o;
	fputs(usage, stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	const struct options options = parse(argc, argv);
	struct wakes *w = calloc(1, sizeof(*w));
	int err = -ENOMEM;

	if (w == NULL)
		return 1;
	w->options = &options;
	w->wake_ns = calloc(options.n_wakes, sizeof(*w->wake_ns));
	w->bare_ns = calloc(options.n_wakes, sizeof(*w->bare_ns));
	words_pin(options.cpu);
	if (w->wake_ns != NULL && w->bare_ns != NULL)
		err = attach(w);
	if (err == 0) {
		double idle_percent = measure_idle_percent(&options);

		err = measure_wakes(w);
		if (err == 0)
			report(w, idle_percent);
	}
	for (unsigned int i = 0; i < options.n_ports; i++)
		frontend_destroy(w->ports[i]);
	free(w->wake_ns);
	free(w->bare_ns);
	free(w);
	return err == 0 ? 0 : 1;
}
