# SPDX-License-Identifier: MIT
#
# Unit tests on the host, under AddressSanitizer and UBSan: `make unit` runs all, `make unit T=heap` one (or several).
# They also run without the top Makefile: make -f tests/unit/build.mk
#
# A test is one file, tests/unit/test_NAME.c. It says itself which files of the project it links (paths from the root;
# toolstack/config/[a-z]*.c is all of a directory), and which libraries of the host, in comment lines of exactly this form:
#
#	/* links: hypervisor/core/base/timer.c hypervisor/lib/heap.c */
#	/* libs: -llzma */
#
# What privileged code provides is replaced: headers by tests/unit/include/, functions by tests/unit/host/*.c, whose
# definitions are all weak, so that a test or a linked file overrides any of them by defining it.
#
# tests/unit/toolstack/test_NAME.c is a test of the toolstack: `make unit T=toolstack/NAME`. It is an ordinary program, so
# nothing is replaced, and it is compiled as the toolstack is.

unit: # the default goal when this file is used alone

unit-dir := tests/unit
unit-out ?= build/unit
UNIT_CC ?= gcc
unit-warnings := -Wall -Wextra -Werror -Wno-unused-parameter
unit-cflags := -std=gnu11 -O1 -g $(unit-warnings) -fno-omit-frame-pointer -fno-common -DHV_DEBUG -D__XEN_TOOLS__ \
	-fsanitize=address,undefined -fno-sanitize-recover=all \
	-I$(unit-dir)/include -I$(unit-dir) -Ihypervisor/include -Ihypervisor -include lib/types.h -MMD -MP

unit-ts-cflags := $(filter-out -include lib/types.h -I$(unit-dir)/include -Ihypervisor%,$(unit-cflags)) -D_GNU_SOURCE \
	-DXENOLITH_VERSION='"test"' -Itoolstack -Ihypervisor/include -I/usr/include/json-c -I/usr/include/libnl3 -Itests/unit/toolstack

unit-all := $(sort $(patsubst $(unit-dir)/test_%.c,%,$(wildcard $(unit-dir)/test_*.c)) \
	$(patsubst $(unit-dir)/toolstack/test_%.c,toolstack/%,$(wildcard $(unit-dir)/toolstack/test_*.c)))
# NAME or toolstack/NAME -> test_NAME or toolstack/test_NAME
unit-file = $(filter-out ./,$(dir $(1)))test_$(notdir $(1))
T ?=
unit-run := $(or $(strip $(T)),$(unit-all))

# $(call unit-line,links,NAME): the words of that comment line in the test's file.
unit-line = $(shell sed -n 's,^/\* $(1): \(.*\) \*/$$,\1,p' $(unit-dir)/$(call unit-file,$(2)).c 2>/dev/null)
unit-objects = $(patsubst %.c,$(unit-out)/obj/%.o,$(1))

unit-host-objects := $(call unit-objects,$(wildcard $(unit-dir)/host/*.c))

.PHONY: unit $(addprefix unit-run-,$(unit-all))
unit: $(addprefix unit-run-,$(unit-run))

define unit-rules
unit-objects-$(1) := $$(call unit-objects,$(unit-dir)/$(call unit-file,$(1)).c $$(wildcard $$(call unit-line,links,$(1)))) \
	$(if $(filter toolstack/%,$(1)),,$(unit-out)/libhost.a)
$(unit-out)/$(call unit-file,$(1)): $$(unit-objects-$(1))
	@echo "  LD      $$@"
	@mkdir -p $$(@D)
	@$$(UNIT_CC) $(unit-cflags) -o $$@ $$(unit-objects-$(1)) -lcmocka $$(call unit-line,libs,$(1))

unit-run-$(1): $(unit-out)/$(call unit-file,$(1))
	@if UBSAN_OPTIONS=print_stacktrace=1 timeout 900 $$< >$$<.log 2>&1; then \
		echo "  PASS    $(1) ($$$$(grep -c '^\[       OK' $$<.log) tests)"; \
	else \
		cat $$<.log; echo "  FAIL    $(1)"; exit 1; \
	fi
endef
$(foreach t,$(unit-run),$(eval $(call unit-rules,$(t))))

$(unit-out)/libhost.a: $(unit-host-objects)
	@rm -f $@.$$$$ && ar rcs $@.$$$$ $^ && mv $@.$$$$ $@

$(unit-out)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(UNIT_CC) $(unit-cflags) -c -o $@ $<

$(unit-out)/obj/toolstack/%.o $(unit-out)/obj/tests/unit/toolstack/%.o: unit-cflags := $(unit-ts-cflags)

-include $(shell find $(unit-out)/obj -name '*.d' 2>/dev/null)

# It runs this program.
unit-run-toolstack/xend_tls: | build/xend-tls
