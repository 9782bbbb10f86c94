# SPDX-License-Identifier: MIT
hv-src += hypervisor/x86/boot/head.S hypervisor/x86/boot/trampoline.S
hv-src += hypervisor/x86/boot/acpi.c hypervisor/x86/boot/acpi_tables.c hypervisor/x86/boot/dom0.c hypervisor/x86/boot/memory_map.c
hv-src += hypervisor/x86/boot/multiboot.c hypervisor/x86/boot/setup.c hypervisor/x86/boot/smp.c
hv-src += hypervisor/x86/boot/efi.c hypervisor/x86/boot/video.c
hv-src += hypervisor/x86/boot/screen.c hypervisor/x86/boot/serial_card.c

# The font of the console on the screen: public domain, as all fonts of this package.
hv-font := /usr/share/consolefonts/Lat15-Fixed16.psf.gz
$(hv-gen)/screen_font.h: $(hv-font) scripts/gen-font
	$(call say,GEN)
	@mkdir -p $(@D)
	$(Q)scripts/gen-font $< >$@
$(hv-font):
	@echo "There is no $@: install Debian's package console-setup-linux" >&2; exit 1
