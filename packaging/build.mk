# SPDX-License-Identifier: MIT
#
# Packages. files.tbl says what they install; Debian's rules and the RPMs' spec both call packaging/install.

PACKAGES_OUT ?= build/packages

.PHONY: packaged install deb rpm
# What packages hold: the hypervisor, the toolstack, the manual.
packaged: hypervisor toolstack man

install: packaged ## installs what the packages hold, below DESTDIR
	$(Q)VERSION='$(VERSION)' packaging/install all "$(DESTDIR)"

deb: ## builds Debian's packages in a clean Debian, in build/packages
	$(Q)packaging/make-packages deb $(PACKAGES_OUT)

rpm: ## builds the RPMs in the same clean Debian, in build/packages
	$(Q)packaging/make-packages rpm $(PACKAGES_OUT)

clean-files += $(PACKAGES_OUT)
