/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a lab file, as `weft apply` sends it. What is refused has a reason that an answer
 * can carry. What is taken can be written out again as YAML and, applied, changes nothing.
 *
 *	input: YAML
 */
#include <stdlib.h>
#include <string.h>

#include "control/lab.h"
#include "control/lab_yaml.h"
#include "control/plan.h"
#include "control/rules.h"

#define CLUSTER "default"

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

/* One line, and every fault of the list too. */
static void check_problem(struct problem *problem)
{
	json_t *detail = json_string(problem->detail);

	check(detail != NULL && problem->detail[0] != '\0' && problem->code != NULL);
	check(strchr(problem->detail, '\n') == NULL);
	json_decref(detail);
	size_t i;
	json_t *error;

	json_array_foreach(problem->errors, i, error)
		check(json_is_object(error));
	problem_fini(problem);
}

/* The model that the text leads to from `current`; NULL: refused. */
static struct model *apply(const char *text, size_t bytes, const struct model *current)
{
	struct problem problem = {.errors = json_array()};
	struct model *wanted = NULL;
	struct lab lab;

	if (lab_yaml_parse(text, bytes, &lab, &problem) < 0) {
		check_problem(&problem);
		return NULL;
	}
	int error = lab_merge(&lab, CLUSTER, current, false, &wanted, &problem);

	if (error == 0)
		error = rules_check(wanted, current, "h1", "/run/weft", &problem);
	if (error < 0) {
		lab_locate(&lab, &problem);
		check_problem(&problem);
		model_destroy(wanted);
		wanted = NULL;
	}
	problem_fini(&problem);
	lab_fini(&lab);
	return wanted;
}

static void check_export(const struct model *model)
{
	json_t *tree = lab_format(CLUSTER, model);
	char *text = lab_yaml_format(tree);
	struct plan plan;

	check(text != NULL);
	struct model *again = apply(text, strlen(text), model);
	check(again != NULL && plan_make(model, again, &plan) == 0);
	check(plan.n_steps == 0);
	plan_fini(&plan);
	model_destroy(again);
	free(text);
	json_decref(tree);
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t n_bytes);
int LLVMFuzzerTestOneInput(const char *bytes, size_t n_bytes)
{
	struct model *empty, *wanted;
	struct plan plan;

	check(model_create(&empty) == 0);
	wanted = apply(bytes, n_bytes, empty);
	if (wanted != NULL) {
		check(plan_make(empty, wanted, &plan) == 0);
		plan_fini(&plan);
		check_export(wanted);
	}
	model_destroy(wanted);
	model_destroy(empty);
	return 0;
}
