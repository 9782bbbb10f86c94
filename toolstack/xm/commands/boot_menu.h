/* SPDX-License-Identifier: MIT */
/*
 * Starts a domain beside its console: what its bootloader shows is seen here, and may be typed to,
 * while xend still works on the request.
 */
#ifndef XM_COMMANDS_BOOT_MENU_H
#define XM_COMMANDS_BOOT_MENU_H

#include <json.h>

/*
 * Asks xend for `method`, which starts the domain of that name. Returns the result, which the
 * caller owns, or NULL after an error message. `params` is consumed.
 */
struct json_object *boot_menu_call(const char *method, struct json_object *params,
				   const char *domain);

/*
 * After a result: goes on with the console of the domain with that id, which `flags` (enum
 * console_flags) are for if there was no menu. Returns an enum xm_status.
 */
int boot_menu_attach(const char *id, unsigned int flags);

#endif
