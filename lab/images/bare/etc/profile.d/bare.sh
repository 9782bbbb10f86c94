# Plain prompts: the console is a program's.
[ -z "$BASH_VERSION" ] || bind 'set enable-bracketed-paste off' 2>/dev/null
