/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-dataplane: arguments, EAL, one dataplane, its workers, main's loop, and down again in
 * reverse.
 *
 * CPUs: every worker has one of its own; main and EAL's helper threads keep to the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/arguments.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/footprint.h"
#include "dataplane/port_types.h"
#include "dataplane/server.h"
#include "dataplane/worker.h"
#include "dataplane/write_ring.h"

#define TURN_MS 100
#define FOOTPRINT_NS UINT64_C(1000000000)
#define FDB_CAPACITY (1u << 20)

static void *eal_alloc(size_t bytes, size_t align)
{
	return rte_zmalloc(NULL, bytes, (unsigned int)align);
}

static const struct memory memory_eal = {.alloc = eal_alloc, .free = rte_free};

/* Huge pages of 2 MiB that nobody uses; 0 if the kernel has none. */
static unsigned long free_hugepages_mb(void)
{
	FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");
	unsigned long n = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%lu", &n) != 1)
		n = 0;
	fclose(file);
	return n * 2;
}

/* Starts EAL. On huge pages if there are enough and none forbade it, else on plain memory: says
 * which and returns it in *hugepages. */
static int start_eal(const struct arguments *args, bool *hugepages)
{
	char memory[16], lcores[8192];
	char name[] = "weft-dataplane", level[] = "--log-level=lib.eal:error";
	char in_memory[] = "--in-memory", no_shconf[] = "--no-shconf", no_huge[] = "--no-huge";
	char allow[] = "-a", no_device[] = "0000:00:00.0", no_telemetry[] = "--no-telemetry",
	     m[] = "-m";
	char *argv[13];
	int argc = 0;

	*hugepages = args->hugepages && free_hugepages_mb() >= args->memory_mb;
	snprintf(memory, sizeof(memory), "%u", args->memory_mb);
	arguments_lcores(args, lcores, sizeof(lcores));
	argv[argc++] = name;
	argv[argc++] = level;
	/* Devices are taken one by one, when an uplink names them: only one is looked at now,
	 * which is a bridge wherever it is. */
	argv[argc++] = allow;
	argv[argc++] = no_device;
	argv[argc++] = no_telemetry;
	argv[argc++] = lcores;
	argv[argc++] = m;
	argv[argc++] = memory;
	/* Either way EAL leaves no file behind and several dataplanes run side by side; EAL does
	 * not let --in-memory and --no-huge be combined. */
	argv[argc++] = *hugepages ? in_memory : no_huge;
	if (!*hugepages)
		argv[argc++] = no_shconf;
	argv[argc] = NULL;
	/* EAL wants a directory of its own; by this name, systemd's, it is in ours. */
	setenv("RUNTIME_DIRECTORY", args->run_dir, 1);
	if (rte_eal_init(argc, argv) < 0) {
		log_error("main", "EAL does not start: %s; try --no-huge or another --memory",
			  rte_strerror(rte_errno));
		return -EIO;
	}
	if (*hugepages)
		log_info("main", "memory: %u MB on huge pages", args->memory_mb);
	else
		log_info("main", "memory: %u MB on plain pages (%s)", args->memory_mb,
			 args->hugepages ? "not enough huge pages are free" : "as asked");
	return 0;
}

static int run_worker(void *worker)
{
	worker_run(worker);
	return 0;
}

/* Each worker on its lcore, in order. */
static int launch_workers(struct dataplane *dp)
{
	unsigned int lcore, i = 0;

	RTE_LCORE_FOREACH_WORKER(lcore) {
		if (i == dp->config.n_workers)
			break;
		int error = rte_eal_remote_launch(run_worker, dp->workers[i++], lcore);

		if (error < 0)
			return error;
	}
	return i == dp->config.n_workers ? 0 : -EINVAL;
}

/* Workers have rings of their own; what this one says is true of them. */
static void tell_writes(void)
{
	struct write_ring *ring = write_ring_create();

	if (ring != NULL)
		log_info("main", "writes to taps: the frames of a burst together, by io_uring");
	else
		log_info("main", "writes to taps: one by one, io_uring is not to be had: %s",
			 strerror(errno));
	write_ring_destroy(ring);
}

static void on_signal(void *ctx, uint32_t events, uint64_t now_ns)
{
	bool *is_stopping = ctx;

	*is_stopping = true;
}

