/* SPDX-License-Identifier: BSD-3-Clause */
/* Prometheus' text format. Pure. */
#include "control/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A counter of a block or of a worker: where it lies, how it is called. */
struct counter {
	size_t offset;
	const char *name, *type, *help;
};

#define OF_PORT(field, name, type, help)                                                           \
	{                                                                                          \
		offsetof(struct counters_block, field), "weft_port_" name, type, help              \
	}
#define OF_WORKER(field, name, help)                                                               \
	{                                                                                          \
		offsetof(struct counters_worker, field), "weft_worker_" name, "counter", help      \
	}

/* clang-format off */
static const struct counter port_counters[] = {
	OF_PORT(rx_frames, "rx_frames_total", "counter", "frames taken from the port"),
	OF_PORT(rx_bytes, "rx_bytes_total", "counter", "their layer-2 bytes, without FCS"),
	OF_PORT(rx_gso_frames, "rx_gso_frames_total", "counter",
		"of the frames taken: larger than one packet"),
	OF_PORT(tx_frames, "tx_frames_total", "counter", "frames given to the port"),
	OF_PORT(tx_bytes, "tx_bytes_total", "counter", "their layer-2 bytes, without FCS"),
	OF_PORT(tx_gso_frames, "tx_gso_frames_total", "counter",
		"of the frames given: larger than one packet"),
	OF_PORT(generated, "generated_frames_total", "counter", "frames that weft made itself"),
	OF_PORT(copies, "copied_frames_total", "counter", "frames added by flooding"),
	OF_PORT(segments, "cut_frames_total", "counter", "frames added by cutting large ones"),
	OF_PORT(queued, "queued_frames", "gauge", "frames that weft holds"),
	OF_PORT(carried_rx_frames, "carried_rx_frames_total", "counter",
		"of an uplink: frames taken for tunnels, which count at the peers"),
	OF_PORT(carried_rx_bytes, "carried_rx_bytes_total", "counter",
		"their bytes, with outer headers"),
	OF_PORT(carried_tx_frames, "carried_tx_frames_total", "counter",
		"of an uplink: frames given for tunnels, which count at the peers"),
	OF_PORT(carried_tx_bytes, "carried_tx_bytes_total", "counter",
		"their bytes, with outer headers"),
};

static const struct counter worker_counters[] = {
	OF_WORKER(turns, "turns_total", "turns of the worker's loop"),
	OF_WORKER(busy_frames, "frames_total", "frames that it took"),
	OF_WORKER(sleeps, "sleeps_total", "times that it had nothing to do and slept"),
	OF_WORKER(learn_lost, "learn_lost_total", "addresses that it saw and could not hand on"),
};

static const struct counter worker_times[] = {
	OF_WORKER(busy_cycles, "busy_seconds_total", "time in turns that moved frames"),
	OF_WORKER(idle_cycles, "idle_seconds_total",
		"time in turns that moved none; sleep is not counted"),
};
/* clang-format on */

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static uint64_t value_at(const void *counters, const struct counter *counter)
{
	return *(const uint64_t *)((const char *)counters + counter->offset);
}

/* Up to the closing brace: some have another label. */
static void port_labels(FILE *out, const char *name, const struct metrics_port *port)
{
	fprintf(out, "%s{port=\"%s\",segment=\"%s\",vm=\"%s\"", name, port->name, port->segment,
		port->vm);
}

static void write_about(FILE *out, const struct metrics *metrics)
{
	head(out, "weft_info", "gauge", "1, with the version of weftd and the host");
	fprintf(out, "weft_info{version=\"%s\",host=\"%s\"} 1\n", metrics->version, metrics->host);
	head(out, "weft_dataplane_up", "gauge", "1 if weft-dataplane is connected and answers");
	fprintf(out, "weft_dataplane_up %d\n", metrics->is_up);
	head(out, "weft_segment_ports", "gauge", "ports in the segment");
	for (size_t i = 0; i < metrics->n_segments; i++)
		fprintf(out, "weft_segment_ports{segment=\"%s\",vni=\"%" PRIu32 "\"} %" PRIu32 "\n",
			metrics->segments[i].name, metrics->segments[i].vni,
			metrics->segments[i].n_ports);
}

