# SPDX-License-Identifier: MIT
hv-src += hypervisor/lib/bitmap.c
hv-src += hypervisor/lib/cpu_faults.c hypervisor/lib/cpu_guards.c
hv-src += hypervisor/lib/dirty_map.c
hv-src += hypervisor/lib/elf.c
hv-src += hypervisor/lib/heap.c
hv-src += hypervisor/lib/printf.c
hv-src += hypervisor/lib/pv_notes.c
hv-src += hypervisor/lib/pv_start.c
hv-src += hypervisor/lib/pv_symtab.c
hv-src += hypervisor/lib/rangeset.c
hv-src += hypervisor/lib/string.c
hv-src += hypervisor/lib/text_screen.c

# The decompression code and the static libraries that it needs become one object, with .init
# sections only. Every symbol in it is local, except those of lib/decompress.h and lib/bzimage.h.
# memcpy and its like come from lib/string.c.
hv-decompress-src := $(addprefix hypervisor/lib/,bzimage.c decompress.c decompress_gzip.c decompress_lz4.c decompress_xz.c \
	decompress_zstd.c libc_shim.c)
hv-decompress-objs := $(hv-decompress-src:%.c=$(hv-out)/%.o)
hv-decompress-archives := $(foreach a,liblzma.a libzstd.a liblz4.a libz.a,$(shell $(CC) -print-file-name=$(a)))
hv-decompress-keep := bzimage_find_payload decompress decompress_is_known decompress_mem_needed
hv-init-objs += $(hv-out)/hypervisor/lib/decompress-init.o

$(hv-out)/hypervisor/lib/decompress-init.o: $(hv-decompress-objs) hypervisor/lib/decompress.lds hypervisor/lib/build.mk
	$(call say,LD)
	$(Q)ld.bfd -r -T hypervisor/lib/decompress.lds -o $@.tmp $(hv-decompress-objs) \
		--start-group $(hv-decompress-archives) --end-group
	$(Q)objcopy $(addprefix --keep-global-symbol=,$(hv-decompress-keep)) $@.tmp $@
	$(Q)rm -f $@.tmp

-include $(hv-decompress-objs:.o=.d)

# No LTO here: the compiler itself inserts calls of memcpy and its like, and the decompressors are
# linked without the LTO plugin.
$(foreach f,hypervisor/lib/string.c $(hv-decompress-src),$(eval cflags-$(f) += $(if $(hv-lto),-fno-lto)))
