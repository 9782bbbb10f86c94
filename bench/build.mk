# SPDX-License-Identifier: MIT
# What the benchmark runs: micro-guests (bench/guest/NAME.c -> build/bench/NAME.elf) and small programs for Linux guests
# (bench/linux/NAME.c -> build/bench/NAME). bench/run does the measuring.

bench-guests := hypercalls
bench-guest-elfs := $(bench-guests:%=build/bench/%.elf)

build/bench/guest/%.o: bench/guest/%.c bench/guest/bench.h tests/guest/lib/guest.h
	$(call say,GUEST)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(guest-cflags) -Ibench/guest -c -o $@ $<

build/bench/%.elf: build/bench/guest/%.o build/bench/guest/bench.o build/guest/lib/guest.o build/guest/lib/start.o \
		tests/guest/lib/guest.lds
	$(Q)$(HOSTCC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
		-Wl,-T,tests/guest/lib/guest.lds -o $@ $(filter %.o,$^)

.PHONY: bench-programs
bench-programs: $(bench-guest-elfs)
.SECONDARY: $(bench-guests:%=build/bench/guest/%.o) build/bench/guest/bench.o
