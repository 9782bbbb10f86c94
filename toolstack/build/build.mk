# SPDX-License-Identifier: MIT
#
# The worker, a program of its own for each long job; build/ holds its main() and the builder of domains.
ts-src-build += bootloader.c bootloader_output.c bzimage.c cache.c confine.c confine_drop.c confine_tree.c guest.c kernel.c kernel_info.c layout.c main.c op_build.c request.c sandbox.c start.c \
	tables.c unpack.c unpack_xz.c x86_filter.c

# The readers of ELF files and bzImages are the hypervisor's, the very same files: pure code that trusts nothing.
ts-shared := $(ts-out)/shared/elf.o $(ts-out)/shared/bzimage.o
cflags-toolstack/build/kernel_info.c += -Ihypervisor/include
cflags-toolstack/build/bzimage.c += -Ihypervisor/include
$(ts-shared): $(ts-out)/shared/%.o: hypervisor/lib/%.c $(ts-out)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) -D__XEN_TOOLS__ -Ihypervisor/include -include lib/types.h $(ts-cflags) -MMD -MP -c -o $@ $<
$(ts-bin)/xend-worker: $(ts-shared)
-include $(ts-shared:.o=.d)