/* SIGTERM and SIGINT end the loop, by a descriptor of it. */
static int watch_signals(struct dataplane *dp, bool *is_stopping, int *fd,
			 struct loop_watch **watch)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	*fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*fd < 0)
		return -errno;
	return loop_add(dp->loop, *fd, EPOLLIN, on_signal, is_stopping, watch);
}

/* A turn of main. Returns when it last told what memory there is. */
static uint64_t turn(struct dataplane *dp, uint64_t told_ns)
{
	uint64_t now_ns = loop_clock_ns();

	dataplane_turn(dp, now_ns);
	if (now_ns - told_ns < FOOTPRINT_NS)
		return told_ns;
	counters_set_memory(dp->counters, footprint_bytes());
	return now_ns;
}

static int serve(struct dataplane *dp, const struct arguments *args, bool hugepages)
{
	char path[PATH_MAX], why[256] = "";
	struct server *server = NULL;
	struct loop_watch *signal_watch = NULL;
	bool is_stopping = false;
	uint64_t told_ns = 0;
	int signal_fd = -1;

	snprintf(path, sizeof(path), "%s/dataplane.sock", args->run_dir);
	int error = server_create(dp, path, hugepages, &server, why, sizeof(why));

	if (error < 0) {
		log_error("main", "%s", why);
		return error;
	}
	error = watch_signals(dp, &is_stopping, &signal_fd, &signal_watch);
	if (error == 0)
		error = launch_workers(dp);
	if (error == 0)
		log_info("main", "weft-dataplane " WEFT_VERSION " serves %s with %u worker(s)",
			 args->run_dir, dp->config.n_workers);
	tell_writes();
	while (error >= 0 && !is_stopping) {
		error = loop_turn(dp->loop, news_sleep_ms(&dp->news, TURN_MS), loop_clock_ns);
		told_ns = turn(dp, told_ns);
	}
	dataplane_stop_workers(dp);
	rte_eal_mp_wait_lcore();
	loop_remove(signal_watch);
	if (signal_fd >= 0)
		close(signal_fd);
	server_destroy(server);
	return error < 0 ? error : 0;
}

/* The run directory and the one for guests' sockets, which group kvm may enter. */
static int make_directories(const char *run_dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/vhost", run_dir);
	if (mkdir(run_dir, 0755) < 0 && errno != EEXIST) {
		log_error("main", "cannot make %s: %s", run_dir, strerror(errno));
		return -EIO;
	}
	if (mkdir(path, 0755) < 0 && errno != EEXIST) {
		log_error("main", "cannot make %s: %s", path, strerror(errno));
		return -EIO;
	}
	return 0;
}

static struct dataplane_config make_config(const struct arguments *args, bool hugepages)
{
	struct dataplane_config config = {
		.run_dir = args->run_dir,
		.port_types = port_types,
		.memory = memory_eal,
		/* EAL's plain pages are those of a memfd, which as a rule never become huge. */
		.fdb_memory = hugepages ? memory_eal : memory_mapped,
		.queue_bytes = (uint64_t)args->queue_mb << 20,
		.n_workers = args->n_workers,
		.worker_cpus = args->worker_cpus,
		.fdb_capacity = FDB_CAPACITY,
		.tsc_hz = rte_get_tsc_hz(),
		.clock_ns = loop_clock_ns,
	};

	if (getrandom(&config.hash_seed, sizeof(config.hash_seed), 0) < 0 ||
	    getrandom(&config.epoch, sizeof(config.epoch), 0) < 0)
		config.epoch = config.hash_seed = rte_rdtsc();
	return config;
}

/* Every guest brings some descriptors: the soft limit of a shell is for programs that use
 * select(). */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn("main", "cannot raise the limit of descriptors: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	struct arguments args;
	struct dataplane *dp = NULL;
	bool hugepages;
	sigset_t set;
	int error = arguments_parse(&args, argc, argv);

	if (error != 0)
		return error < 0 ? 2 : 0;
	/* Before EAL makes threads: they inherit that these signals are read from a descriptor. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (make_directories(args.run_dir) < 0 || start_eal(&args, &hugepages) < 0)
		return 1;
	raise_descriptor_limit();
	struct dataplane_config config = make_config(&args, hugepages);

	error = dataplane_create(&config, &dp);
	if (error < 0)
		log_error("main", "cannot start: %s; a larger --memory may help", strerror(-error));
	else
		error = serve(dp, &args, hugepages);
	dataplane_destroy(dp);
	rte_eal_cleanup();
	return error < 0 ? 1 : 0;
}
