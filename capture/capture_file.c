/* SPDX-License-Identifier: BSD-3-Clause */
/* Capture files by path. */
#include "capture/capture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES 65536

struct capture_file {
	struct capture_reader *reader;
	int fd;
	int error; /* of reading; 0: none */
	uint8_t piece[PIECE_BYTES];
};

int capture_file_open(const char *path, struct capture_file **out)
{
	struct capture_file *file = calloc(1, sizeof(*file));

	if (file == NULL)
		return -ENOMEM;
	int error = capture_reader_create(&file->reader);

	file->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (error == 0 && file->fd < 0)
		error = -errno;
	if (error < 0) {
		capture_file_close(file);
		return error;
	}
	*out = file;
	return 0;
}

void capture_file_close(struct capture_file *file)
{
	if (file == NULL)
		return;
	capture_reader_destroy(file->reader);
	if (file->fd >= 0)
		close(file->fd);
	free(file);
}

int capture_file_next(struct capture_file *file, struct capture_packet *packet)
{
	int result;

	while ((result = capture_reader_next(file->reader, packet)) == 0) {
		ssize_t n = read(file->fd, file->piece, sizeof(file->piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			file->error = errno;
			return -errno;
		}
		if (n == 0)
			return capture_reader_finish(file->reader);
		int error = capture_reader_push(file->reader, file->piece, (size_t)n);

		if (error < 0)
			return error;
	}
	return result;
}

const char *capture_file_why(const struct capture_file *file)
{
	return file->error != 0 ? strerror(file->error) : capture_reader_why(file->reader);
}

const struct capture_interface *capture_file_interface(const struct capture_file *file,
						       uint32_t interface)
{
	return capture_reader_interface(file->reader, interface);
}
