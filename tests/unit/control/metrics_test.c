/* SPDX-License-Identifier: BSD-3-Clause */
/* What Prometheus reads, held against its text format. */
#include "control/metrics.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define PORTS 1000
#define RENDER_MS_MAX 200 /* a few ms without sanitizers */

/* A reader of the format, as strict as Prometheus' own and stricter where weft promises more. */
struct reader {
	char family[128], type[16];
	bool has_help, has_sample;
	char families[4096]; /* seen, each with a blank around it */
	unsigned int n_samples;
};

static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isalpha((unsigned char)text[i]) && text[i] != '_' &&
		    !(i > 0 && isdigit((unsigned char)text[i])))
			return false;
	}
	return len > 0;
}

static void read_comment(struct reader *reader, const char *line)
{
	char name[128], type[16], mark[160];

	if (strncmp(line, "# HELP ", 7) == 0) {
		assert_int_equal(sscanf(line, "# HELP %127s", reader->family), 1);
		assert_true(strlen(line) > 8 + strlen(reader->family));
		snprintf(mark, sizeof(mark), " %s ", reader->family);
		/* All samples of a family stand together. */
		assert_null(strstr(reader->families, mark));
		assert_true(strlen(reader->families) + strlen(mark) < sizeof(reader->families));
		strcat(reader->families, mark);
		reader->has_help = true;
		reader->has_sample = false;
		return;
	}
	assert_int_equal(sscanf(line, "# TYPE %127s %15s", name, type), 2);
	assert_true(reader->has_help && !reader->has_sample);
	assert_string_equal(name, reader->family);
	assert_true(strcmp(type, "counter") == 0 || strcmp(type, "gauge") == 0);
	size_t len = strlen(name);
	bool is_total = len > 6 && strcmp(name + len - 6, "_total") == 0;
	assert_int_equal(is_total, strcmp(type, "counter") == 0);
	snprintf(reader->type, sizeof(reader->type), "%s", type);
}

/* {name="value",...}; returns what comes after it. */
static const char *read_labels(const char *text)
{
	const char *name = text + 1;

	while (*name != '}') {
		size_t len = strcspn(name, "=");

		assert_true(is_name(name, len));
		assert_int_equal(name[len + 1], '"');
		name += len + 2;
		for (; *name != '"'; name++)
			assert_true(*name >= ' ' && *name != '\\');
		name++;
		assert_true(*name == ',' || *name == '}');
		name += *name == ',';
	}
	return name + 1;
}

static void read_sample(struct reader *reader, const char *line)
{
	size_t len = strcspn(line, "{ ");
	const char *rest = line + len;
	char *end;

	assert_true(is_name(line, len));
	assert_int_equal(len, strlen(reader->family));
	assert_memory_equal(line, reader->family, len);
	assert_true(strncmp(line, "weft_", 5) == 0);
	if (*rest == '{')
		rest = read_labels(rest);
	assert_int_equal(*rest, ' ');
	double value = strtod(rest + 1, &end);
	assert_int_equal(*end, '\0');
	assert_true(value >= 0);
	reader->has_sample = true;
	reader->n_samples++;
}

/* Returns the number of samples. */
static unsigned int read_text(const char *text)
{
	struct reader reader = {.families = " "};

	assert_int_equal(text[strlen(text) - 1], '\n');
	while (*text != '\0') {
		char line[512];
		size_t len = strcspn(text, "\n");

		assert_in_range(len, 1, sizeof(line) - 1);
		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		if (line[0] == '#')
			read_comment(&reader, line);
		else
			read_sample(&reader, line);
		text += len + 1;
	}
	return reader.n_samples;
}

static char *written(size_t n_ports, bool has_counters)
{
	struct metrics_port *ports = calloc(n_ports, sizeof(*ports));
	char(*names)[16] = calloc(n_ports, sizeof(*names));
	struct counters_worker workers[2] = {{.busy_cycles = 3000000}, {.turns = 7}};
	const struct metrics_segment segments[] = {{"ALPHA", 100, 3}, {"BETA", 200, 0}};
	const struct metrics_channel channels[] = {
		{.name = "gold",
		 .pool = "host",
		 .way = "tx",
		 .assured_bps = 500000000,
		 .ceiling_bps = 2000000000,
		 .has_counted = true,
		 .queued_bytes = 3000,
		 .total = {.passed_frames = 12, .held_ns = 1500000000, .drops = 3},
		 .n_delays = 12,
		 .p50_ns = 1500,
		 .p99_ns = 2000000},
		{.name = "idle", .pool = "", .way = "rx"},
	};
	struct metrics metrics = {
		.version = "1.0",
		.host = "h1",
		.segments = segments,
		.n_segments = 2,
		.ports = ports,
		.n_ports = n_ports,
		.channels = channels,
		.n_channels = 2,
		.is_up = has_counters,
		.has_counters = has_counters,
		.workers = workers,
		.n_workers = 2,
		.tsc_hz = 2000000,
	};

	for (size_t i = 0; i < n_ports; i++) {
		if (i + 1 < n_ports)
			snprintf(names[i], sizeof(names[i]), "p%zu", i);
		ports[i] = (struct metrics_port){.name = names[i],
						 .segment = "ALPHA",
						 .vm = "web",
						 .is_up = true,
						 .lost = 70 + i};
		ports[i].sum.rx_frames = UINT64_MAX - i;
		ports[i].sum.drops[DROP_RUNT] = i;
	}
	char *text = metrics_write(&metrics);
	assert_non_null(text);
	free(ports);
	free(names);
	return text;
}