static bool is_gone(const struct metrics_port *port)
{
	return port->name[0] == '\0';
}

static void write_states(FILE *out, const struct metrics *metrics)
{
	static const struct {
		const char *name, *type, *help;
	} states[] = {
		{"weft_port_up", "gauge", "1 if frames can pass both ways"},
		{"weft_port_broken", "gauge", "1 if the port could not be made or is quarantined"},
		{"weft_port_attaches_total", "counter", "times a front-end connected"},
		{"weft_port_lost_frames_total", "counter",
		 "frames that the kernel could not keep until they were taken"},
	};

	for (size_t s = 0; s < N(states); s++) {
		head(out, states[s].name, states[s].type, states[s].help);
		for (size_t i = 0; i < metrics->n_ports; i++) {
			const struct metrics_port *port = &metrics->ports[i];
			uint64_t values[] = {port->is_up, port->is_broken, port->attaches,
					     port->lost};

			if (is_gone(port))
				continue;
			port_labels(out, states[s].name, port);
			fprintf(out, "} %" PRIu64 "\n", values[s]);
		}
	}
}

static void write_counters(FILE *out, const struct metrics *metrics)
{
	for (size_t c = 0; c < N(port_counters); c++) {
		const struct counter *counter = &port_counters[c];

		head(out, counter->name, counter->type, counter->help);
		for (size_t i = 0; i < metrics->n_ports; i++) {
			port_labels(out, counter->name, &metrics->ports[i]);
			fprintf(out, "} %" PRIu64 "\n", value_at(&metrics->ports[i].sum, counter));
		}
	}
}

/* A reason that did not occur has no line: there are many of both, and most never do. */
static void write_drops(FILE *out, const struct metrics *metrics)
{
	static const char name[] = "weft_port_dropped_frames_total";

	head(out, name, "counter", "frames that were not delivered, by the reason");
	for (size_t i = 0; i < metrics->n_ports; i++) {
		for (unsigned int reason = 0; reason < DROP_COUNT; reason++) {
			if (metrics->ports[i].sum.drops[reason] == 0)
				continue;
			port_labels(out, name, &metrics->ports[i]);
			fprintf(out, ",reason=\"%s\"} %" PRIu64 "\n", drop_reason_name(reason),
				metrics->ports[i].sum.drops[reason]);
		}
	}
}

#define OF_CHANNEL(field, name, help)                                                              \
	{                                                                                          \
		offsetof(struct counters_channel, field), "weft_channel_" name, "counter", help    \
	}

/* clang-format off */
static const struct counter channel_counters[] = {
	OF_CHANNEL(asked_frames, "asked_frames_total", "frames that came to the channel"),
	OF_CHANNEL(asked_bytes, "asked_bytes_total", "their bytes, as the channel counts them"),
	OF_CHANNEL(passed_frames, "passed_frames_total", "frames that passed"),
	OF_CHANNEL(passed_bytes, "passed_bytes_total", "their bytes"),
	OF_CHANNEL(marks, "marked_frames_total", "frames marked for congestion (ECN)"),
	OF_CHANNEL(drops, "dropped_frames_total", "frames that its queues dropped"),
};
/* clang-format on */

/* Up to the closing brace: some have another label. */
static void channel_labels(FILE *out, const char *name, const struct metrics_channel *channel)
{
	fprintf(out, "%s{channel=\"%s\",pool=\"%s\",way=\"%s\"", name, channel->name, channel->pool,
		channel->way);
}

