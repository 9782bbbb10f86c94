# SPDX-License-Identifier: MIT
"""Files of the kinds that people have, started: the guest, Domain-0 and xenstore show what their spellings mean.

Files that are Python programs need a whole Debian (test_host.py), and sets of CPUs two of them (test_smp.py)."""

import pytest
import san

import xm as xm_module
from xm import Xm

MACHINE = {**xm_module.MACHINE, "payloads": (*xm_module.MACHINE["payloads"], "payload-devices.cpio", "payload-qemu.cpio")}
SUM = "for d in %s; do for i in $(seq 100); do [ -e /dev/$d ] && break; usleep 100000; done; set $(md5sum </dev/$d); echo $d $1; done"
NOTHING = ("for i in $(seq 50); do [ -z \"$(losetup -a)$(ls /sys/bus/xen-backend/devices)\" ] && break; usleep 100000; done; "
           "losetup -a; ls /sys/bus/xen-backend/devices; ls /sys/class/net | grep vif; ps | grep '[x]en-qemu'; true")
# Of a site that has a directory with all that a guest needs.
KERNEL = 'kernel = "vmlinux"\nramdisk = "./initrd"\n'


@pytest.fixture
def xm(dom0):
    xm = Xm(dom0)
    xm.start_xend()
    san.install(dom0, "drbd", "iscsi")
    dom0.sh("mkdir -p /data/site; ln -sf /guest/vmlinux /guest/initrd /data/site")
    yield xm
    if dom0.runs():
        xm.start_xend()
        xm.destroy_all()
        assert dom0.sh(NOTHING) == ""


def images(dom0, *names):
    """Small ones in /data, with random content."""
    dom0.sh(f"cd /data && for f in {' '.join(names)}; do [ -e $f ] || dd if=/dev/urandom of=$f bs=256k count=1 2>/dev/null; done")


def start(dom0, xm, name, text, *warnings):
    """`xm create` in the directory of the file, as a site does; each of these warnings must come, and no other. Its number."""
    dom0.sh(f"rm -f /var/log/xen/console/guest-{name}.log")
    san.put(dom0, f"/data/site/{name}.cfg", text)
    status, said = dom0.run(f"cd /data/site; xm create -q {name}.cfg", 180)
    dom0.sh("cd /")
    assert status == 0, said
    found = [line for line in said.splitlines() if ": warning: " in line]
    assert len(found) == len(warnings) and all(what in line for what, line in zip(warnings, found)), said
    dom0.wait_guest(name)
    return xm.domains()[name][0]


def reads(dom0, name, disks):
    """The guest has these disks, and reads in each what is in the file."""
    theirs = dom0.guest(name, SUM % " ".join(disks), 120)
    ours = dom0.sh("; ".join(f"set $(md5sum <{file}); echo {vdev} $1" for vdev, file in disks.items()))
    assert theirs == ours
    assert dom0.guest(name, "ls /sys/block | grep xvd | wc -l") == str(len(disks))


def test_scripts_addresses_and_own_keys(dom0, xm):
    """drbd: and iscsi: run their scripts with the text as it is, an ip= has two addresses, a key is the site's own."""
    texts = {"app_root": "app_root", "app_swap": "app_swap",
           "iqn=iqn.2026-01.org.example:app,portal=192.0.2.2:3260": "iqn_iqn_2026_01_org_example_app_portal_192_0_2_2_3260"}
    images(dom0, *(f"san/{file}" for file in texts.values()))
    number = start(dom0, xm, "app.example.net", KERNEL + """
memory      = '96'
vcpus       = '1'
maxmem      = '128'
name        = 'app.example.net'
extra       = 'quiet console=hvc0 lab=agent'
root        = '/dev/xvda2 ro'
disk        = [
                  'drbd:app_root,xvda2,w',
                  'drbd:app_swap, xvda1, w',
                  "iscsi:iqn=iqn.2026-01.org.example:app,portal=192.0.2.2:3260,xvdb,r",
              ]
vif         = [ ' ip=10.77.0.41 2001:db8::41,mac=00:16:3E:00:00:41,vifname=app,bridge=xenbr0', ]
on_poweroff = 'destroy'
shell_users = 'user1,user2'
""", "shell_users")
    reads(dom0, "app.example.net", {"xvda2": "/data/san/app_root", "xvda1": "/data/san/app_swap", "xvdb": f"/data/san/{list(texts.values())[2]}"})
    assert "root=/dev/xvda2 ro" in dom0.guest("app.example.net", "cat /proc/cmdline")
    assert dom0.guest("app.example.net", "cat /sys/class/net/eth0/address") == "00:16:3e:00:00:41"
    assert dom0.sh(f"xenstore-read /local/domain/0/backend/vif/{number}/0/ip; ls /sys/class/net/xenbr0/brif").split() == \
        ["10.77.0.41", "2001:db8::41", "app"]
    xm.good("destroy app.example.net")
    scripts = [f"block-{'iscsi' if '=' in name else 'drbd'} %s {name}" for name in texts]
    assert san.calls(dom0) == sorted(s % action for s in scripts for action in ("add", "remove"))