static void assert_line(const char *text, const char *line)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (strstr(text, whole) == NULL)
		fail_msg("no line %s in:\n%s", line, text);
}

static void every_line_is_of_the_exposition_format(void **state)
{
	char *text = written(3, true);

	assert_true(read_text(text) > 30);
	free(text);
}

static void ports_segments_workers_and_reasons_have_their_lines(void **state)
{
	char *text = written(3, true);

	assert_line(text, "weft_dataplane_up 1");
	assert_line(text, "weft_segment_ports{segment=\"ALPHA\",vni=\"100\"} 3");
	assert_line(text, "weft_port_up{port=\"p0\",segment=\"ALPHA\",vm=\"web\"} 1");
	assert_line(text, "weft_port_rx_frames_total{port=\"p1\",segment=\"ALPHA\",vm=\"web\"} "
			  "18446744073709551614");
	assert_line(text, "weft_port_dropped_frames_total{port=\"p1\",segment=\"ALPHA\","
			  "vm=\"web\",reason=\"runt\"} 1");
	assert_line(text, "weft_port_lost_frames_total{port=\"p1\",segment=\"ALPHA\","
			  "vm=\"web\"} 71");
	assert_line(text, "weft_worker_busy_seconds_total{worker=\"0\"} 1.500000");
	assert_line(text, "weft_worker_turns_total{worker=\"1\"} 7");
	/* What is gone still counts, but is neither up nor down. */
	assert_non_null(strstr(text, "weft_port_rx_frames_total{port=\"\","));
	assert_null(strstr(text, "weft_port_up{port=\"\","));
	assert_null(strstr(text, "reason=\"none\""));
	free(text);
}

#define GOLD "{channel=\"gold\",pool=\"host\",way=\"tx\""

static void channels_that_counted_have_their_lines(void **state)
{
	char *text = written(3, true);

	assert_line(text, "weft_channel_assured_bits_per_second" GOLD "} 500000000");
	assert_line(text, "weft_channel_ceiling_bits_per_second" GOLD "} 2000000000");
	assert_line(text, "weft_channel_passed_frames_total" GOLD "} 12");
	assert_line(text, "weft_channel_dropped_frames_total" GOLD "} 3");
	assert_line(text, "weft_channel_held_seconds_total" GOLD "} 1.500000");
	assert_line(text, "weft_channel_queued_bytes" GOLD "} 3000");
	assert_line(text, "weft_channel_delay_seconds" GOLD ",quantile=\"0.5\"} 0.000001500");
	assert_line(text, "weft_channel_delay_seconds" GOLD ",quantile=\"0.99\"} 0.002000000");
	/* Of what is idle the terms only; what has no ceiling has none. */
	assert_line(text, "weft_channel_assured_bits_per_second{channel=\"idle\",pool=\"\","
			  "way=\"rx\"} 0");
	assert_null(strstr(text, "weft_channel_ceiling_bits_per_second{channel=\"idle\""));
	assert_null(strstr(text, "weft_channel_passed_frames_total{channel=\"idle\""));
	free(text);
}

static void without_a_dataplane_no_counter_is_made_up(void **state)
{
	char *text = written(3, false);

	assert_true(read_text(text) > 0);
	assert_line(text, "weft_dataplane_up 0");
	assert_null(strstr(text, "rx_frames"));
	assert_null(strstr(text, "worker"));
	assert_null(strstr(text, "weft_channel_passed"));
	free(text);
}

static void a_thousand_ports_are_written_fast(void **state)
{
	struct timespec start, end;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	char *text = written(PORTS, true);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	long ms = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
	print_message("%d ports: %zu bytes in %ld ms\n", PORTS, strlen(text), ms);
	assert_true(ms < RENDER_MS_MAX);
	assert_true(read_text(text) > 10 * PORTS);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_is_of_the_exposition_format),
		cmocka_unit_test(ports_segments_workers_and_reasons_have_their_lines),
		cmocka_unit_test(channels_that_counted_have_their_lines),
		cmocka_unit_test(without_a_dataplane_no_counter_is_made_up),
		cmocka_unit_test(a_thousand_ports_are_written_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
