# SPDX-License-Identifier: MIT
ts-src-util += alloc.c error.c file.c json.c log.c str.c
