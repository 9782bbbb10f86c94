# SPDX-License-Identifier: MIT
"""A block script of the tests' own, as one of a storage network: it logs its calls and makes a loop device."""

import base64

# The text that it gets names an image below /data/san.
SCRIPT = r"""#!/bin/sh
name=$(xenstore-read $XENBUS_PATH/params)
echo "${0##*/} $1 $name" >>/tmp/script.log
image=/data/san/$(echo "$name" | tr -c 'a-z0-9\n' _)
# Two that run at once must not find the same free loop device.
exec 9>/run/san.lock
flock 9
if [ $1 = add ]; then
	loop=$(losetup -f)
	losetup $loop $image || exit 1
	xenstore-write $XENBUS_PATH/physical-device $(stat -c %t:%T $loop) $XENBUS_PATH/hotplug-status connected
else
	for loop in $(losetup -a | grep " $image" | cut -d: -f1); do losetup -d $loop; done
fi
"""


def put(dom0, path, text, mode=644):
    """A small file of any text."""
    dom0.sh(f"echo {base64.b64encode(text.encode()).decode()} | base64 -d >{path}; chmod {mode} {path}")


def install(dom0, *kinds):
    """For each kind the script of its prefix: "drbd" for drbd:."""
    for kind in kinds:
        put(dom0, f"/etc/xen/scripts/block-{kind}", SCRIPT, 755)
    dom0.sh("rm -f /tmp/script.log; mkdir -p /data/san")


def calls(dom0):
    """SCRIPT ACTION TEXT of each call so far, sorted."""
    return sorted(dom0.sh("cat /tmp/script.log").splitlines())
