# SPDX-License-Identifier: MIT
#
# Fuzzers (clang's libFuzzer): `make fuzz F=insn TIME=60`, `make fuzz F=toolstack/config`. Each is tests/fuzz/fuzz_NAME.c, or
# tests/fuzz/toolstack/fuzz_NAME.c for code of the toolstack, and says, as a unit test does, which files it links and which
# libraries it needs, and libFuzzer's flags if it wants others (flags). It starts from the inputs that are kept in tests/fuzz/corpus/NAME/; those that it finds go to
# build/fuzz/corpus/NAME/, and what makes it fail to build/fuzz/. scripts/fuzz runs all of them.
FUZZ_CC ?= clang
F ?= insn
TIME ?= 60

fuzz-dir := tests/fuzz
fuzz-all := $(sort $(patsubst $(fuzz-dir)/fuzz_%.c,%,$(wildcard $(fuzz-dir)/fuzz_*.c)) \
	$(patsubst $(fuzz-dir)/toolstack/fuzz_%.c,toolstack/%,$(wildcard $(fuzz-dir)/toolstack/fuzz_*.c)))
fuzz-file = $(filter-out ./,$(dir $(1)))fuzz_$(notdir $(1))
fuzz-line = $(shell sed -n 's,^/\* $(1): \(.*\) \*/$$,\1,p' $(fuzz-dir)/$(call fuzz-file,$(2)).c 2>/dev/null)
fuzz-flags := -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -Wall -Wextra -Werror
fuzz-hv-flags := -Itests/unit/include -Ihypervisor/include -Ihypervisor -include lib/types.h
fuzz-ts-flags := -D_GNU_SOURCE -D__XEN_TOOLS__ -DXENOLITH_VERSION='"fuzz"' -Wno-unused-parameter -Itoolstack \
	-I/usr/include/json-c -Ihypervisor/include -Itests/unit/toolstack
fuzz-objects = $(patsubst %.c,build/fuzz/obj/%.o,$(1))

build/fuzz/obj/%.o: %.c
	$(call say,FUZZ-CC)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(fuzz-flags) -fsanitize=fuzzer-no-link $(fuzz-hv-flags) -MMD -MP -c -o $@ $<

build/fuzz/obj/toolstack/%.o build/fuzz/obj/tests/fuzz/toolstack/%.o build/fuzz/obj/tests/unit/toolstack/%.o: \
	fuzz-hv-flags := $(fuzz-ts-flags)

define fuzz-rules
build/fuzz/$(call fuzz-file,$(1)): $$(call fuzz-objects,$(fuzz-dir)/$(call fuzz-file,$(1)).c $$(wildcard $$(call fuzz-line,links,$(1))))
	$$(call say,FUZZ)
	@mkdir -p $$(@D)
	$$(Q)$(FUZZ_CC) $(fuzz-flags) -fsanitize=fuzzer -o $$@ $$^ $$(call fuzz-line,libs,$(1))
endef
$(foreach f,$(fuzz-all),$(eval $(call fuzz-rules,$(f))))

-include $(shell find build/fuzz/obj -name '*.d' 2>/dev/null)

.PHONY: fuzz fuzzers fuzz-list
fuzz: build/fuzz/$(call fuzz-file,$(F)) ## runs one fuzzer: F=name, TIME=seconds
	@mkdir -p build/fuzz/corpus/$(F) $(fuzz-dir)/corpus/$(F)
	build/fuzz/$(call fuzz-file,$(F)) -max_total_time=$(TIME) -timeout=10 -rss_limit_mb=1024 -close_fd_mask=1 $(call fuzz-line,flags,$(F)) \
		-artifact_prefix=build/fuzz/$(subst /,-,$(F))- build/fuzz/corpus/$(F) $(fuzz-dir)/corpus/$(F)

fuzzers: $(foreach f,$(fuzz-all),build/fuzz/$(call fuzz-file,$(f))) ## builds all fuzzers

fuzz-list: ## names all fuzzers
	@printf '%s\n' $(fuzz-all)
