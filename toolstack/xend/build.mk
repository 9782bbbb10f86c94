# SPDX-License-Identifier: MIT
ts-src-xend += main.c
ts-src-xend += runtime/files.c runtime/last_words.c runtime/limits.c runtime/notify.c runtime/offload.c runtime/oom.c runtime/proc.c runtime/request.c \
	runtime/seal.c runtime/settings.c runtime/store.c runtime/store_batch.c runtime/store_link.c runtime/store_pipe.c runtime/task.c
ts-src-xend += console/console.c console/console_boot.c console/console_events.c console/console_log.c \
	console/console_proxy.c console/console_pty.c console/console_ring.c console/console_viewers.c
ts-src-xend += device/backend_watch.c device/announce.c device/bridge.c device/device.c device/device_list.c device/device_start.c device/device_stop.c \
	device/device_vbd.c device/device_vif.c device/disk_ask.c device/disk_claims.c device/disk_fd.c device/disk_graph.c \
	device/disk_host.c device/disk_image.c device/disk_qemu.c device/disk_script.c device/disk_strangers.c device/disk_survey.c device/disk_use.c \
	device/disk_late.c device/driver_domain.c device/guest_end.c device/hotplug.c device/loopdev.c device/network.c \
	device/qemu.c device/qemu_command.c device/qemu_end.c device/qemu_image.c device/qemu_log.c \
	device/qemu_process.c device/qemu_watch.c device/vif_twin.c
ts-src-xend += domain/affinity.c
ts-src-xend += domain/balloon.c domain/boot.c domain/bootloader.c domain/corpse.c \
	domain/describe.c domain/destroy.c domain/domain.c domain/dump.c domain/fill.c domain/foreign.c domain/freeze.c domain/acquire.c \
	domain/guests.c domain/guests_journal.c domain/guests_plan.c domain/guests_sequence.c domain/guests_start.c domain/guests_stop.c \
	domain/layout.c domain/lifecycle.c domain/live.c domain/measure.c domain/move.c domain/record.c domain/record_debt.c domain/record_file.c domain/recover.c domain/recover_plan.c domain/rename.c domain/resume.c \
	domain/save.c domain/save_header.c domain/screen.c domain/state_letters.c domain/suspend.c domain/worker.c
ts-src-xend += migrate/arrival.c migrate/handover.c migrate/images.c migrate/listen.c migrate/offer.c migrate/peer.c migrate/source.c migrate/target.c migrate/tls.c migrate/trust.c
ts-src-xend += server/client.c server/cpu_faults.c server/method_device.c server/method_domain.c \
	server/method_guests.c \
	server/method_host.c server/method_list.c server/method_migrate.c server/method_trust.c server/method_managed.c server/method_resources.c \
	server/method_topology.c server/scheduler.c server/top.c

cflags-toolstack/xend/server/cpu_faults.c += -Ihypervisor/include
