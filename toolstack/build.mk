# SPDX-License-Identifier: MIT
#
# The toolstack: programs of Domain-0. Each of its directories has a build.mk that names its sources:
#
#	ts-src-xend += main.c devices.c		files of toolstack/xend/
#	cflags-toolstack/xend/main.c += -Wno-y	flags of one file
#
# lib, hv and config become static libraries, of which each program takes what it uses. A program is built as soon as its
# directory has sources. Plain `make toolstack` leaves build/xend, build/xend-worker, build/xend-tls and build/xm; CC=clang and SAN=1
# (AddressSanitizer and UBSan) have everything in build/toolstack-clang/ and build/toolstack-san/, programs in bin/ there.

SAN ?= 0
ts-is-san := $(filter 1 y,$(SAN))
ts-is-clang := $(findstring clang,$(notdir $(CC)))
ts-variant := $(if $(ts-is-clang),-clang)$(if $(ts-is-san),-san)
ts-out := build/toolstack$(ts-variant)
ts-bin := $(if $(ts-variant),$(ts-out)/bin,build)

ts-cppflags := -D_GNU_SOURCE -D__XEN_TOOLS__ -DXENOLITH_VERSION='"$(VERSION)"' -Itoolstack -I/usr/include/json-c \
	-I/usr/include/libnl3
ts-warnings := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wundef -Wvla \
	-Wwrite-strings -Wformat=2 -Wno-unused-parameter -Wno-missing-field-initializers
ts-cflags := -std=gnu11 -g -fPIE -fno-common -fno-strict-aliasing -fstack-protector-strong $(ts-warnings)
ifneq ($(ts-is-san),)
ts-cflags += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else
ts-cflags += -O2 -D_FORTIFY_SOURCE=2
endif
ts-cflags += $(PACKAGE_CFLAGS)
ts-ldflags := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed

ts-libraries := config hv lib # each uses those behind it
ts-dirs := $(ts-libraries) tls worker xend xm
$(foreach d,$(ts-dirs),$(eval ts-src-$(d) :=))
include $(wildcard $(ts-dirs:%=toolstack/%/build.mk))
ts-objs = $(foreach d,$(1),$(patsubst %.c,$(ts-out)/$(d)/%.o,$(ts-src-$(d))))
ts-all-src := $(foreach d,$(ts-dirs),$(addprefix toolstack/$(d)/,$(ts-src-$(d))))
ts-libs := $(ts-libraries:%=$(ts-out)/libxenolith-%.a)

# What each program is made of, and the libraries that it may use (--as-needed drops those that it does not).
ts-xen-libs := -lxencall -lxenforeignmemory -lxenevtchn -lxengnttab -lxentoolcore
ts-programs := xend xend-worker xend-tls xm
ts-dirs-xend := xend
# Two functions of libnettle, for the seal of saved files. As a shared library it would be a tenth of xend's memory.
ts-libs-xend := $(ts-xen-libs) -lxenstore -lnl-route-3 -lnl-3 -luv -l:libnettle.a
ts-dirs-xend-worker := worker
# A worker lives for some milliseconds when a kernel is small or cached. Finding the symbols of shared libraries would be
# most of its work, and few of them are called.
ts-libs-xend-worker := $(ts-xen-libs) \
	$(foreach l,seccomp gcrypt gpg-error bz2 lzma lzo2 zstd lz4 z,-l:lib$(l).a)
ts-dirs-xend-tls := tls
ts-libs-xend-tls := -lgnutls -lseccomp
ts-dirs-xm := xm
ts-libs-xm := -lncursesw -ltinfo -lseccomp

# The directory that holds a program's main(); without sources there the program is not built yet.
ts-built := $(foreach p,$(ts-programs),$(if $(ts-src-$(firstword $(ts-dirs-$(p)))),$(ts-bin)/$(p)))

.PHONY: toolstack
toolstack: $(ts-built) $(ts-libs) ## builds build/xend, build/xend-worker, build/xend-tls, build/xm (SAN=1: build/toolstack-san/)
all-targets += toolstack
clean-files += build/toolstack build/toolstack-* $(ts-programs:%=build/%)

ts-flags-now := $(CC) $(ts-cppflags) $(ts-cflags) $(ts-ldflags)
$(ts-out)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(ts-flags-now))' | cmp -s - $@ || echo '$(subst ','\'',$(ts-flags-now))' >$@

$(ts-out)/%.o: toolstack/%.c $(ts-out)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ts-cppflags) $(ts-cflags) $(cflags-$<) -MMD -MP -c -o $@ $<

define ts-library
$(ts-out)/libxenolith-$(1).a: $(call ts-objs,$(1))
	$$(call say,AR)
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach l,$(ts-libraries),$(eval $(call ts-library,$(l))))

define ts-program
$(ts-bin)/$(1): $(call ts-objs,$(ts-dirs-$(1))) $(ts-libs)
	$$(call say,LD)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $(ts-cflags) $(ts-ldflags) -o $$@ $$^ $(ts-libs-$(1)) -ljson-c
endef
$(foreach p,$(ts-programs),$(eval $(call ts-program,$(p))))

# For `make cppcheck`. The libraries' headers stay outside, but for the one whose macros look like nothing in C. As in the
# hypervisor, the compilers and clang-tidy look for what is not initialised.
ts-queue-h := $(firstword $(wildcard /usr/include/sys/queue.h /usr/include/*/sys/queue.h))
ts-cppcheck = cppcheck -j $$(nproc) --quiet --std=c11 --platform=unix64 --error-exitcode=1 --inline-suppr \
	--enable=warning,portability,performance --suppress=missingInclude --suppress=missingIncludeSystem \
	--suppress=uninitvar --suppress=ctuuninitvar --include=$(ts-queue-h) \
	--template='{file}:{line}: {severity}: {message} [{id}]' $(filter-out -I/usr%,$(ts-cppflags)) $(ts-all-src)

-include $(patsubst toolstack/%.c,$(ts-out)/%.d,$(ts-all-src))
