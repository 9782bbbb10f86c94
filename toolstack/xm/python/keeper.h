/* SPDX-License-Identifier: MIT */
/*
 * A process between xm and a Python program. It becomes the parent of all that the program leaves
 * behind, and can end it all, because none of its children are anybody else's: xm may have been
 * started by exec, and have inherited children.
 */
#ifndef XM_PYTHON_KEEPER_H
#define XM_PYTHON_KEEPER_H

#include <json.h>

#include "lib/error.h"

struct python_file;

typedef int keeper_work(const struct python_file *file, struct json_object **answer,
			struct error **e);

/*
 * Does the work in that process, and returns what came of it. A signal that would end xm waits
 * until the process has ended what it started.
 */
int keeper_run(keeper_work *work, const struct python_file *file, struct json_object **answer,
	       struct error **e);

#endif
