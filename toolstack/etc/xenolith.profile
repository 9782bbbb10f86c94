# SPDX-License-Identifier: MIT
# At a login of root: a line if something keeps guests from running. Goes to /etc/profile.d/xenolith.sh.
case $- in
*i*)
	if [ "$(id -u)" = 0 ] && command -v xm >/dev/null; then
		xm doctor --brief || :
	fi
	;;
esac
