# SPDX-License-Identifier: MIT
ts-src-lib += alloc.c error.c file.c json.c log.c log_file.c log_open.c sexp.c str.c
