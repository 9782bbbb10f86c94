# SPDX-License-Identifier: MIT
#
# The worker, a program of its own for each long job; build/ holds its main() and the builder of domains.
ts-src-build += bootloader.c bootloader_output.c bzimage.c cache.c confine.c confine_drop.c confine_tree.c guest.c kernel.c \
	kernel_info.c layout.c limits.c main.c op_build.c request.c sandbox.c start.c tables.c target.c unpack.c unpack_xz.c \
	x86_filter.c

# The readers of ELF files and bzImages, and what is known of processors' faults, are the hypervisor's, the very same
# files: pure code that trusts nothing.
ts-shared-xend := $(ts-out)/shared/cpu_faults.o
ts-shared-xend-worker := $(ts-out)/shared/elf.o $(ts-out)/shared/bzimage.o
ts-shared := $(ts-shared-xend) $(ts-shared-xend-worker)
cflags-toolstack/build/kernel_info.c += -Ihypervisor/include
cflags-toolstack/build/bzimage.c += -Ihypervisor/include
$(ts-shared): $(ts-out)/shared/%.o: hypervisor/lib/%.c $(ts-out)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) -D__XEN_TOOLS__ -Ihypervisor/include -include lib/types.h $(ts-cflags) -MMD -MP -c -o $@ $<
$(ts-bin)/xend: $(ts-shared-xend)
$(ts-bin)/xend-worker: $(ts-shared-xend-worker)
-include $(ts-shared:.o=.d)
