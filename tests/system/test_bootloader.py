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
    "line-discipline": "Operation not permitted",
    "feign-input": "Operation not permitted",
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


# Asks who is at its terminal, as pygrub does with its menu. What nobody answers in time is the first.
LOADER_WITH_A_MENU = """#!/bin/sh
for word; do case $word in --output-directory=*) out=${word#*=} ;; --output=*) said=${word#*=} ;; --quiet) quiet=1 ;; esac; last=$word; done
choice=first
if [ ! "$quiet" ]; then
    test -t 0 && test -t 1 && test -t 2 || exit 1
    trap 'echo; echo it was interrupted >&2; exit 1' INT
    echo "$(stty size) $TERM: which kernel?"
    if read -t 20 answer; then choice=$answer; fi
    echo "Booting $choice."
fi
dd if=$last of=$out/kernel bs=1M count=16 2>/dev/null
dd if=$last of=$out/initrd bs=1M skip=16 2>/dev/null
choose() { echo "kernel $out/kernel"; echo "ramdisk $out/initrd"; echo "args console=hvc0 lab=agent choice-$choice"; }
if [ "$said" ]; then choose >$said; else choose; fi
"""


@pytest.fixture
def menu(host):
    """A guest's file, with a loader that asks."""
    if host.run("test -e /data/menu")[0]:
        host.write("/data/loader-menu", LOADER_WITH_A_MENU.replace("'", "'\\''").splitlines())
        host.sh("chmod 755 /data/loader-menu; dd if=/guest/vmlinuz of=/data/menu.img bs=1M conv=sync 2>/dev/null; "
                "dd if=/guest/initrd of=/data/menu.img bs=1M seek=16 2>/dev/null; chmod 600 /data/menu.img; truncate -s 24M /data/menu.img")
        host.write("/data/menu", ('name="menu"', 'bootloader="/data/loader-menu"', "memory=192", 'disk=["/data/menu.img,,xvda"]'))
    host.sh("rm -f /var/log/xen/console/guest-menu.log")
    yield host
    host.run("xm destroy menu")
    nothing_is_left(host)


def test_a_menu_is_answered_at_the_console(menu):
    """The same console goes on with the guest's."""
    seen = menu.sh("(sleep 5; echo second; sleep 100) | timeout 100 xm create -c /data/menu >/data/seen & "
                   "/lab/guest-wait menu 90 LAB-AGENT 1; cat /data/seen; kill %1 2>/dev/null; true", 150)
    assert "24 80 vt100: which kernel?" in seen and "Booting second." in seen and "Started domain menu" in seen
    assert seen.index("which kernel?") < seen.index("Started domain") < seen.index("LAB-AGENT")
    assert "choice-second" in menu.guest("menu", "cat /proc/cmdline")


def test_a_menu_that_nobody_answers(menu):
    """Without -c there is none; with it, it waits as long as it likes, and another console may join."""
    menu.sh("xm create /data/menu", 90)
    menu.wait_guest("menu")
    assert "choice-first" in menu.guest("menu", "cat /proc/cmdline")
    menu.sh("xm destroy menu; rm -f /var/log/xen/console/guest-menu.log")
    menu.sh("xm create -c /data/menu </dev/null >/data/seen 2>&1 & sleep 3; (sleep 1; echo third; sleep 3) | xm console -s menu >/data/joined; wait", 90)
    assert "which kernel?" in menu.sh("cat /data/joined")
    menu.wait_guest("menu")
    assert "choice-third" in menu.guest("menu", "cat /proc/cmdline")


def test_a_menu_that_is_given_up(menu):
    """Ctrl-C ends the bootloader, whose last words are the error; a killed xend, and a time that is over, end it, too."""
    said = menu.run("(sleep 4; printf '\\003'; sleep 30) | timeout 40 xm create -c /data/menu 2>&1", 90)[1]
    assert "finds no kernel in /data/menu.img (status 1). It said: it was interrupted" in said
    nothing_is_left(menu)
    menu.sh("sed -i 's/read -t 20/read -t 200/' /data/loader-menu")
    said = menu.run("xm create -c /data/menu </dev/null 2>&1", 90)[1]
    assert f"did not end within {TIMEOUT} s" in said
    menu.sh("(xm create -c /data/menu </dev/null >/data/seen 2>&1; echo status $? >>/data/seen) & sleep 4")
    menu.kill_xend()
    menu.start_xend()
    assert "status 1" in menu.sh("sleep 1; cat /data/seen")
    assert list(menu.all()) == ["Domain-0"]
