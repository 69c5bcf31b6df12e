/* SPDX-License-Identifier: BSD-3-Clause */
/* See lab_rig.h. */
#include "tests/unit/control/lab_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control/lab.h"
#include "control/lab_yaml.h"
#include "control/plan.h"
#include "control/rules.h"

struct model *lab_rig_apply(const char *text, size_t bytes, bool is_yaml,
			    const struct model *current, bool prune, struct problem *problem)
{
	struct lab lab;
	struct model *wanted = NULL;

	*problem = (struct problem){0};
	if ((is_yaml ? lab_yaml_parse : lab_parse_json)(text, bytes, &lab, problem) < 0)
		return NULL;
	int error = lab_merge(&lab, LAB_RIG_CLUSTER, current, prune, &wanted, problem);
	if (error == 0) {
		error = rules_check(wanted, current, LAB_RIG_HOST, LAB_RIG_RUN_DIR, problem);
		if (error < 0) {
			model_destroy(wanted);
			wanted = NULL;
		}
	}
	if (error < 0)
		lab_locate(&lab, problem);
	lab_fini(&lab);
	return wanted;
}

struct model *lab_rig_apply_yaml(const char *text, const struct model *current, bool prune)
{
	struct problem problem;
	struct model *empty;
	struct plan plan;

	assert_int_equal(model_create(&empty), 0);
	if (current == NULL)
		current = empty;
	struct model *wanted = lab_rig_apply(text, strlen(text), true, current, prune, &problem);
	if (wanted == NULL)
		fail_msg("refused: %s", problem.detail);
	assert_int_equal(plan_make(current, wanted, &plan), 0);
	plan_fini(&plan);
	model_destroy(empty);
	return wanted;
}

void lab_rig_assert_refused(const struct lab_rig_bad *bad, size_t n, bool is_yaml)
{
	struct problem problem;
	struct model *empty;

	assert_int_equal(model_create(&empty), 0);
	for (size_t i = 0; i < n; i++) {
		const char *text = bad[i].text;

		if (lab_rig_apply(text, strlen(text), is_yaml, empty, false, &problem) != NULL)
			fail_msg("accepted: %s", text);
		if (strcmp(problem.code, bad[i].code) != 0 ||
		    strstr(problem.detail, bad[i].words) == NULL)
			fail_msg("%s\n-> %s: %s\nbut expected %s: ...%s...", text, problem.code,
				 problem.detail, bad[i].code, bad[i].words);
		assert_null(strchr(problem.detail, '\n'));
		assert_in_range(problem.status, 400, 499);
	}
	model_destroy(empty);
}
