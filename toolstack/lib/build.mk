# SPDX-License-Identifier: MIT
ts-src-lib += alloc.c error.c file.c json.c log.c sexp.c str.c
