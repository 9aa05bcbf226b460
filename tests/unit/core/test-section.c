/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of surface water at each of their edges (GB 3838-2002, table 1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/section.h"

#include <string.h>

enum { AMMONIA, OXYGEN, ACIDITY, PHOSPHORUS, FLOW, MONITORS };

static const struct class_bounds ammonia = {.has_max = true, .max = {0.15, 0.5, 1.0, 1.5, 2.0}};
static const struct class_bounds oxygen = {.has_min = true, .min = {7.5, 6, 5, 3, 2}};
static const struct class_bounds acidity = {
	.has_max = true, .has_min = true, .max = {9, 9, 9, 9, 9}, .min = {6, 6, 6, 6, 6}};
static const struct class_bounds phosphorus = {.has_max = true, .max = {0.02, 0.1, 0.2, 0.3, 0.4}};
static const struct monitor monitors[MONITORS] = {
	[AMMONIA] = {.factor = "w21003", .classes = &ammonia},
	[OXYGEN] = {.factor = "w01009", .classes = &oxygen},
	[ACIDITY] = {.factor = "w01001", .classes = &acidity},
	[PHOSPHORUS] = {.factor = "w21011", .classes = &phosphorus},
	[FLOW] = {.factor = "w00000"},
};
static const struct site sites[] = {{.id = "r", .n_monitors = MONITORS, .target_class = 3}};
static const struct plan plan = {
	.sites = sites, .n_sites = 1, .monitors = monitors, .n_monitors = MONITORS};

static void test_an_upper_bound_belongs_to_its_class(void **state)
{
	static const double above[] = {0.150001, 0.500001, 1.000001, 1.500001, 2.000001};
	(void)state;
	assert_int_equal(section_class_of(&ammonia, 0), 1);
	for (int i = 0; i < SECTION_CLASSES; i++) {
		assert_int_equal(section_class_of(&ammonia, ammonia.max[i]), i + 1);
		assert_int_equal(section_class_of(&ammonia, above[i]), i + 2);
	}
	assert_int_equal(section_class_of(&ammonia, 99), SECTION_INFERIOR);
	/* as it reads: three times 0.1 */
	assert_int_equal(section_class_of(&phosphorus, 0.1 + 0.1 + 0.1), 4);
}

static void test_a_lower_bound_belongs_to_its_class(void **state)
{
	(void)state;
	assert_int_equal(section_class_of(&oxygen, 12), 1);
	for (int i = 0; i < SECTION_CLASSES; i++) {
		assert_int_equal(section_class_of(&oxygen, oxygen.min[i]), i + 1);
		assert_int_equal(section_class_of(&oxygen, oxygen.min[i] - 1e-6), i + 2);
	}
}

static void test_a_range_is_met_or_not(void **state)
{
	(void)state;
	assert_int_equal(section_class_of(&acidity, 6), 1);
	assert_int_equal(section_class_of(&acidity, 9), 1);
	assert_int_equal(section_class_of(&acidity, 5.99), SECTION_INFERIOR);
	assert_int_equal(section_class_of(&acidity, 9.01), SECTION_INFERIOR);
}

static struct section_class of(const double values[MONITORS])
{
	struct section_class s;
	section_begin(&s);
	for (uint32_t i = MONITORS; i-- > 0;)
		if (values[i] >= 0)
			section_take(&s, &plan, i, values[i]);
	return s;
}

static void test_the_worst_factor_decides(void **state)
{
	(void)state;
	struct section_class s = of((const double[]){0.4, 5.5, 7, 0.25, 1e9});
	assert_int_equal(s.class, 4);
	assert_int_equal(s.monitor, PHOSPHORUS);
	s = of((const double[]){0.4, 1.9, 7, 0.25, 1e9});
	assert_int_equal(s.class, SECTION_INFERIOR);
	assert_int_equal(s.monitor, OXYGEN);
	/* two of class V: ammonia 1.8 times class III, phosphorus 1.9 times */
	s = of((const double[]){1.8, 7, 7, 0.38, -1});
	assert_int_equal(s.class, 5);
	assert_int_equal(s.monitor, PHOSPHORUS);
	s = of((const double[]){1.95, 7, 7, 0.38, -1});
	assert_int_equal(s.monitor, AMMONIA);
	/* a lower bound by how many times less: 2 times, phosphorus 1.9 times */
	s = of((const double[]){0.1, 2.5, 7, 0.38, -1});
	assert_int_equal(s.monitor, OXYGEN);
	/* in class I pH is no times anything */
	s = of((const double[]){0.1, 8, 7, 0.01, -1});
	assert_int_equal(s.class, 1);
	assert_int_equal(s.monitor, OXYGEN);
	section_begin(&s);
	section_take(&s, &plan, AMMONIA, 5);
	section_take(&s, &plan, OXYGEN, -0.1);
	assert_int_equal(s.monitor, OXYGEN);
	s = of((const double[]){-1, -1, -1, -1, 5});
	assert_int_equal(s.class, SECTION_UNKNOWN);
	assert_null(section_name(s.class));
	assert_string_equal(section_name(SECTION_INFERIOR), "inferior V");
}

static void test_of_equals_the_first_one_configured_decides(void **state)
{
	struct section_class s;
	(void)state;
	s = of((const double[]){1.9, 7, 7, 0.38, -1}); /* both 1.9 times, the last one first */
	assert_int_equal(s.monitor, AMMONIA);
	section_begin(&s);
	section_take(&s, &plan, AMMONIA, 1.9);
	section_take(&s, &plan, PHOSPHORUS, 0.38);
	assert_int_equal(s.monitor, AMMONIA);
}

static void test_how_far_below_the_target(void **state)
{
	int class;
	bool beyond;
	(void)state;
	assert_int_equal(section_below(&plan, AMMONIA, 1.0, 2, &class, &beyond), 0);
	assert_int_equal(section_below(&plan, AMMONIA, 1.2, 2, &class, &beyond), 1);
	assert_int_equal(class, 4);
	assert_int_equal(section_below(&plan, AMMONIA, 4.0, 2, &class, &beyond), 3);
	assert_false(beyond);
	assert_int_equal(section_below(&plan, AMMONIA, 4.01, 2, &class, &beyond), 3);
	assert_true(beyond);
	assert_int_equal(section_below(&plan, OXYGEN, 0.5, 2, &class, &beyond), 3);
	assert_false(beyond);
	assert_int_equal(section_below(&plan, ACIDITY, 19, 2, &class, &beyond), 3);
	assert_false(beyond);
	assert_int_equal(section_below(&plan, AMMONIA, 1.2, 0.5, &class, &beyond), 1);
	assert_false(beyond); /* only what is worse than V */
	assert_int_equal(section_below(&plan, FLOW, 5, 2, &class, &beyond), 0);
	assert_int_equal(class, SECTION_UNKNOWN);
	struct site aimless = sites[0];
	struct plan other = plan;
	aimless.target_class = 0;
	other.sites = &aimless;
	assert_int_equal(section_below(&other, AMMONIA, 4, 2, &class, &beyond), 0);
	assert_int_equal(class, SECTION_INFERIOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_upper_bound_belongs_to_its_class),
		cmocka_unit_test(test_a_lower_bound_belongs_to_its_class),
		cmocka_unit_test(test_a_range_is_met_or_not),
		cmocka_unit_test(test_the_worst_factor_decides),
		cmocka_unit_test(test_of_equals_the_first_one_configured_decides),
		cmocka_unit_test(test_how_far_below_the_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
