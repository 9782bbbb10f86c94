# SPDX-License-Identifier: MIT
# What the benchmark runs: micro-guests (bench/guest/NAME.c -> build/bench/NAME.elf) and small programs for Linux systems
# (bench/linux/NAME.c -> build/bench/linux/NAME). bench/run does the measuring.

bench-guests := hypercalls pair idle
bench-guest-elfs := $(bench-guests:%=build/bench/%.elf)
bench-linux := $(patsubst bench/linux/%.c,build/bench/linux/%,$(wildcard bench/linux/*.c))

build/bench/guest/%.o: bench/guest/%.c bench/guest/bench.h tests/guest/lib/guest.h
	$(call say,GUEST)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(guest-cflags) -Ibench/guest -c -o $@ $<

build/bench/%.elf: build/bench/guest/%.o build/bench/guest/bench.o build/guest/lib/guest.o build/guest/lib/start.o \
		tests/guest/lib/guest.lds
	$(Q)$(HOSTCC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
		-Wl,-T,tests/guest/lib/guest.lds -o $@ $(filter %.o,$^)

# Loaded by the boot loader itself, in 32 bits.
build/bench/start.elf: bench/guest/start.S
	$(call say,GUEST)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) -m32 -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-Ttext=0x100100 \
		-Wl,--section-start=.multiboot=0x100000 -Wl,-z,max-page-size=4096 -o $@ $<

build/bench/linux/%: bench/linux/%.c bench/linux/ticks.h
	$(call say,BENCH)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -O2 -Wall -Wextra -Werror -static -o $@ $<

.PHONY: bench-programs
bench-programs: $(bench-guest-elfs) $(bench-linux) build/bench/start.elf
.SECONDARY: $(bench-guests:%=build/bench/guest/%.o) build/bench/guest/bench.o
