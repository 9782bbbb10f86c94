# SPDX-License-Identifier: MIT
# Completion of xm for bash: commands, options, domains, files and the keys of a domain's file. What exists is asked of xm
# itself, so that this file need not know it. Goes to /usr/share/bash-completion/completions/xm.

_xm_words() {
	local IFS=$'\n'
	# shellcheck disable=SC2207
	COMPREPLY+=($(compgen -W "$1" -- "$2"))
}

# Names of domains; none while xend is down.
_xm_domains() {
	xm list 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_xm_files() {
	local IFS=$'\n' file
	# shellcheck disable=SC2207
	COMPREPLY+=($(compgen -f -- "$1"))
	for file in /etc/xen/"$1"*; do
		[[ -f $file && $1 != */* ]] && COMPREPLY+=("${file##*/}")
	done
}

_xm_options() {
	xm help --names 2>/dev/null | awk -v command="$1" '$1 == command { for (i = 2; i <= NF; i++) print $i }'
}

_xm() {
	local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_xm_words "$(xm help --names 2>/dev/null | awk '{ print $1 }')" "$word"
		return
	fi
	if [[ $word == -* ]]; then
		_xm_words "$(_xm_options "$command")"$'\n--help' "$word"
		[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
		return
	fi
	case $command in
	help)
		_xm_words "$(xm help --names 2>/dev/null | awk '{ print $1 }')" "$word"
		;;
	create | new)
		if ((COMP_CWORD > 2)); then
			_xm_words "$(xm help --keys 2>/dev/null | sed 's/$/=/')" "$word"
			compopt -o nospace 2>/dev/null
		fi
		[[ ${#COMPREPLY[@]} -gt 0 && -n $word ]] || _xm_files "$word"
		;;
	guests)
		_xm_words $'start\nstop\nstatus' "$word"
		;;
	restore)
		_xm_files "$word"
		;;
	save | dump-core)
		if ((COMP_CWORD == 2)); then
			_xm_words "$(_xm_domains)" "$word"
		else
			_xm_files "$word"
		fi
		;;
	info | cpupool-list | dmesg | debug-keys | log | top | pci-list-assignable-devices) ;;
	*)
		_xm_words "$(_xm_domains)" "$word"
		;;
	esac
}

complete -F _xm xm
