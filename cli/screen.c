/* SPDX-License-Identifier: BSD-3-Clause */
/* A terminal taken over for a while. One thread. */
#include "cli/screen.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* The other screen, and no cursor; and back. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"

static void fill_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGWINCH);
}

static int take_terminal(struct screen *screen, int fd)
{
	struct termios raw;

	if (tcgetattr(fd, &screen->before) < 0)
		return -errno;
	raw = screen->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (tcsetattr(fd, TCSANOW, &raw) < 0)
		return -errno;
	screen->keys_fd = fd;
	fputs(ENTER, screen->out);
	fflush(screen->out);
	return 0;
}

int screen_open(struct screen *screen, FILE *in, FILE *out)
{
	sigset_t set;
	int error = 0;

	*screen = (struct screen){.out = out, .keys_fd = -1, .signals_fd = -1};
	/* A stream without a descriptor is no terminal either. */
	if (!isatty(fileno(in)) || !isatty(fileno(out)))
		return 0;
	fill_signals(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	screen->signals_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (screen->signals_fd < 0)
		error = -errno;
	if (!error)
		error = take_terminal(screen, fileno(in));
	if (error)
		screen_close(screen);
	return error;
}

void screen_close(struct screen *screen)
{
	sigset_t set;

	if (screen->keys_fd >= 0) {
		fputs(LEAVE, screen->out);
		fflush(screen->out);
		tcsetattr(screen->keys_fd, TCSANOW, &screen->before);
	}
	if (screen->signals_fd >= 0) {
		close(screen->signals_fd);
		fill_signals(&set);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
	}
	screen->keys_fd = screen->signals_fd = -1;
}

bool screen_is_terminal(const struct screen *screen)
{
	return screen->keys_fd >= 0;
}

void screen_size(const struct screen *screen, unsigned int *lines, unsigned int *columns)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};

	*lines = *columns = UINT_MAX;
	if (!screen_is_terminal(screen))
		return;
	/* What has no size, as a serial line, is taken for the usual one. */
	if (ioctl(fileno(screen->out), TIOCGWINSZ, &size) < 0 || size.ws_row == 0 ||
	    size.ws_col == 0)
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	*lines = size.ws_row;
	*columns = size.ws_col;
}

static int read_signal(const struct screen *screen)
{
	struct signalfd_siginfo info;

	if (read(screen->signals_fd, &info, sizeof(info)) != sizeof(info))
		return SCREEN_TIMEOUT;
	return info.ssi_signo == SIGWINCH ? SCREEN_REDRAW : SCREEN_QUIT;
}

/* Waits for a key, at most so long. */
static int wait_key(const struct screen *screen, int timeout_ms)
{
	struct pollfd fds[2] = {
		{.fd = screen->keys_fd, .events = POLLIN},
		{.fd = screen->signals_fd, .events = POLLIN},
	};
	char key;

	if (poll(fds, 2, timeout_ms) <= 0)
		return SCREEN_TIMEOUT;
	if (fds[1].revents)
		return read_signal(screen);
	/* A terminal that has gone ends it too. */
	return read(screen->keys_fd, &key, 1) == 1 ? key : SCREEN_QUIT;
}

uint64_t screen_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool screen_pass(const struct screen *screen, unsigned int interval_ms, screen_fn take, void *ctx)
{
	uint64_t end_ns = screen_clock_ns() + (uint64_t)interval_ms * 1000000;

	for (uint64_t now_ns = screen_clock_ns(); now_ns < end_ns; now_ns = screen_clock_ns()) {
		int key = wait_key(screen, (int)((end_ns - now_ns) / 1000000 + 1));

		if (key == SCREEN_QUIT)
			return false;
		if (key != SCREEN_TIMEOUT)
			take(ctx, key);
	}
	return true;
}
