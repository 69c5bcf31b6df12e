/* SPDX-License-Identifier: BSD-3-Clause */
/* See capture_out.h. */
#include "cli/capture_out.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int capture_out_name(const char *path, unsigned int i, char *name, size_t name_bytes)
{
	const char *base = strrchr(path, '/'), *dot = strrchr(base ? base : path, '.');
	int len = (int)(dot && dot != path ? (size_t)(dot - path) : strlen(path));
	int n = snprintf(name, name_bytes, "%.*s.%u%s", len, path, i + 1, path + len);

	return n < 0 || (size_t)n >= name_bytes ? -ENAMETOOLONG : 0;
}

static int open_file(struct capture_out *out)
{
	char name[PATH_MAX];
	const char *path = out->path;

	out->written_bytes = 0;
	if (strcmp(path, "-") == 0) {
		out->file = out->standard;
		return 0;
	}
	if (out->n_files) {
		int err = capture_out_name(path, out->at, name, sizeof(name));

		if (err)
			return err;
		path = name;
	}
	out->file = fopen(path, "we");
	return out->file ? 0 : -errno;
}

void capture_out_open(struct capture_out *out, const char *path, FILE *standard,
		      unsigned int n_files, uint64_t file_bytes)
{
	*out = (struct capture_out){
		.path = path, .standard = standard, .n_files = n_files, .file_bytes = file_bytes};
}

static int close_file(struct capture_out *out)
{
	FILE *file = out->file;

	out->file = NULL;
	if (!file)
		return 0;
	if (file == out->standard)
		return fflush(file) ? -errno : 0;
	return fclose(file) ? -errno : 0;
}

int capture_out_close(struct capture_out *out)
{
	int err = close_file(out);

	free(out->head);
	out->head = NULL;
	pcapng_split_fini(&out->split);
	return err;
}

static int write_bytes(struct capture_out *out, const void *bytes, size_t n)
{
	out->written_bytes += n;
	return n && fwrite(bytes, n, 1, out->file) != 1 ? -EIO : 0;
}

/* What every file of a row begins with. */
static int keep_head(struct capture_out *out, const uint8_t *block, size_t n)
{
	uint8_t *head;

	if (!out->n_files)
		return 0;
	head = realloc(out->head, out->head_bytes + n);
	if (!head)
		return -ENOMEM;
	memcpy(head + out->head_bytes, block, n);
	out->head = head;
	out->head_bytes += n;
	return 0;
}

static int next_file(struct capture_out *out)
{
	int err = close_file(out);

	out->at = (out->at + 1) % out->n_files;
	if (!err)
		err = open_file(out);
	return err ? err : write_bytes(out, out->head, out->head_bytes);
}

static int take_block(void *ctx, uint32_t type, const uint8_t *block, size_t n)
{
	struct capture_out *out = ctx;
	int err = 0;

	if (type == PCAPNG_SPLIT_SECTION || type == PCAPNG_SPLIT_INTERFACE)
		err = keep_head(out, block, n);
	else if (out->n_files && out->written_bytes + n > out->file_bytes &&
		 out->written_bytes > out->head_bytes)
		err = next_file(out);
	if (type == PCAPNG_SPLIT_PACKET)
		out->n_packets++;
	if (type == PCAPNG_SPLIT_COUNTS)
		pcapng_split_dropped(block, n, &out->n_dropped);
	return err ? err : write_bytes(out, block, n);
}

int capture_out_push(struct capture_out *out, const void *bytes, size_t n)
{
	int err = out->file ? 0 : open_file(out);

	if (!err)
		err = pcapng_split_push(&out->split, bytes, n, take_block, out);
	/* Who looks at it meanwhile sees whole blocks. */
	if (!err && fflush(out->file))
		err = -errno;
	out->err = err;
	return err;
}
