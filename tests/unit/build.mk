# SPDX-License-Identifier: MIT
#
# Unit tests on the host, under AddressSanitizer and UBSan: `make unit` runs all, `make unit T=heap` one (or several).
# They also run without the top Makefile: make -f tests/unit/build.mk
#
# A test is one file, tests/unit/test_NAME.c. It says itself which files of the project it links (paths from the root), and
# which libraries of the host, in comment lines of exactly this form:
#
#	/* links: hypervisor/core/timer.c hypervisor/lib/heap.c */
#	/* libs: -llzma */
#
# What privileged code provides is replaced: headers by tests/unit/include/, functions by tests/unit/host/*.c, whose
# definitions are all weak, so that a test or a linked file overrides any of them by defining it.

unit: # the default goal when this file is used alone

unit-dir := tests/unit
unit-out ?= build/unit
UNIT_CC ?= gcc
unit-warnings := -Wall -Wextra -Werror -Wno-unused-parameter
unit-cflags := -std=gnu11 -O1 -g $(unit-warnings) -fno-omit-frame-pointer -fno-common -DHV_DEBUG -D__XEN_TOOLS__ \
	-fsanitize=address,undefined -fno-sanitize-recover=all \
	-I$(unit-dir)/include -I$(unit-dir) -Ihypervisor/include -Ihypervisor -include lib/types.h -MMD -MP

unit-all := $(sort $(patsubst $(unit-dir)/test_%.c,%,$(wildcard $(unit-dir)/test_*.c)))
T ?=
unit-run := $(or $(strip $(T)),$(unit-all))

# $(call unit-line,links,NAME): the words of that comment line in the test's file.
unit-line = $(shell sed -n 's,^/\* $(1): \(.*\) \*/$$,\1,p' $(unit-dir)/test_$(2).c 2>/dev/null)
unit-objects = $(patsubst %.c,$(unit-out)/obj/%.o,$(1))

unit-host-objects := $(call unit-objects,$(wildcard $(unit-dir)/host/*.c))

.PHONY: unit $(addprefix unit-run-,$(unit-all))
unit: $(addprefix unit-run-,$(unit-run))

define unit-rules
unit-objects-$(1) := $$(call unit-objects,$(unit-dir)/test_$(1).c $$(call unit-line,links,$(1)))
$(unit-out)/test_$(1): $$(unit-objects-$(1)) $(unit-out)/libhost.a
	@echo "  LD      $$@"
	@$$(UNIT_CC) $(unit-cflags) -o $$@ $$(unit-objects-$(1)) $(unit-out)/libhost.a -lcmocka $$(call unit-line,libs,$(1))

unit-run-$(1): $(unit-out)/test_$(1)
	@if UBSAN_OPTIONS=print_stacktrace=1 timeout 300 $$< >$$<.log 2>&1; then \
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

-include $(shell find $(unit-out)/obj -name '*.d' 2>/dev/null)
