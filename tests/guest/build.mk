# SPDX-License-Identifier: MIT
# Micro-guests: each tests/guest/NAME.c becomes build/guest/NAME.elf, a PV kernel. `make guests` builds them,
# tests/guest/run runs them.

guest-names := $(basename $(notdir $(wildcard tests/guest/*.c)))
guest-elfs := $(guest-names:%=build/guest/%.elf)
guest-cflags := -std=gnu11 -O2 -g -ffreestanding -fno-builtin -fno-pic -no-pie -mcmodel=small -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing \
	-Wall -Wextra -Werror -Itests/guest/lib

build/guest/%.o: tests/guest/%.c tests/guest/lib/guest.h
	$(call say,GUEST)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(guest-cflags) -c -o $@ $<

build/guest/%.o: tests/guest/%.S
	$(call say,GUEST)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(guest-cflags) -D__ASSEMBLY__ -c -o $@ $<

build/guest/%.elf: build/guest/%.o build/guest/lib/guest.o build/guest/lib/start.o tests/guest/lib/guest.lds
	$(Q)$(HOSTCC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
		-Wl,-T,tests/guest/lib/guest.lds -o $@ $(filter %.o,$^)

.PHONY: guests
guests: $(guest-elfs)
.SECONDARY: $(guest-names:%=build/guest/%.o) build/guest/lib/guest.o build/guest/lib/start.o
all-targets += guests