def test_numbers_and_old_prefixes(dom0, xm):
    """Numbers are what xenstore calls the disks; old prefixes mean a file; cards with odd parts; more CPUs than the host has."""
    images(dom0, *(f"{c}.img" for c in "abcdefgh"))
    number = start(dom0, xm, "old", KERNEL + """
name = "old"
memory = 192
cpus = "nodes:0,^node:1,0-63"
cpus_soft = "node:0"
extra = "quiet console=hvc0 lab=agent"
disk = [ 'raw:/data/a.img,51712,w', 'aio:/data/b.img,d1p2,w', 'tap:/data/c.img,xvdc,w', 'tap2:tapdisk:aio://data//d.img,xvdd,w',
         'untrusted, vdev=xvde, target=../e.img', 'file:/data/f.img,0x0,r', 'ioemu:/data/g.img,0xca50,r', '../h.img,,xvdg' ]
vif = [ 'mac=00:16:3e:1:2:29,bridge=xenbr0,untrusted,', 'type=netfront,bridge=xenbr0', 'bridge=xenbr0,vlan=5', '' ]
""", "vlan")
    reads(dom0, "old", {"xvda": "/data/a.img", "xvdb2": "/data/b.img", "xvdc": "/data/c.img", "xvdd": "/data/d.img",
                        "xvde": "/data/e.img", "xvdf": "/data/g.img", "xvdg": "/data/h.img"})
    rows = {row.split()[0]: row for row in xm.good("block-list old").splitlines()[1:]}
    assert list(rows) == ["0", "51712", "51730", "51744", "51760", "51776", "51792", "51808"]
    disk, card = f"/local/domain/0/backend/vbd/{number}", f"/local/domain/0/backend/vif/{number}"
    assert dom0.sh(f"xenstore-read {disk}/51776/trusted {card}/0/trusted {card}/0/mac {disk}/0/params").split() == \
        ["0", "0", "00:16:3e:01:02:29", "/data/f.img"]
    assert dom0.guest("old", "cat /sys/class/net/eth0/address; ls /sys/class/net").split() == \
        ["00:16:3e:01:02:29", "eth0", "eth1", "eth2", "eth3", "lo"]
    # Linux has no disk of the number 0: it cannot give it back.
    for by in ("--force old 0", "old d1p2", "old 0xca50"):
        xm.good(f"block-detach {by}")
    xm.good("block-attach old file:/data/f.img d1p2 r")
    reads(dom0, "old", {"xvda": "/data/a.img", "xvdb2": "/data/f.img", "xvdc": "/data/c.img", "xvdd": "/data/d.img", "xvde": "/data/e.img",
                        "xvdg": "/data/h.img"})


def test_names_with_blanks_and_of_digits(dom0, xm):
    """A guest goes by the name that its file has, or as a table shows it; a number is an ID first, as with xl."""
    name = "Mail server (old)"
    quoted = f"'{name}'"
    dom0.sh("cd /data/site")
    for one in (name, "77"):
        san.put(dom0, "/data/site/n.cfg", KERNEL + f'name = "{one}"\nmemory = 96\non_watchdog = "preserve"\n')
        xm.good("create -q -p n.cfg")
    number = xm.good(f"domid {quoted}")
    assert xm.good(f"domname {number}") == name and xm.good("domname 77") == "77"
    assert dom0.sh(f"xenstore-read /local/domain/{number}/name; ls /var/log/xen/console/guest-{quoted}.log").splitlines() == \
        [name, f"/var/log/xen/console/guest-{name}.log"]
    assert "Mail_server_(old)" in xm.good("list")
    assert xm.good("domid 'Mail_server_(old)'") == number
    xm.good(f"rename 77 {number}")
    assert xm.good(f"domname {number}") == name
    xm.good(f"destroy {quoted}")
    assert xm.good(f"domname {number}") == number
    xm.good(f"destroy {number}")
    assert list(xm.domains()) == ["Domain-0"]


def test_images_and_drives(dom0, xm):
    """qcow2 in three spellings beside a disk of nbd, drives without a medium, and keys that no paravirtualized guest has."""
    images(dom0, "raw.img", "cd.iso", "net.img")
    dom0.sh("cd /data; for f in 1 2 3; do qemu-img convert -f raw -O qcow2 raw.img $f.qcow2; done; cd /; "
            "grep -q '^nbd ' /proc/modules || insmod $(cat /lib/modules/$(uname -r)/nbd.list); nbd-server 10809 /data/net.img 2>/dev/null")
    try:
        number = start(dom0, xm, "clone", KERNEL + """
name = "clone"
uuid = "0d1f2e3c-4b5a-4697-8877-66554433aa27"
localtime = 0
pae = 1
hap = 0
serial = "none"
memory = 96
cmdline = "quiet console=hvc0 lab=agent"
extra = "SHOULD BE IGNORED"
disk = [ 'tap:qcow2:/data/1.qcow2,xvda,w', 'qcow2:/data/2.qcow2,xvdb,w', '../3.qcow2,qcow2,xvdc,rw', 'nbd:127.0.0.1 10809,xvdd,r',
         ',hdc:cdrom,r', 'vdev=hdd,access=r,devtype=cdrom,target=', 'file:/data/cd.iso, xvde:cdrom, r' ]
on_shutdown = 'destroy'
""", "pae", "serial", "extra", "disk hdc", "disk hdd", "on_shutdown")
        reads(dom0, "clone", {**{f"xvd{c}": "/data/raw.img" for c in "abc"}, "xvdd": "/data/net.img", "xvde": "/data/cd.iso"})
        assert "IGNORED" not in dom0.guest("clone", "cat /proc/cmdline")
        assert dom0.sh(f"xenstore-list /local/domain/0/backend/qdisk/{number}").split() == ["51712", "51728", "51744"]
        assert len(dom0.sh("ps | grep '[x]en-qemu'").splitlines()) == 1
        xm.good("destroy clone")
        dom0.sh("(for i in $(seq 50); do [ $(cat /sys/block/nbd0/size) = 0 ] && exit 0; usleep 100000; done; exit 1)")
    finally:
        dom0.run("kill $(cat /var/run/nbd-server.pid)")
