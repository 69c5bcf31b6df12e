/* SPDX-License-Identifier: BSD-3-Clause */
/* See vhost_rig.h. */
#include "tests/unit/dataplane/vhost/vhost_rig.h"

#include <dirent.h>
#include <inttypes.h>
#include <linux/memfd.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_FDS 253 /* SCM_MAX_FD */

int vhost_rig_memfd(uint64_t bytes)
{
	int fd = memfd_create("vhost-rig", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	return fd;
}

int vhost_rig_huge_memfd(uint64_t bytes)
{
	int fd = memfd_create("vhost-rig", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
	void *probe;

	if (fd < 0)
		return -1;
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	probe = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (probe == MAP_FAILED) {
		close(fd);
		return -1;
	}
	munmap(probe, bytes);
	return fd;
}

void vhost_rig_send_raw(int fd, const struct vhost_header *header, const void *payload, size_t sent,
			const int *fds, unsigned n_fds)
{
	char control[CMSG_SPACE(MAX_FDS * sizeof(int))] = {0};
	struct vhost_header copy = *header;
	uint8_t bytes[sizeof(copy) + 4096];
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(copy) + sent};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	assert_true(sent <= 4096 && n_fds <= MAX_FDS);
	memcpy(bytes, &copy, sizeof(copy));
	if (sent > 0)
		memcpy(bytes + sizeof(copy), payload, sent);
	if (n_fds > 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT), iov.iov_len);
}

void vhost_rig_send(int fd, uint32_t request, const void *payload, uint32_t bytes, const int *fds,
		    unsigned n_fds)
{
	struct vhost_header header = {request, VHOST_FLAGS_VERSION, bytes};

	vhost_rig_send_raw(fd, &header, payload, bytes, fds, n_fds);
}

struct vhost_rig_count {
	unsigned n_fds;
	uint64_t mapped_bytes;
};

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static uint64_t count_mapped_bytes(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], flags[8];
	uint64_t start, end, sum = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		assert_int_equal(sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &start, &end, flags),
				 3);
		if (strstr(line, "memfd:") != NULL || strcmp(flags, "---p") == 0)
			sum += end - start;
	}
	fclose(maps);
	return sum;
}

struct vhost_rig_count *vhost_rig_count(void)
{
	struct vhost_rig_count *count = malloc(sizeof(*count));

	assert_non_null(count);
	count->n_fds = count_fds();
	count->mapped_bytes = count_mapped_bytes();
	return count;
}

/* Fewer bytes are no leak: a sanitizer takes memory from inaccessible pages of its own. */
void vhost_rig_assert_no_leak(struct vhost_rig_count *before)
{
	/* Descriptors of unknown kinds are closed by threads (reaper.h). */
	for (int i = 0; i < 2000 && count_fds() != before->n_fds; i++)
		poll(NULL, 0, 1);
	assert_int_equal(count_fds(), before->n_fds);
	assert_true(count_mapped_bytes() <= before->mapped_bytes);
	free(before);
}

int vhost_rig_in_child(int (*check)(void *arg), void *arg)
{
	struct rlimit no_core = {0, 0};
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGBUS, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		_exit(check(arg));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}
