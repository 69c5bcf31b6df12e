/* SPDX-License-Identifier: BSD-3-Clause */
/* See txn_rig.h. */
#include "tests/unit/dataplane/txn_rig.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/api/kinds.h"
#include "dataplane/counters.h"
#include "dataplane/vhost/port_vhost.h"

int txn_rig_set_up(void **state)
{
	static const struct port_type *const types[] = {&rig_port_type, &port_vhost_type, NULL};
	struct txn_rig *f = calloc(1, sizeof(*f));
	struct dataplane_config config = rig_config(1);

	assert_non_null(f);
	strcpy(f->run_dir, "/tmp/weft-txn-XXXXXX");
	assert_non_null(mkdtemp(f->run_dir));
	snprintf(f->vhost_dir, sizeof(f->vhost_dir), "%s/vhost", f->run_dir);
	assert_int_equal(mkdir(f->vhost_dir, 0700), 0);
	config.port_types = types;
	config.run_dir = f->run_dir;
	assert_int_equal(dataplane_create(&config, &f->dp), 0);
	rig_put_segment(f->dp, ALPHA);
	rig_put_segment(f->dp, BETA);
	*state = f;
	return 0;
}

/* Directories that can be removed show that no socket was left. */
int txn_rig_tear_down(void **state)
{
	struct txn_rig *f = *state;

	txn_abort(f->txn);
	dataplane_destroy(f->dp);
	assert_int_equal(rmdir(f->vhost_dir), 0);
	assert_int_equal(rmdir(f->run_dir), 0);
	free(f);
	return 0;
}

void txn_rig_begin(struct txn_rig *f)
{
	assert_int_equal(txn_begin(f->dp, &f->txn), 0);
}

int txn_rig_prepare(struct txn_rig *f)
{
	return txn_prepare(f->txn, f->why, sizeof(f->why));
}

void txn_rig_commit(struct txn_rig *f)
{
	if (txn_rig_prepare(f) != 0)
		fail_msg("%s", f->why);
	txn_commit(f->txn);
	f->txn = NULL;
}

void txn_rig_stage(struct txn_rig *f, const struct dp_port *spec)
{
	static const int no_fds[1];

	assert_int_equal(txn_put_port(f->txn, spec, no_fds, 0), 0);
}

struct dp_port txn_rig_vhost_spec(uint64_t id, const char *name, uint32_t segment)
{
	struct dp_port spec = rig_port_spec(id, segment);

	strcpy(spec.kind, kind_vhost_user.name);
	strcpy(spec.name, name);
	return spec;
}

struct txn_rig_snapshot {
	unsigned int n_fds, n_files, ports_end, segments_end;
	struct port *ports[PORTS_MAX];
	struct segment *segments[SEGMENTS_MAX];
	bool ports_taken[PORTS_MAX], segments_taken[SEGMENTS_MAX], pools_taken[POOLS_MAX];
	struct pool *pools[POOLS_MAX];
	struct channel *channels[CHANNELS_MAX];
	struct loan *loans[LOANS_BY_ID];
	unsigned int n_loans;
	uint32_t channels_epoch;
	int free_channel;
	struct dp_port first;
};

static unsigned int count_files(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

struct txn_rig_snapshot *txn_rig_snapshot(const struct txn_rig *f)
{
	struct txn_rig_snapshot *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->n_fds = rig_count_fds();
	s->n_files = count_files(f->vhost_dir);
	s->ports_end = f->dp->ports_end;
	s->segments_end = f->dp->segments_end;
	for (unsigned int i = 0; i < PORTS_MAX; i++)
		s->ports[i] = atomic_load(&f->dp->ports[i]);
	for (unsigned int i = 0; i < SEGMENTS_MAX; i++)
		s->segments[i] = atomic_load(&f->dp->segments[i]);
	for (unsigned int i = 0; i < CHANNELS_MAX; i++)
		s->channels[i] = atomic_load(&f->dp->channels[i]);
	memcpy(s->pools, f->dp->pools, sizeof(s->pools));
	memcpy(s->pools_taken, f->dp->pools_taken, sizeof(s->pools_taken));
	memcpy(s->loans, f->dp->loans_by_id, sizeof(s->loans));
	s->n_loans = f->dp->n_loans;
	s->channels_epoch = atomic_load(&f->dp->channels_epoch);
	s->free_channel = counters_take_channel(f->dp->counters, 1);
	counters_return_channel(f->dp->counters, (unsigned int)s->free_channel);
	memcpy(s->ports_taken, f->dp->ports_taken, sizeof(s->ports_taken));
	memcpy(s->segments_taken, f->dp->segments_taken, sizeof(s->segments_taken));
	if (port_find(f->dp, 1) != NULL)
		s->first = port_find(f->dp, 1)->spec;
	return s;
}

void txn_rig_assert_unchanged(const struct txn_rig *f, struct txn_rig_snapshot *before)
{
	struct txn_rig_snapshot *now = txn_rig_snapshot(f);

	assert_memory_equal(now, before, sizeof(*now));
	free(now);
	free(before);
}

void txn_rig_assert_refused(struct txn_rig *f, struct txn_rig_snapshot *before, int error,
			    const char *why)
{
	int result = txn_rig_prepare(f);

	if (result != error || strstr(f->why, why) == NULL)
		fail_msg("%d \"%s\", not %d \"%s\"", result, f->why, error, why);
	txn_abort(f->txn);
	f->txn = NULL;
	txn_rig_assert_unchanged(f, before);
}
