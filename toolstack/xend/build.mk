# SPDX-License-Identifier: MIT
ts-src-xend := autostart.c balloon.c boot.c bootloader.c client.c console.c console_events.c console_log.c console_proxy.c \
	console_pty.c console_ring.c cpu_faults.c describe.c destroy.c device.c device_list.c device_start.c \
	device_stop.c device_vbd.c device_vif.c disk_claims.c disk_graph.c disk_host.c disk_use.c domain.c dump.c \
	foreign.c guest.c hotplug.c layout.c lifecycle.c loopdev.c main.c method_device.c method_domain.c \
	method_host.c method_managed.c method_resources.c network.c notify.c offload.c oom.c proc.c record.c \
	recover.c recover_plan.c request.c save.c save_header.c seal.c settings.c store.c store_link.c task.c top.c \
	worker.c

cflags-toolstack/xend/cpu_faults.c += -Ihypervisor/include
