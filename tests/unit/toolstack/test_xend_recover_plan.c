/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/domain/recover_plan.c */
/*
 * Every state and goal of a record, written in this boot of the host or an earlier one, against
 * everything that the hypervisor may have under its number and under its UUID.
 */
#include "xend/domain/recover_plan.h"

#include <string.h>

#include "unit.h"

#define NUMBER 7
#define NEWER  9

enum under { NOBODY, ITSELF, ITSELF_DYING, STRANGER, STRANGER_DYING };
/* A second domain with the UUID: made by xl from the same file, or by a xend that was killed before
 * it noted the number. */
enum twin { NO_TWIN, TWIN, TWIN_DYING, HALF_MADE };

static const uint8_t uuid[16] = { 1, 2, 3 }, other[16] = { 1, 2, 4 };

struct world {
	struct domain domain;
	struct hv_domain_info list[4];
	size_t count;
};

static void add(struct world *world, uint32_t domid, const uint8_t *its, bool dying,
		uint32_t max_vcpu_id)
{
	struct hv_domain_info *info = &world->list[world->count++];

	*info = (struct hv_domain_info){ .domid = domid,
					 .dying = dying,
					 .max_vcpu_id = max_vcpu_id };
	memcpy(info->uuid, its, sizeof(info->uuid));
}

static struct world make(enum domain_state state, enum domain_goal goal, int domid, bool earlier,
			 enum under under, enum twin twin)
{
	static const uint8_t dom0[16];
	struct world world = {
		.domain = { .state = state, .goal = goal, .domid = domid, .earlier_boot = earlier }
	};

	memcpy(world.domain.uuid, uuid, sizeof(uuid));
	add(&world, 0, dom0, false, 0);
	if (under != NOBODY)
		add(&world, NUMBER, under == ITSELF || under == ITSELF_DYING ? uuid : other,
		    under == ITSELF_DYING || under == STRANGER_DYING, 0);
	if (twin != NO_TWIN)
		add(&world, NEWER, uuid, twin == TWIN_DYING,
		    twin == HALF_MADE ? XEN_INVALID_MAX_VCPU_ID : 0);
	return world;
}

static struct recover_plan decide(const struct world *world)
{
	return recover_decide(&world->domain, world->list, world->count);
}

typedef void check_fn(const struct world *world, enum under under, enum twin twin);

static void each(check_fn *check)
{
	for (int state = 0; state < DOMAIN_STATES; state++)
		for (int goal = 0; goal < DOMAIN_GOALS; goal++)
			for (int domid = -1; domid <= NUMBER; domid += NUMBER + 1)
				for (int earlier = 0; earlier < 2; earlier++)
					for (int under = 0; under <= STRANGER_DYING; under++)
						for (int twin = 0; twin <= HALF_MADE; twin++) {
							struct world world =
								make(state, goal, domid, earlier,
								     under, twin);

							check(&world, under, twin);
						}
}

/* Recovery never touches a number that belongs to another domain, nor any number because of a
 * record from an earlier boot. */
static void check_number(const struct world *world, enum under under, enum twin twin)
{
	struct recover_plan plan = decide(world);

	if (world->domain.earlier_boot || world->domain.state == DOMAIN_HALTED ||
	    world->domain.state == DOMAIN_SUSPENDED)
		assert_int_equal(plan.domid, -1);
	else if (world->domain.domid == NUMBER)
		assert_int_equal(plan.domid,
				 under == STRANGER || under == STRANGER_DYING ? -1 : NUMBER);
	else if (world->domain.state == DOMAIN_BUILDING && twin == HALF_MADE)
		assert_int_equal(plan.domid, NEWER);
	else
		assert_int_equal(plan.domid, -1);
}

static void test_numbers(void **state)
{
	each(check_number);
}

static void check_action(const struct world *world, enum under under, enum twin twin)
{
	const struct domain *domain = &world->domain;
	struct recover_plan plan = decide(world);
	bool lives = !domain->earlier_boot && domain->domid == NUMBER && under == ITSELF;
	enum recover_action want = RECOVER_TAKE_AWAY;

	if (domain->state == DOMAIN_HALTED || domain->state == DOMAIN_SUSPENDED)
		want = RECOVER_NOTHING;
	/* Another host says what becomes of it, also when its memory here is lost. */
	else if (domain->state == DOMAIN_HANDED_OVER)
		want = RECOVER_KEEP;
	else if (lives && (domain->state == DOMAIN_COMPLETE || domain->state == DOMAIN_ARRIVED))
		want = RECOVER_KEEP;
	else if (lives && domain->state == DOMAIN_RUNNING)
		want = RECOVER_ADOPT;
	else if (lives && domain->state == DOMAIN_SAVING)
		want = RECOVER_TAKE_BACK;
	else if (domain->goal == GOAL_RESTART && !domain->earlier_boot &&
		 domain->state != DOMAIN_SAVING)
		want = RECOVER_RESTART;
	assert_int_equal(plan.action, want);
}

static void test_actions(void **state)
{
	each(check_action);
}

/* A domain stays "suspended" only if its file has its memory, which an interrupted save has not
 * written. */
static void check_goal(const struct world *world, enum under under, enum twin twin)
{
	const struct domain *domain = &world->domain;
	struct recover_plan plan = decide(world);

	if (plan.action == RECOVER_NOTHING)
		return;
	if (domain->state == DOMAIN_SAVING)
		assert_int_equal(plan.goal, GOAL_REST);
	else if (domain->goal == GOAL_RESTART && domain->earlier_boot)
		assert_int_equal(plan.goal, GOAL_REST);
	else
		assert_int_equal(plan.goal, domain->goal);
	if (plan.action == RECOVER_RESTART)
		assert_int_equal(plan.goal, GOAL_RESTART);
}

static void test_goals(void **state)
{
	each(check_goal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_goals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
