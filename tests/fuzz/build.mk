# SPDX-License-Identifier: MIT
#
# Fuzzers (clang's libFuzzer): `make fuzz F=insn TIME=60`. Each is tests/fuzz/fuzz_NAME.c and says, as a unit test does, which
# files it links; crashing inputs are left in build/fuzz/.
FUZZ_CC ?= clang
F ?= insn
TIME ?= 60

.PHONY: fuzz
fuzz: ## runs one fuzzer: F=name, TIME=seconds
	@mkdir -p build/fuzz/corpus-$(F)
	@$(FUZZ_CC) -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Wall -Wextra -Werror \
		-Itests/unit/include -Ihypervisor/include -Ihypervisor -include lib/types.h -o build/fuzz/fuzz_$(F) \
		tests/fuzz/fuzz_$(F).c $$(sed -n 's,^/\* links: \(.*\) \*/$$,\1,p' tests/fuzz/fuzz_$(F).c)
	build/fuzz/fuzz_$(F) -max_total_time=$(TIME) -artifact_prefix=build/fuzz/ build/fuzz/corpus-$(F)