static void write_terms(FILE *out, const struct metrics *metrics)
{
	static const char assured[] = "weft_channel_assured_bits_per_second";
	static const char ceiling[] = "weft_channel_ceiling_bits_per_second";

	head(out, assured, "gauge", "what the channel is assured of, with loans");
	for (size_t i = 0; i < metrics->n_channels; i++) {
		channel_labels(out, assured, &metrics->channels[i]);
		fprintf(out, "} %" PRIu64 "\n", metrics->channels[i].assured_bps);
	}
	head(out, ceiling, "gauge", "what the channel may have at most, where there is a limit");
	for (size_t i = 0; i < metrics->n_channels; i++) {
		if (metrics->channels[i].ceiling_bps == 0)
			continue;
		channel_labels(out, ceiling, &metrics->channels[i]);
		fprintf(out, "} %" PRIu64 "\n", metrics->channels[i].ceiling_bps);
	}
}

static void write_delay(FILE *out, const struct metrics_channel *channel, const char *quantile,
			uint64_t delay_ns)
{
	channel_labels(out, "weft_channel_delay_seconds", channel);
	fprintf(out, ",quantile=\"%s\"} %.9f\n", quantile, (double)delay_ns / 1e9);
}

/* What never counted anything has no line: there may be thousands of channels. */
static void write_channels(FILE *out, const struct metrics *metrics)
{
	static const char held[] = "weft_channel_held_seconds_total";
	static const char queued[] = "weft_channel_queued_bytes";

	for (size_t c = 0; c < N(channel_counters); c++) {
		const struct counter *counter = &channel_counters[c];

		head(out, counter->name, counter->type, counter->help);
		for (size_t i = 0; i < metrics->n_channels; i++) {
			if (!metrics->channels[i].has_counted)
				continue;
			channel_labels(out, counter->name, &metrics->channels[i]);
			fprintf(out, "} %" PRIu64 "\n",
				value_at(&metrics->channels[i].total, counter));
		}
	}
	head(out, held, "counter", "time that somebody of the channel waited, over all workers");
	for (size_t i = 0; i < metrics->n_channels; i++) {
		if (!metrics->channels[i].has_counted)
			continue;
		channel_labels(out, held, &metrics->channels[i]);
		fprintf(out, "} %.6f\n", (double)metrics->channels[i].total.held_ns / 1e9);
	}
	head(out, queued, "gauge", "bytes that weft holds, beside what waits in guests' rings");
	for (size_t i = 0; i < metrics->n_channels; i++) {
		if (!metrics->channels[i].has_counted)
			continue;
		channel_labels(out, queued, &metrics->channels[i]);
		fprintf(out, "} %" PRIu64 "\n", metrics->channels[i].queued_bytes);
	}
	head(out, "weft_channel_delay_seconds", "gauge", "delay of its frames in the last minute");
	for (size_t i = 0; i < metrics->n_channels; i++) {
		if (metrics->channels[i].n_delays == 0)
			continue;
		write_delay(out, &metrics->channels[i], "0.5", metrics->channels[i].p50_ns);
		write_delay(out, &metrics->channels[i], "0.99", metrics->channels[i].p99_ns);
	}
}

static void write_workers(FILE *out, const struct metrics *metrics)
{
	for (size_t c = 0; c < N(worker_counters); c++) {
		const struct counter *counter = &worker_counters[c];

		head(out, counter->name, counter->type, counter->help);
		for (size_t i = 0; i < metrics->n_workers; i++)
			fprintf(out, "%s{worker=\"%zu\"} %" PRIu64 "\n", counter->name, i,
				value_at(&metrics->workers[i], counter));
	}
	for (size_t c = 0; c < N(worker_times); c++) {
		const struct counter *counter = &worker_times[c];

		head(out, counter->name, counter->type, counter->help);
		for (size_t i = 0; i < metrics->n_workers; i++)
			fprintf(out, "%s{worker=\"%zu\"} %.6f\n", counter->name, i,
				(double)value_at(&metrics->workers[i], counter) /
					(double)metrics->tsc_hz);
	}
}

char *metrics_write(const struct metrics *metrics)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (out == NULL)
		return NULL;
	write_about(out, metrics);
	write_states(out, metrics);
	write_terms(out, metrics);
	if (metrics->has_counters) {
		write_counters(out, metrics);
		write_drops(out, metrics);
		write_channels(out, metrics);
		write_workers(out, metrics);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
