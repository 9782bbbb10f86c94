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

# How a kernel says that it is one: in a segment of notes; in a section of notes; in a string.
guest-starts := start start-sections start-string
build/guest/lib/start-sections.o build/guest/lib/start-string.o: tests/guest/lib/start.S
	$(call say,GUEST)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(guest-cflags) -D__ASSEMBLY__ \
		$(if $(findstring string,$@),-DXEN_GUEST_STRING,-DNO_VIRT_BASE) -c -o $@ $<
build/guest/lib/plain.lds: tests/guest/lib/guest.lds
	$(Q)mkdir -p $(@D)
	$(Q)sed '/PT_NOTE/d; s/ :note$$//' $< >$@

guest-start = $(or $(guest-start-$(1)),start)
guest-start-symtab := start-sections
guest-start-xen_guest := start-string

define guest-rules
build/guest/$(1).elf: build/guest/$(1).o build/guest/lib/guest.o build/guest/lib/$(call guest-start,$(1)).o \
		$(if $(guest-start-$(1)),build/guest/lib/plain.lds,tests/guest/lib/guest.lds)
	$$(Q)$(HOSTCC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
		-Wl,-T,$$(filter %.lds,$$^) -o $$@ $$(filter %.o,$$^)
endef
$(foreach g,$(guest-names),$(eval $(call guest-rules,$(g))))

.PHONY: guests
guests: $(guest-elfs)
.SECONDARY: $(guest-names:%=build/guest/%.o) build/guest/lib/guest.o $(guest-starts:%=build/guest/lib/%.o)
all-targets += guests

# Micro-guests in PVH form: tests/guest/pvh/NAME.c becomes build/guest/pvh/NAME.elf.
pvh-names := $(filter-out pvh,$(basename $(notdir $(wildcard tests/guest/pvh/*.c))))
pvh-elfs := $(pvh-names:%=build/guest/pvh/%.elf)

build/guest/pvh/%.o: tests/guest/pvh/pvh.h
build/guest/pvh/%.elf: build/guest/pvh/%.o build/guest/pvh/pvh.o build/guest/pvh/start.o tests/guest/pvh/pvh.lds
	$(Q)$(HOSTCC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
		-Wl,-T,$(filter %.lds,$^) -o $@ $(filter %.o,$^)

guests: $(pvh-elfs)
.SECONDARY: $(pvh-names:%=build/guest/pvh/%.o) build/guest/pvh/pvh.o build/guest/pvh/start.o
