# SPDX-License-Identifier: MIT
ts-src-xm += main.c command.c args.c report.c help.c help_man.c progress.c client.c call.c answer.c number.c path.c format.c \
	lifecycle.c managed.c query.c resources.c host.c devices.c create.c domain_file.c list.c shutdown.c console.c \
	raw_terminal.c top.c top_model.c top_lines.c top_view.c

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
