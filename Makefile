# SPDX-License-Identifier: MIT
#
# The one Makefile: not recursive. Each directory has a build.mk that adds what it holds:
#
#	hv-src += hypervisor/core/base/timer.c	C and assembler (.S) of the hypervisor
#	hv-init-objs += $(hv-out)/x.o		ready-made objects whose sections are named .init.*: freed after boot
#	cflags-hypervisor/lib/x.c += -Wno-y	flags of one file
#	all-targets += thing			what plain `make` builds besides the hypervisor
#
# Everything that is made lies in build/. Variants do not disturb each other: DEBUG=1 and CC=clang have directories and
# images of their own (build/hv-debug, build/xenolith-debug.elf and so on).
#
# One object:	make build/hv/hypervisor/core/base/timer.o
# Quiet rules say what they make; V=1 shows the commands.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

default: all

# The one place that has it is the changelog of the packages.
ifndef VERSION
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' packaging/debian/changelog)
endif
ifeq ($(origin CC),default)
CC := gcc
endif
HOSTCC ?= gcc
# What a package adds: nothing that names the directory in which it is built.
PACKAGE_CFLAGS ?=
PYTHON ?= python3
DEBUG ?= 0
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@echo "  $(1)	$@")

comma := ,
hv-is-clang := $(findstring clang,$(notdir $(CC)))
hv-is-debug := $(filter 1 y,$(DEBUG))
hv-variant := $(if $(hv-is-debug),-debug)$(if $(hv-is-clang),-clang)
hv-out := build/hv$(hv-variant)
hv-gen := $(hv-out)/gen
hv-image := build/xenolith$(hv-variant)

# $(call cc-option,FLAG...): those that the compiler knows.
cc-option = $(foreach f,$(1),$(shell $(CC) -Werror $(f) -c -x c /dev/null -o /dev/null 2>/dev/null && echo $(f)))

hv-compiler := $(if $(hv-is-clang),Clang,GCC) $(shell $(CC) -dumpfullversion -dumpversion)

# __XEN_TOOLS__ and not __XEN__: the public headers then give XEN_GUEST_HANDLE types their member `p`, all names of the
# registers, domctl.h and sysctl.h, and still the structs that only guests' builders need (start_info). lib/errno.h adds
# the two numbers that they keep from tools.
hv-cppflags := -D__XEN_TOOLS__ -Ihypervisor/include -Ihypervisor -I$(hv-gen) -include hypervisor/include/hv/build.h \
	$(if $(hv-is-debug),-DHV_DEBUG) -DHV_VERSION='"$(VERSION)"' \
	-DHV_COMPILER='"$(hv-compiler)"'
hv-warnings := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wundef -Wvla \
	-Wwrite-strings -Wno-unused-parameter -Wno-missing-field-initializers -Wframe-larger-than=3072
# Release code keeps no frame pointer: a backtrace then scans the stack (x86/cpu/backtrace.c).
hv-cflags := -std=gnu11 -O2 -g -ffreestanding -fno-builtin -fPIE -mcmodel=small -mno-red-zone -mgeneral-regs-only \
	-fno-common -fno-strict-aliasing -fno-asynchronous-unwind-tables -fcf-protection=none -fvisibility=hidden \
	-ffunction-sections -fdata-sections -fstack-protector-strong -mstack-protector-guard=global $(hv-warnings)
ifneq ($(hv-is-debug),)
hv-cflags += -fno-omit-frame-pointer -fno-optimize-sibling-calls -fsanitize=undefined -fno-sanitize=alignment \
	-fsanitize-undefined-trap-on-error
else
hv-cflags += -fomit-frame-pointer
endif
hv-cflags += $(call cc-option,-fno-tree-loop-distribute-patterns --param=min-pagesize=0)
hv-cflags += $(if $(hv-is-clang),-Wno-gnu-variable-sized-type-not-at-end) -Wno-address-of-packed-member
# The compiler sees the whole hypervisor at once (hv-lto), so that small functions cost no call wherever they lie. What it
# makes calls to by itself stays outside of that: it would find nobody who needs it, and drop it.
# One partition: with several, who shares one depends on the names of files, and so do 3 % of a switch between guests.
hv-lto := $(if $(hv-is-clang)$(hv-is-debug),,-flto=auto -flto-partition=one)
# No merging of functions that it thinks alike: two that differ in an asm operand's type only are not.
hv-cflags += $(hv-lto) $(call cc-option,-fno-ipa-icf) $(PACKAGE_CFLAGS)
hv-asflags := -g -fPIE -D__ASSEMBLY__ $(PACKAGE_CFLAGS)
hv-ldflags := -nostdlib -static $(if $(hv-is-clang),,-no-pie) -Wl,--build-id=sha1 -Wl,-z,noexecstack -Wl,-z,max-page-size=4096 \
	-Wl,--gc-sections -Wl,--orphan-handling=error -Wl,--no-warn-rwx-segments -Wl,--fatal-warnings \
	$(if $(hv-is-clang),-fuse-ld=bfd -Wl$(comma)--no-relax)

