/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers' word to main. Thread of each function: see news.h. */
#include "dataplane/news.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dataplane/base/loop.h"

static void on_word(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct news *news = ctx;
	eventfd_t value;

	/* What woke us is looked for in dataplane_turn(), which follows every turn of the loop. */
	if (eventfd_read(news->fd, &value) == 0)
		news->heard_ns = now_ns;
}

int news_create(struct news *news, struct loop *loop)
{
	atomic_store(&news->main_listens, true);
	news->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (news->fd < 0)
		return -errno;
	return loop_add(loop, news->fd, EPOLLIN, on_word, news, &news->watch);
}

void news_destroy(struct news *news)
{
	loop_remove(news->watch);
	if (news->fd >= 0)
		close(news->fd);
}

void news_turn(struct news *news, uint64_t now_ns)
{
	if (atomic_load_explicit(&news->main_listens, memory_order_relaxed) ||
	    now_ns - news->heard_ns < NEWS_PAUSE_NS)
		return;
	/* Before main looks: what comes after that wakes it. See news_tell(). */
	atomic_store(&news->main_listens, true);
	atomic_thread_fence(memory_order_seq_cst);
}

int news_sleep_ms(const struct news *news, int max_ms)
{
	bool listens = atomic_load_explicit(&news->main_listens, memory_order_relaxed);

	return listens || max_ms < NEWS_PAUSE_MS ? max_ms : NEWS_PAUSE_MS;
}

void news_tell(struct news *news)
{
	/* What there is was written before this: main sees it, or we see that main listens. */
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&news->main_listens, memory_order_relaxed) ||
	    !atomic_exchange(&news->main_listens, false))
		return;
	/* An eventfd refuses only when it is full to the brim: then it is readable anyway. */
	if (eventfd_write(news->fd, 1) < 0)
		return;
}
