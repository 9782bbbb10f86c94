# SPDX-License-Identifier: MIT
"""A bootloader that the guest's disk has taken over gets nothing but an error message: tests/system/tools/hostile-loader.c
attempts what such a one would."""

import time

import pytest

from xend import XendDom0, XendError

KIND = XendDom0
MACHINE = dict(smp=1, mem=2048, dom0_mem=1280)
LOADER = "/lab/hostile-loader"
TIMEOUT = 10

# What each attempt ends with.
DENIED = {
    "shadow": "No such file or directory",
    "write-root": "Read-only file system",
    "write-usr": "Read-only file system",
    "write-disk": "Permission denied",
    "loosen-disk": "Read-only file system",
    "privcmd": "No such file or directory",
    "make-memory": "Operation not permitted",
    "xenstored": "Operation not permitted",
    "xend": "Operation not permitted",
    "network": "Operation not permitted",
    "signal": "No such process",
    "trace": "Operation not permitted",
    "mount": "Operation not permitted",
    "chroot": "Operation not permitted",
    "user-namespace": "Operation not permitted",
    "root": "Operation not permitted",
    "processes": "No such file or directory",
    "descriptors": "Bad file descriptor",
    "fork-bomb": "Resource temporarily unavailable",
    "fill": "No space left on device",
    "many-files": "No space left on device",
    "memory": "Cannot allocate memory",
    "memory-file": "Operation not permitted",
    "shared-memory": "Operation not permitted",
    "loop-name": "Operation not permitted",
    "loop-detach": "Operation not permitted",
    "loop-detach-wide": "Operation not permitted",
    "scsi-command": "Operation not permitted",
}

# What it says or leaves, and what xend says of it.
REFUSED = {
    "link": "The kernel link cannot be opened: Too many levels of symbolic links",
    "fifo": "The kernel fifo is not usable: it is not a file",
    "outside": "it names a kernel that is no file of its directory",
    "above": "it names a kernel that is no file of its directory",
    "nothing": "it finds no kernel",
    "loud": "it wrote more than 64 KiB",
    "forever": f"did not end within {TIMEOUT} s",
    "background": "it finds no kernel",
}


def config(name, loader, *words):
    return {"name": name, "bootloader": loader, "bootargs": list(words), "memory": 128,
            "disk": [{"type": "file", "target": "/data/a.img", "vdev": "xvda", "mode": "w"}]}


def restart(host, *lines):
    host.sh("mkdir -p /etc/xen")
    host.write("/etc/xen/xend-config.sxp", (f"(bootloader-timeout {TIMEOUT})", "(bootloader-max-size 64)") + lines)
    host.kill_xend()
    host.sh("while kill -0 $(cat /run/xend/xend.pid) 2>/dev/null; do sleep 0.1; done")
    host.start_xend()


@pytest.fixture
def host(xend):
    """With xend-config.sxp as restart() writes it; a machine that was started anew has none."""
    if xend.run("grep -q timeout /etc/xen/xend-config.sxp && ! grep -q restrict /etc/xen/xend-config.sxp")[0]:
        xend.sh("dd if=/dev/urandom of=/data/a.img bs=1M count=8 2>/dev/null; chmod 600 /data/a.img; echo root::1:::::: >/etc/shadow")
        restart(xend)
    return xend


def loads(host, *words, loader=LOADER):
    """What xend says of a guest with that bootloader, which does not start."""
    with pytest.raises(XendError) as caught:
        host.ask("domain.create", 120, config=config("hostile", loader, *words))
    assert list(host.all()) == ["Domain-0"]
    return caught.value.message


def nothing_is_left(host):
    """Neither processes, nor files, nor mounts."""
    traces = host.sh("ps | grep -e '[h]ostile' -e '[s]leep 8642'; ls /run/xend/boot 2>/dev/null; grep -e /output -e xend/boot /proc/mounts; "
                     "losetup -a; cat /data/hostile.log 2>/dev/null; true")
    assert traces == ""


