/* SPDX-License-Identifier: MIT */
/* links: toolstack/xend/device/vif_twin.c toolstack/lib/alloc.c toolstack/lib/error.c toolstack/lib/file.c toolstack/lib/json.c toolstack/lib/log.c toolstack/lib/str.c */
/* libs: -ljson-c */
/* Which pairs of interfaces are warned of. */
#include "xend/device/vif_twin.h"

#include <string.h>

#include "config/xend_config.h"
#include "lib/log.h"
#include "protocol.h"
#include "xend/device/device.h"
#include "xend/domain/domain.h"
#include "xend/runtime/settings.h"
#include "unit.h"

struct domain_list domains = TAILQ_HEAD_INITIALIZER(domains);
static struct xend_config its_settings = { .default_bridge = (char *)"xenbr0" };
struct xend_config *settings = &its_settings;
const struct device_ops device_vif_ops = { .class = "vif" };
static const struct device_ops disk_ops = { .class = "vbd" };

static struct domain one = { .name = (char *)"one", .domid = 3 },
		     two = { .name = (char *)"two", .domid = 4 };
static struct device ones = { .domain = &one, .ops = &device_vif_ops, .devid = 1 },
		     twos = { .domain = &two, .ops = &device_vif_ops, .devid = 2 },
		     disk = { .domain = &one, .ops = &disk_ops };

/* The warning for `two`, which was started after `one`. */
static const char *warning(const char *mac, const char *bridge, int domid)
{
	static char text[300];
	struct json_object *result = json_new_object(), *found;

	twos.vif.mac = (char *)mac;
	twos.vif.bridge = (char *)bridge;
	one.domid = domid;
	vif_twin_warn(&two, result);
	found = json_find(result, XEND_D_WARNING);
	snprintf(text, sizeof(text), "%s", found ? json_object_get_string(found) : "");
	json_object_put(result);
	return text;
}

static void test_the_same_mac_on_the_same_bridge(void **state)
{
	assert_string_equal(warning("00:16:3E:00:00:0A", NULL, 3),
			    "The interface 2 of domain 'two' has the MAC 00:16:3E:00:00:0A, as the "
			    "interface 1 of domain 'one' on the same bridge, xenbr0. Both lose "
			    "packets: give one of them another mac.");
	assert_string_equal(warning("00:16:3e:00:00:0b", NULL, 3), "");
	assert_string_equal(warning("00:16:3e:00:00:0a", "xenbr1", 3), "");
	/* Another domain's bridge of that name. */
	ones.host = 7;
	assert_string_equal(warning("00:16:3e:00:00:0a", NULL, 3), "");
	twos.host = 7;
	assert_string_not_equal(warning("00:16:3e:00:00:0a", NULL, 3), "");
	ones.host = twos.host = 0;
	/* It does not run. */
	assert_string_equal(warning("00:16:3e:00:00:0a", NULL, -1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_mac_on_the_same_bridge),
	};

	log_set_stderr(0);
	ones.vif.mac = (char *)"00:16:3e:00:00:0a";
	ones.vif.bridge = (char *)"xenbr0";
	TAILQ_INIT(&one.devices);
	TAILQ_INIT(&two.devices);
	TAILQ_INSERT_TAIL(&domains, &one, link);
	TAILQ_INSERT_TAIL(&domains, &two, link);
	TAILQ_INSERT_TAIL(&one.devices, &disk, link);
	TAILQ_INSERT_TAIL(&one.devices, &ones, link);
	TAILQ_INSERT_TAIL(&two.devices, &twos, link);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
