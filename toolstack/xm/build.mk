# SPDX-License-Identifier: MIT
ts-src-xm += args.c command.c default_bridge.c format.c main.c number.c raw_terminal.c
ts-src-xm += client/answer.c client/call.c client/client.c client/path.c client/progress.c
ts-src-xm += commands/boot_menu.c commands/console.c commands/console_relay.c commands/cpupool.c commands/create.c commands/create_xml.c commands/devices.c commands/domain_file.c commands/evacuate.c commands/example.c commands/foreground.c \
	commands/guests.c commands/help.c commands/help_man.c commands/host.c commands/lifecycle.c commands/list.c commands/listings.c \
	commands/managed.c commands/migrate.c commands/network_setup.c commands/query.c commands/report.c commands/resources.c commands/shutdown.c commands/trust.c \
	commands/only_xl.c commands/vncviewer.c
ts-src-xm += doctor/check_devices.c doctor/check_host.c doctor/check_services.c doctor/doctor.c
ts-src-xm += python/confine.c python/evaluate.c python/keeper.c python/program.c python/watch.c
ts-src-xm += top/top.c top/top_lines.c top/top_model.c top/top_view.c

# program.c holds their text.
$(ts-out)/xm/python/program.o: $(wildcard toolstack/xm/python/*.py)

# The manual. A line @commands@, @keys@ or @settings@ in a page stands for what the program's own tables say.
man-pages := $(patsubst docs/man/%,build/man/%,$(wildcard docs/man/*.[1-8]))

.PHONY: man
man: $(man-pages) ## makes the manual's pages in build/man
all-targets += man
clean-files += build/man

build/man/%: docs/man/% $(ts-bin)/xm
	$(call say,MAN)
	@mkdir -p $(@D)
	$(Q)while IFS= read -r line; do case $$line in \
		@*@) part=$${line#@}; $(ts-bin)/xm help --man=$${part%@} || exit 1 ;; \
		*) printf '%s\n' "$$line" ;; \
		esac; done <$< >$@
