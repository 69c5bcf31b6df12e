/* SPDX-License-Identifier: BSD-3-Clause */
/* The accounting identity of a live dataplane. See accounting.h. Any thread. */
#include "tests/lib/accounting.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/api/dp_client.h"
#include "tests/lib/deadline.h"

#define ANSWER_MS 5000
#define LOOK_MS 10

static int fail(char *why, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fail(char *why, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, DP_TEXT_BYTES, format, args);
	va_end(args);
	return err;
}

int accounting_open(struct accounting *a, const char *run_dir, char why[DP_TEXT_BYTES])
{
	struct dp_client *client;
	char path[256];
	int fd = -1;

	*a = (struct accounting){0};
	snprintf(path, sizeof(path), "%s/dataplane.sock", run_dir);
	int err = dp_client_open(&client, path);

	if (err < 0)
		return fail(why, err, "%s: %s", path, strerror(-err));
	err = dp_client_hello(client, ANSWER_MS, &a->welcome, &fd, why);
	dp_client_close(client);
	if (err < 0)
		return err;
	err = accounting_map(a, fd, why);
	close(fd);
	return err;
}

/* Whether n things of a size at an offset lie within the file. */
static bool fits(uint64_t offset, uint64_t n, uint64_t size, uint64_t total)
{
	return offset % COUNTERS_LINE == 0 && offset <= total && n <= (total - offset) / size;
}

static bool is_known(const struct counters_header *h, uint64_t total)
{
	return h->magic == COUNTERS_MAGIC && h->version == COUNTERS_VERSION &&
	       h->n_reasons == DROP_COUNT && h->total_bytes == total &&
	       fits(h->slots_offset, h->n_slots, sizeof(struct counters_slot), total) &&
	       fits(h->workers_offset, h->n_workers, sizeof(struct counters_worker), total) &&
	       fits(h->blocks_offset, (uint64_t)h->n_slots * h->n_workers,
		    sizeof(struct counters_block), total);
}

int accounting_map(struct accounting *a, int fd, char why[DP_TEXT_BYTES])
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(why, -errno, "counters: %s", strerror(errno));
	if ((uint64_t)st.st_size < sizeof(*a->header))
		return fail(why, -EBADMSG, "counters: only %lld bytes", (long long)st.st_size);
	void *base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);

	if (base == MAP_FAILED)
		return fail(why, -errno, "mapping the counters: %s", strerror(errno));
	if (!is_known(base, (uint64_t)st.st_size)) {
		munmap(base, (size_t)st.st_size);
		return fail(why, -EBADMSG, "counters: header is wrong, or of another version");
	}
	a->header = base;
	a->mapped_bytes = (uint64_t)st.st_size;
	return 0;
}

void accounting_close(struct accounting *a)
{
	union {
		const void *mapped;
		void *base;
	} u = {.mapped = a->header};

	if (u.base != NULL)
		munmap(u.base, a->mapped_bytes);
	a->header = NULL;
}

/* Sum over all slots and workers. */
static void sum_up(const struct accounting *a, struct counters_block *sum)
{
	const struct counters_header *h = a->header;
	const char *base = (const char *)h;
	const struct counters_block *blocks = (const void *)(base + h->blocks_offset);
	uint64_t *to = (uint64_t *)sum;

	*sum = (struct counters_block){0};
	for (uint64_t i = 0; i < (uint64_t)h->n_slots * h->n_workers; i++) {
		const uint64_t *from = (const uint64_t *)&blocks[i];

		/* A block is counters throughout; what follows the last is padding, and zero. */
		for (size_t k = 0; k < sizeof(*sum) / sizeof(*to); k++)
			to[k] += __atomic_load_n(&from[k], __ATOMIC_RELAXED);
	}
}

static uint64_t sum_of_drops(const struct counters_block *sum)
{
	uint64_t drops = 0;

	for (unsigned int i = 0; i < DROP_COUNT; i++)
		drops += sum->drops[i];
	return drops;
}

int64_t accounting_difference(const struct counters_block *sum)
{
	return (int64_t)(sum->rx_frames + sum->generated + sum->copies + sum->segments -
			 sum->tx_frames - sum_of_drops(sum) - sum->queued);
}

int accounting_check(const struct accounting *a, unsigned int quiet_ms, unsigned int timeout_ms,
		     struct counters_block *sum)
{
	uint64_t deadline_ns = deadline_in_ms(timeout_ms);
	uint64_t quiet_ns = deadline_in_ms(quiet_ms);
	struct counters_block next;

	sum_up(a, sum);
	for (;;) {
		bool is_quiet = deadline_passed(quiet_ns);

		if (is_quiet && accounting_difference(sum) == 0)
			return 0;
		if (deadline_passed(deadline_ns))
			return is_quiet ? -EUCLEAN : -ETIMEDOUT;
		poll(NULL, 0, LOOK_MS);
		sum_up(a, &next);
		if (memcmp(&next, sum, sizeof(next)) != 0)
			quiet_ns = deadline_in_ms(quiet_ms);
		*sum = next;
	}
}

void accounting_print(const struct counters_block *sum, FILE *out)
{
	const struct {
		const char *name;
		uint64_t value;
	} terms[] = {
		{"rx_frames", sum->rx_frames}, {"generated", sum->generated},
		{"copies", sum->copies},       {"segments", sum->segments},
		{"tx_frames", sum->tx_frames}, {"drops", sum_of_drops(sum)},
		{"queued", sum->queued},
	};

	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
		fprintf(out, "%-12s %llu\n", terms[i].name, (unsigned long long)terms[i].value);
	for (unsigned int i = 0; i < DROP_COUNT; i++) {
		if (sum->drops[i] != 0)
			fprintf(out, "  drop %-14s %llu\n", drop_reason_name(i),
				(unsigned long long)sum->drops[i]);
	}
	fprintf(out, "rx + generated + copies + segments - tx - drops - queued = %lld\n",
		(long long)accounting_difference(sum));
}
