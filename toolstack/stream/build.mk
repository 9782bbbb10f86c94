# SPDX-License-Identifier: MIT
ts-src-stream += frames.c guest_p2m.c in.c op_dump.c op_restore.c op_save.c out.c restore.c restore_finish.c restore_pages.c save.c \
	save_pages.c save_vcpus.c vcpu_frames.c
