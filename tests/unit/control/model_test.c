/* SPDX-License-Identifier: BSD-3-Clause */
/* The model: sorted lists that copy, names, derived addresses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/model.h"

static struct model *new_model(void)
{
	struct model *model;

	assert_int_equal(model_create(&model), 0);
	return model;
}

static void put_port(struct model *model, const char *name, uint64_t id)
{
	struct model_port port = {.id = id, .kind = port_kinds_find("tap")};

	snprintf(port.name, sizeof(port.name), "%s", name);
	assert_int_equal(model_put(model, MODEL_PORT, &port.object), 0);
}

static void ports_stay_sorted_and_findable(void **state)
{
	struct model *model = new_model();
	char name[16];

	for (unsigned int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "p%u", i * 7919 % 500);
		put_port(model, name, i + 1);
	}
	assert_int_equal(model->n_ports, 500);
	for (size_t i = 1; i < model->n_ports; i++)
		assert_true(strcmp(model->ports[i - 1]->name, model->ports[i]->name) < 0);
	for (unsigned int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		assert_string_equal(model_port(model, name)->name, name);
	}
	assert_null(model_port(model, "p500"));
	model_destroy(model);
}

static void put_again_takes_the_place_of_the_old_one(void **state)
{
	struct model *model = new_model();

	put_port(model, "a", 1);
	put_port(model, "a", 2);
	assert_int_equal(model->n_ports, 1);
	assert_int_equal(model_port(model, "a")->id, 2);
	model_destroy(model);
}

static void deleting_removes_only_that_one(void **state)
{
	struct model *model = new_model();

	put_port(model, "a", 1);
	put_port(model, "b", 2);
	put_port(model, "c", 3);
	model_del(model, MODEL_PORT, "b");
	model_del(model, MODEL_PORT, "nobody");
	assert_int_equal(model->n_ports, 2);
	assert_null(model_port(model, "b"));
	assert_int_equal(model_port(model, "c")->id, 3);
	model_destroy(model);
}

static void a_copy_does_not_follow_its_original(void **state)
{
	struct model *model = new_model();
	struct model *copy;

	put_port(model, "a", 1);
	model->next_id = 9;
	assert_int_equal(model_copy(model, &copy), 0);
	model_port(model, "a")->id = 5;
	model_del(model, MODEL_PORT, "a");
	assert_int_equal(copy->next_id, 9);
	assert_int_equal(model_port(copy, "a")->id, 1);
	model_destroy(model);
	model_destroy(copy);
}

static void derived_macs_are_local_unicast_stable_and_differ(void **state)
{
	uint8_t a[6], b[6], again[6], other[6];

	model_derive_mac("default", "web0", a);
	model_derive_mac("default", "web1", b);
	model_derive_mac("default", "web0", again);
	model_derive_mac("lab2", "web0", other);
	assert_int_equal(a[0], 0x02);
	assert_memory_equal(a, again, 6);
	assert_memory_not_equal(a, b, 6);
	assert_memory_not_equal(a, other, 6);
}

static void twenty_thousand_derived_macs_are_unique(void **state)
{
	enum { N = 20000 };
	static const size_t table_bytes = 1 << 21;
	uint8_t *seen = test_calloc(table_bytes, 6);
	char name[16];
	uint8_t mac[6];

	for (unsigned int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		model_derive_mac("default", name, mac);
		size_t at = ((size_t)mac[3] << 16 | (size_t)mac[4] << 8 | mac[5]) % table_bytes;
		while (seen[at * 6] != 0) {
			assert_memory_not_equal(&seen[at * 6], mac, 6);
			at = (at + 1) % table_bytes;
		}
		memcpy(&seen[at * 6], mac, 6);
	}
	test_free(seen);
}

static void an_mtu_that_is_not_given_follows_the_tunnels(void **state)
{
	struct model model = {.tunnel_mtu = 0};
	struct model_segment given = {.mtu = 9000}, derived = {.mtu = 0};

	assert_int_equal(model_segment_mtu(&model, &derived), 1500);
	model.tunnel_mtu = 1450;
	assert_int_equal(model_segment_mtu(&model, &derived), 1450);
	assert_int_equal(model_segment_mtu(&model, &given), 9000);
	model.tunnel_mtu = 8950;
	assert_int_equal(model_segment_mtu(&model, &derived), 1500);
}

static void names_are_bounded_and_plain(void **state)
{
	char long_name[DP_NAME_BYTES + 1];

	memset(long_name, 'a', sizeof(long_name));
	long_name[DP_NAME_BYTES] = '\0';
	assert_false(model_is_name(long_name));
	long_name[DP_NAME_BYTES - 1] = '\0';
	assert_true(model_is_name(long_name));
	assert_true(model_is_name("web-0.a_B"));
	assert_false(model_is_name(""));
	assert_false(model_is_name("-a"));
	assert_false(model_is_name("."));
	assert_false(model_is_name("a/b"));
	assert_false(model_is_name("a b"));
	assert_false(model_is_name("\xc3\xa4"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_stay_sorted_and_findable),
		cmocka_unit_test(put_again_takes_the_place_of_the_old_one),
		cmocka_unit_test(deleting_removes_only_that_one),
		cmocka_unit_test(a_copy_does_not_follow_its_original),
		cmocka_unit_test(derived_macs_are_local_unicast_stable_and_differ),
		cmocka_unit_test(twenty_thousand_derived_macs_are_unique),
		cmocka_unit_test(an_mtu_that_is_not_given_follows_the_tunnels),
		cmocka_unit_test(names_are_bounded_and_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
