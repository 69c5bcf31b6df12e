/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/news.c: who is woken when, and that no word is lost between the two. */
#include "dataplane/news.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "dataplane/base/loop.h"
#include "tests/lib/deadline.h"

#define NOW_NS UINT64_C(1000000000000)
#define SLEEP_MS 100
#define DEADLINE_MS 10000

static struct loop *loop;
static struct news news;
static uint64_t now_ns;

static uint64_t clock_ns(void)
{
	return now_ns;
}

static int set_up(void **state)
{
	news = (struct news){.fd = -1};
	now_ns = NOW_NS;
	return loop_create(&loop) < 0 ? -1 : news_create(&news, loop);
}

static int tear_down(void **state)
{
	news_destroy(&news);
	loop_destroy(loop);
	return 0;
}

/* A turn of main at that time: was it woken? */
static bool is_woken(uint64_t at_ns)
{
	now_ns = at_ns;
	bool woken = loop_turn(loop, 0, clock_ns) == 1;

	news_turn(&news, now_ns);
	return woken;
}

static void the_first_word_wakes_main(void **state)
{
	assert_false(is_woken(NOW_NS));
	assert_int_equal(news_sleep_ms(&news, SLEEP_MS), SLEEP_MS);
	news_tell(&news);
	assert_true(is_woken(NOW_NS));
	assert_false(is_woken(NOW_NS));
}

static void words_that_follow_wake_nobody_before_main_looks_by_itself(void **state)
{
	news_tell(&news);
	assert_true(is_woken(NOW_NS));
	news_tell(&news);
	assert_false(is_woken(NOW_NS + NEWS_PAUSE_NS - 1));
	assert_int_equal(news_sleep_ms(&news, SLEEP_MS), NEWS_PAUSE_MS);
	assert_int_equal(news_sleep_ms(&news, 0), 0);
	/* It looks now, and listens from now on. */
	assert_false(is_woken(NOW_NS + NEWS_PAUSE_NS));
	assert_int_equal(news_sleep_ms(&news, SLEEP_MS), SLEEP_MS);
	news_tell(&news);
	assert_true(is_woken(NOW_NS + NEWS_PAUSE_NS));
	assert_false(is_woken(NOW_NS + 2 * NEWS_PAUSE_NS - 1));
	assert_int_equal(news_sleep_ms(&news, SLEEP_MS), NEWS_PAUSE_MS);
}

/* --- a worker's thread and main's --- */

#define WORDS 500

static _Atomic uint32_t written, seen;

/* Tells main, waits until it has seen it, and a while that differs each time. */
static void *tell(void *arg)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	for (uint32_t n = 1; n <= WORDS && !deadline_passed(deadline); n++) {
		atomic_store_explicit(&written, n, memory_order_relaxed);
		news_tell(&news);
		while (atomic_load(&seen) != n && !deadline_passed(deadline))
			sched_yield();
		for (uint64_t end = loop_clock_ns() + n * 7919 % (NEWS_PAUSE_NS + 100000);
		     n % 4 != 0 && loop_clock_ns() < end;)
			sched_yield();
	}
	return NULL;
}

static void no_word_is_lost(void **state)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);
	pthread_t thread;

	written = seen = 0;
	assert_int_equal(pthread_create(&thread, NULL, tell, NULL), 0);
	while (atomic_load(&seen) < WORDS && !deadline_passed(deadline)) {
		/* A lost one is not heard before the deadline. */
		assert_true(loop_turn(loop, news_sleep_ms(&news, DEADLINE_MS), loop_clock_ns) >= 0);
		news_turn(&news, loop_clock_ns());
		atomic_store(&seen, atomic_load_explicit(&written, memory_order_relaxed));
	}
	pthread_join(thread, NULL);
	assert_int_equal(seen, WORDS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_first_word_wakes_main),
		TEST(words_that_follow_wake_nobody_before_main_looks_by_itself),
		TEST(no_word_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
