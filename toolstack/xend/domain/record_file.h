/* SPDX-License-Identifier: MIT */
/*
 * The file of a record, written and removed in a thread, because a disk may be slow or dead.
 */
#ifndef XEND_DOMAIN_RECORD_FILE_H
#define XEND_DOMAIN_RECORD_FILE_H

#include "lib/error.h"
#include "lib/str.h"

/*
 * Both wait, and cannot be cancelled. Work on one record is done in the order of the calls, also
 * after a call that timed out: the old record does not come back over a newer one.
 *
 * -ETIMEDOUT: the disk does not answer, and the call may yet have its effect.
 */

/* Replaces the record of the UUID by the text, and makes its directory if need be. */
int record_file_write(const char *uuid, const struct str *text, struct error **e);
/* Removes the record, the suspended domain's memory, and their directory. */
int record_file_remove(const char *uuid, struct error **e);

#endif