@pytest.mark.parametrize("attempt", DENIED)
def test_it_cannot(host, attempt):
    said = loads(host, f"--try={attempt}")
    nothing_is_left(host)
    assert said == f"The bootloader {LOADER} finds no kernel in /data/a.img (status 1). It said: {attempt}: {DENIED[attempt]}"


@pytest.mark.parametrize("manner", REFUSED)
def test_its_choice_is_refused(host, manner):
    begin = time.monotonic()
    said = loads(host, f"--try={manner}")
    nothing_is_left(host)
    assert REFUSED[manner] in said and "/etc/shadow" not in said
    assert time.monotonic() - begin < 90


def ends_with_xend(host, manner):
    """The bootloader that stays in that manner is gone soon after its xend was killed."""
    host.sh(f"xend-call domain.create '{{\"config\":{{\"name\":\"hostile\",\"bootloader\":\"{LOADER}\",\"bootargs\":\"--try={manner}\",\"disk\":"
            "[\"file:/data/a.img,xvda,w\"]}}' >/dev/null 2>&1 & for i in $(seq 100); do ps | grep -q '[t]ry=forever' && break; sleep 0.1; done; "
            "ps | grep -q '[t]ry=forever'; sleep 1")
    host.kill_xend()
    left = host.sh("for i in $(seq 100); do ps | grep -q '[t]ry=forever' || break; sleep 0.1; done; ps | grep '[t]ry=forever'; true")
    host.sh("for pid in $(ps | grep '[t]ry=forever' | awk '{print $1}'); do kill -9 $pid; done; true")
    host.start_xend()
    assert left == ""
    nothing_is_left(host)
    assert list(host.all()) == ["Domain-0"]


# As it was started; without the signal that its parent's end sends; run anew by a thread, which has no such signal either.
@pytest.mark.parametrize("manner", ("forever", "forever-unbound", "forever-anew"))
def test_it_ends_with_a_xend_that_is_killed(host, manner):
    ends_with_xend(host, manner)


def test_one_that_may_not_be_run_is_named(host):
    host.sh("printf '#!/bin/sh\\n' >/data/private; chmod 700 /data/private")
    assert loads(host, loader="/data/private") == (
        "The bootloader /data/private cannot be run: xend-worker could not run it: Permission denied.")
    assert "'nosuch' is not installed" in loads(host, loader="nosuch")


# A site's own program, which needs more than a bootloader does.
LOADER_OF_A_SITE = ("#!/bin/sh\\n"
                    "for word; do case $word in --output-directory=*) out=${word#*=} ;; esac; last=$word; done\\n"
                    "cp /guest/vmlinux $out/kernel && cp /guest/initrd $out/initrd && id -u >/data/user && echo $last >/data/disk || exit 1\\n"
                    "sleep 8642 &\\n"
                    "echo kernel $out/kernel; echo ramdisk $out/initrd; echo args console=hvc0 lab=agent from-the-site\\n")


def test_a_site_may_turn_it_off(host):
    host.sh(f"printf '{LOADER_OF_A_SITE}' >/data/loader; chmod 755 /data/loader")
    assert "/guest/vmlinux" in loads(host, loader="/data/loader")
    restart(host, "(bootloader-restrict no)")
    host.sh("rm -f /var/log/xen/console/guest-site.log")
    host.ask("domain.create", 180, config=config("site", "/data/loader"))
    host.wait_guest("site")
    assert "from-the-site" in host.guest("site", "cat /proc/cmdline")
    assert host.sh("cat /data/user /data/disk").split() == ["0", "/data/a.img"]
    host.ask("domain.destroy", domain="site")
    nothing_is_left(host)


def test_one_that_is_not_restricted_ends_with_xend_too(host):
    """A change of the user takes the signal from the process that makes it."""
    restart(host, "(bootloader-restrict no)")
    ends_with_xend(host, "forever-user")
