# SPDX-License-Identifier: MIT
#
# The worker, a program of its own for each long job: it builds domains (build/), saves and restores them (stream/),
# and lets VNC clients in to their screens (screen/).
ts-src-worker += confine.c confine_drop.c confine_tree.c confine_watch.c limits.c main.c sandbox.c target.c
ts-src-worker += build/bootloader.c build/bootloader_output.c build/bzimage.c build/cache.c \
	build/guest_memory.c build/kernel.c build/kernel_info.c build/kernel_sandbox.c build/op_build.c \
	build/request.c build/start.c build/unpack.c build/unpack_lz4.c build/unpack_lzo.c \
	build/unpack_streams.c build/unpack_xz.c build/x86_filter.c
ts-src-worker += screen/gate.c screen/gate_client.c screen/op_screen.c screen/rfb.c
ts-src-worker += stream/frames.c stream/guest_p2m.c stream/in.c stream/live_frames.c stream/op_dump.c \
	stream/op_restore.c stream/op_resume.c stream/op_save.c stream/out.c stream/pace.c stream/restore.c stream/restore_finish.c \
	stream/restore_pages.c stream/resume.c stream/save.c stream/save_live.c stream/save_pages.c stream/save_vcpus.c stream/vcpu_frames.c

# The readers of ELF files and bzImages, the layout of a PV guest's start, and what is known of processors' faults are the
# hypervisor's, the very same files: pure code that trusts nothing.
ts-shared-xend := $(ts-out)/shared/cpu_faults.o $(ts-out)/shared/cpu_guards.o
ts-shared-xend-worker := $(ts-out)/shared/elf.o $(ts-out)/shared/bzimage.o $(ts-out)/shared/pv_notes.o \
	$(ts-out)/shared/pv_start.o $(ts-out)/shared/pv_symtab.o
ts-shared := $(ts-shared-xend) $(ts-shared-xend-worker)
cflags-toolstack/worker/build/kernel_info.c += -Ihypervisor/include
cflags-toolstack/worker/build/bzimage.c += -Ihypervisor/include
cflags-toolstack/worker/build/kernel_sandbox.c += -Ihypervisor/include
cflags-toolstack/worker/build/op_build.c += -Ihypervisor/include
cflags-toolstack/worker/build/start.c += -Ihypervisor/include
$(ts-shared): $(ts-out)/shared/%.o: hypervisor/lib/%.c $(ts-out)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) -D__XEN_TOOLS__ -Ihypervisor/include -include lib/types.h $(ts-cflags) -MMD -MP -c -o $@ $<
$(ts-bin)/xend: $(ts-shared-xend)
$(ts-bin)/xend-worker: $(ts-shared-xend-worker)
-include $(ts-shared:.o=.d)