hv-src :=
hv-init-objs :=
all-targets :=
clean-files :=
build-mk := $(sort $(wildcard hypervisor/build.mk hypervisor/*/build.mk hypervisor/*/*/build.mk hypervisor/*/*/*/build.mk hypervisor/*/*/*/*/build.mk \
	toolstack/build.mk packaging/build.mk tests/guest/build.mk tests/fuzz/build.mk bench/build.mk))
include $(build-mk)
-include tests/unit/build.mk

hv-src := $(sort $(hv-src))
hv-c := $(filter %.c,$(hv-src))
hv-objs := $(patsubst %,$(hv-out)/%.o,$(basename $(hv-src)))
hv-lds := hypervisor/xenolith.lds

.PHONY: default all hypervisor help clean tidy cppcheck sparse format-check format layers unused size unit bench

all: hypervisor $(all-targets) ## builds everything

hypervisor: $(hv-image).elf $(hv-image).gz $(hv-image).syms ## builds build/xenolith.elf (QEMU -kernel), .gz (GRUB), .syms (gdb)

# --- generated headers --------------------------------------------------------------------------

hv-generated :=
ifneq ($(wildcard hypervisor/hypercalls.tbl),)
hv-generated += $(hv-gen)/hypercall_table.h
$(hv-gen)/hypercall_table.h: hypervisor/hypercalls.tbl scripts/gen-hypercalls
	$(call say,GEN)
	@mkdir -p $(@D)
	$(Q)scripts/gen-hypercalls $< >$@
endif

hv-generated += $(hv-gen)/screen_font.h

hv-offsets-c := hypervisor/x86/cpu/asm_offsets.c
$(hv-gen)/asm_offsets.h: $(hv-offsets-c) $(hv-generated)
	$(call say,GEN)
	@mkdir -p $(@D)
	$(Q)$(CC) $(hv-cppflags) $(filter-out -fsanitize% -flto% -g,$(hv-cflags)) -MMD -MP -MT $@ -MF $(hv-gen)/asm_offsets.d \
		-S -o $(hv-gen)/asm_offsets.s $<
	$(Q)scripts/gen-asm-offsets <$(hv-gen)/asm_offsets.s >$@

# --- objects ------------------------------------------------------------------------------------

# The flags of the last build; when they change, everything is compiled again.
hv-flags-now := $(CC) $(hv-cppflags) $(hv-cflags) $(hv-asflags)
$(hv-out)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(hv-flags-now))' | cmp -s - $@ || echo '$(subst ','\'',$(hv-flags-now))' >$@
.PHONY: FORCE
FORCE:

$(hv-out)/%.o: %.c $(hv-out)/flags | $(hv-generated)
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(hv-cppflags) $(hv-cflags) $(cflags-$<) -MMD -MP -c -o $@ $<

$(hv-out)/%.o: %.S $(hv-out)/flags $(if $(wildcard $(hv-offsets-c)),$(hv-gen)/asm_offsets.h)
	$(call say,AS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(hv-cppflags) $(hv-asflags) $(cflags-$<) -MMD -MP -c -o $@ $<

# --- the image ----------------------------------------------------------------------------------

# The table of symbols for backtraces changes where .init lies, so the first table has the right size only, the second
# one is right.
$(hv-out)/xenolith.lds: $(hv-lds) hypervisor/include/hv/config.h
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x c $(hv-cppflags) -D__ASSEMBLY__ -D__LINKER__ -o $@ $<

hv-link = $(Q)$(CC) $(hv-ldflags) -Wl,-T,$(hv-out)/xenolith.lds -o
# All of our own objects as one; with hv-lto this is where the code is generated.
$(hv-out)/whole.o: $(hv-objs)
	$(call say,LD)
	$(Q)$(CC) $(filter-out -MMD -MP,$(hv-cflags)) $(if $(hv-lto),-flinker-output=nolto-rel) -nostdlib -r -o $@ $(hv-objs)

$(hv-image).syms: $(hv-out)/whole.o $(hv-init-objs) $(hv-out)/xenolith.lds scripts/gen-symbols
	$(call say,LD)
	$(Q)scripts/gen-symbols </dev/null >$(hv-out)/symbols0.S
	$(Q)$(CC) -c -o $(hv-out)/symbols0.o $(hv-out)/symbols0.S
	$(hv-link) $(hv-out)/pass0 $(hv-out)/whole.o $(hv-init-objs) $(hv-out)/symbols0.o
	$(Q)nm -n $(hv-out)/pass0 | scripts/gen-symbols >$(hv-out)/symbols1.S
	$(Q)$(CC) -c -o $(hv-out)/symbols1.o $(hv-out)/symbols1.S
	$(hv-link) $(hv-out)/pass1 $(hv-out)/whole.o $(hv-init-objs) $(hv-out)/symbols1.o
	$(Q)nm -n $(hv-out)/pass1 | scripts/gen-symbols >$(hv-out)/symbols2.S
	$(Q)$(CC) -c -o $(hv-out)/symbols2.o $(hv-out)/symbols2.S
	$(hv-link) $@ $(hv-out)/whole.o $(hv-init-objs) $(hv-out)/symbols2.o

$(hv-image).elf: $(hv-image).syms scripts/make-elf32
	$(call say,ELF32)
	$(Q)scripts/make-elf32 $< $@

$(hv-image).gz: $(hv-image).elf
	$(call say,GZIP)
	$(Q)gzip -9 -n <$< >$@

# --- checks -------------------------------------------------------------------------------------

# clang's view of the flags, for tools that are made of it.
hv-tool-flags := $(hv-cppflags) -std=gnu11 -ffreestanding -mgeneral-regs-only -Wno-unused-parameter

# $(call each,N,COMMAND): COMMAND with N of the hypervisor's .c files at its end at a time, one such process for each CPU.
each = printf '%s\n' $(hv-c) | xargs -P $$(nproc) -n $(1) $(2)

format-files = $(shell find hypervisor toolstack tests bench -name '*.[ch]')

build/compile_commands.json: Makefile scripts/gen-compile-commands $(build-mk)
	@mkdir -p $(@D)
	$(Q)scripts/gen-compile-commands $(hv-tool-flags) -- $(hv-c) >$@

# A process for each file: clang 14's check of va_lists carries over what it saw from one file to the next.
tidy: $(hv-generated) build/compile_commands.json ## clang-tidy over the hypervisor (.clang-tidy says what for)
	$(Q)$(call each,1,clang-tidy -p build --quiet) 2>build/tidy.err || { grep -v 'warnings generated' build/tidy.err; exit 1; }

# One configuration, the one that is built: the others (__ASSEMBLY__, the linker script) are not C. It takes the bits of
# &mask for a use of mask; the compilers and clang-tidy look for what is not initialised.
cppcheck: $(hv-generated) ## cppcheck over the hypervisor, release and debug, and the toolstack
	$(Q)for variant in -UHV_DEBUG -DHV_DEBUG; do \
		cppcheck -j $$(nproc) --quiet --std=c11 --platform=unix64 --error-exitcode=1 --inline-suppr \
			--enable=warning,portability,performance --suppress=missingIncludeSystem --suppress=comparePointers \
			--suppress=uninitvar --suppress=ctuuninitvar \
			--template='{file}:{line}: {severity}: {message} [{id}]' -D__x86_64__ -D__GNUC__=12 -U__ASSEMBLY__ \
			-I/usr/include $(filter-out -include hypervisor/include/hv/build.h -DHV_DEBUG,$(hv-cppflags)) $$variant $(hv-c) || exit 1; \
	done
	$(Q)$(ts-cppcheck)

sparse: $(hv-generated) ## sparse (address spaces of guests' pointers) over the hypervisor
	$(Q)$(call each,1,sparse -Wsparse-error -Wcast-to-as -Wcast-from-as -Wshadow -Wno-non-pointer-null \
		$(hv-cppflags) -std=gnu11 -m64 -I/usr/include)

format-check: ## says which files clang-format would change
	$(Q)clang-format --dry-run -Werror $(format-files)

format: ## lets clang-format rewrite the files
	$(Q)clang-format -i $(format-files)

# Compiled again without inlining and LTO, which hide who calls whom.
unused-out := build/unused
unused-cflags = $(filter-out -O2 -O1 -flto% -g -fsanitize% -D_FORTIFY%,$(1)) -O1 -fno-inline -ffunction-sections -fdata-sections
$(unused-out)/hypervisor/%.o: hypervisor/%.c $(hv-out)/flags | $(hv-generated)
	@mkdir -p $(@D)
	$(Q)$(CC) $(hv-cppflags) -D__init= $(call unused-cflags,$(hv-cflags)) $(cflags-$<) -MMD -MP -c -o $@ $<
$(unused-out)/toolstack/%.o: toolstack/%.c $(ts-out)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(ts-cppflags) $(call unused-cflags,$(ts-cflags)) $(cflags-$<) -MMD -MP -c -o $@ $<
$(unused-out)/shared/%.o: hypervisor/lib/%.c $(ts-out)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) -D__XEN_TOOLS__ -Ihypervisor/include -include lib/types.h $(call unused-cflags,$(ts-cflags)) -MMD -MP -c -o $@ $<

$(unused-out)/hypervisor/%.o: hypervisor/%.S $(hv-out)/flags $(if $(wildcard $(hv-offsets-c)),$(hv-gen)/asm_offsets.h)
	@mkdir -p $(@D)
	$(Q)$(CC) $(hv-cppflags) $(hv-asflags) $(cflags-$<) -MMD -MP -c -o $@ $<

unused-hv := $(patsubst hypervisor/%,$(unused-out)/hypervisor/%.o,$(basename $(hv-src) $(filter-out %/libc_shim.c,$(hv-decompress-src))))
unused-ts = $(patsubst %.c,$(unused-out)/toolstack/%.o,$(foreach d,$(ts-dirs-$(1)) $(ts-libraries),$(addprefix $(d)/,$(ts-src-$(d))))) \
	$(ts-shared-$(1):$(ts-out)/%=$(unused-out)/%)

unused-all = $(unused-hv) $(foreach p,$(ts-programs),$(call unused-ts,$(p)))

layers: $(unused-all) ## checks who includes and who calls whom
	$(Q)$(PYTHON) scripts/check-layers . $(unused-out)

# What only debug builds use, what tests look at, and whom the relocation server will ask.
unused-keep := page_table_is_consistent spin_is_locked page_list_next clients_count xend_config_allows
# VMX will want these; tests hold them meanwhile.
unused-keep += p2m_format_ept insn_length

unused: $(unused-all) ## names functions and variables that nothing uses
	$(Q)scripts/unused-functions $(unused-keep:%=--keep %) start_image $(unused-hv) $(foreach p,$(ts-programs),-- main $(call unused-ts,$(p)))

-include $(wildcard $(unused-out)/*/*.d $(unused-out)/*/*/*.d $(unused-out)/*/*/*/*.d $(unused-out)/*/*/*/*/*.d)

# Debian's Xen comes from the lab; its image has sections in the form for EFI.
hv-xen := build/lab/root/boot/xen-4.17-amd64
size: $(hv-image).syms $(hv-image).gz bench-programs ## lines of code, sections of the image, memory kept, beside Debian's Xen
	$(Q)lab/build
	$(Q)$(PYTHON) scripts/count-lines --limit 36000 hypervisor
	$(Q)bench/size $(hv-image).syms $(hv-image).gz $(hv-xen).efi $(hv-xen).gz
	$(Q)bench/run --only memory --image $(hv-image).elf --name size --no-judge

# --- measuring ----------------------------------------------------------------------------------

ONLY ?=
bench: hypervisor toolstack bench-programs ## instructions beside Debian's Xen; ONLY=hypercalls: a part (bench/run --help)
	$(Q)lab/build
	$(Q)bench/run $(if $(ONLY),--only $(ONLY))

# --- the rest -----------------------------------------------------------------------------------

help: ## lists the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24
	@echo "Variables: DEBUG=1 (lock ranks, checks, UBSan), CC=clang, V=1 (show commands), T=name (one unit test)"

clean: ## removes what make made (not the lab's downloads)
	rm -rf build/hv build/hv-* build/xenolith* build/unit $(unused-out) build/compile_commands.json $(clean-files)

-include $(hv-objs:.o=.d) $(wildcard $(hv-gen)/*.d)
