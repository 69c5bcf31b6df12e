/* SPDX-License-Identifier: BSD-3-Clause */
/* For tests of control/config.c: a model in a store of SQLite that can be told to fail. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/config.h"
#include "control/store_backend.h"
#include "tests/unit/control/store_sqlite_space.h"

/* Passes everything on; counts commits, and fails them when the budget is spent. */
struct config_rig_store {
	struct store store;
	struct store *below;
	int commits_left; /* -1: no end */
	bool is_brief;	  /* one commit fails, then no more */
	unsigned int n_commits;
	size_t max_ops;
	size_t max_bytes;
};

struct config_rig {
	struct store_sqlite_space *space;
	struct config_rig_store flaky;
	struct config *config;
	struct model *model;
	unsigned int keep;
};

extern const struct store_backend config_rig_backend;

void config_rig_open(struct config_rig *fixture);
void config_rig_close(struct config_rig *fixture);
void config_rig_reopen(struct config_rig *fixture);
int config_rig_set_up(void **state);
int config_rig_tear_down(void **state);
void config_rig_add_segment(struct model *model, const char *name, uint32_t vni);
void config_rig_add_port(struct model *model, const char *name, const char *vm);
int config_rig_write_ports(struct config_rig *fixture, unsigned int n_ports, const char *vm);
void config_rig_assert_same(const struct model *a, const struct model *b);
size_t config_rig_count_keys(struct config_rig *fixture, const char *prefix);
