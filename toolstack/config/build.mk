# SPDX-License-Identifier: MIT
ts-src-config += change.c check.c config.c cpus.c diag.c disk.c domain_size.c foreign.c generate.c guest_kind.c keys.c lexer.c pairs.c parser.c pin.c program.c schema.c screen.c sexp.c text.c
ts-src-config += units.c value.c vdev.c xend_config.c
