# SPDX-License-Identifier: MIT
"""A guest's screen with keyboard and mouse (vfb), seen by a VNC client."""

import time

import pytest
import rfb

import xm as xm_module
from xm import Guest, Xm

from lab.pc import unused_port

# Domain-0's port 5900 is this one here.
PORT = unused_port()
MACHINE = {**xm_module.MACHINE, "payloads": (*xm_module.MACHINE["payloads"], "payload-qemu.cpio"),
           "extra": ("-netdev", f"user,id=screen,hostfwd=tcp:127.0.0.1:{PORT}-10.0.2.15:5900",
                     "-device", "virtio-net-pci,romfile=,netdev=screen,mac=52:54:00:00:00:77")}
SCREEN = Guest("s1", memory=160, more=('vfb=["vnc=1,vnclisten=0.0.0.0,vncpasswd=secret12"]',))
READ_KEYS = "insmod_all() { while read -r f; do insmod $f; done; }; insmod_all </lib/modules/$(uname -r)/input.list 2>/dev/null; "


@pytest.fixture
def xm(dom0):
    xm = Xm(dom0)
    xm.start_xend()
    dom0.sh("i=$(grep -l 52:54:00:00:00:77 /sys/class/net/*/address | cut -d/ -f5); ifconfig $i 10.0.2.15 up")
    yield xm
    if dom0.runs():
        xm.start_xend()
        xm.destroy_all()
        assert dom0.sh("ps | grep -E '[x]en-qemu-system|[x]end-worker'; ls /run/xend/screen; true") == ""


@pytest.fixture
def s1(dom0, xm):
    xm.create(SCREEN)
    return "s1"


def client(password="secret12", **words):
    return rfb.Client(PORT, password, **words)


def fill(dom0, byte):
    """The guest paints its whole screen in one colour."""
    dom0.guest("s1", f"tr \"\\\\000\" \"\\\\{byte}\" </dev/zero | dd of=/dev/fb0 bs=64k 2>/dev/null; true")


def shows(viewer, colour, timeout=20):
    deadline = time.monotonic() + timeout
    while True:
        pixels = viewer.pixels()
        # But the cursor.
        same = sum(pixels[i:i + 3] == colour * 3 for i in range(0, len(pixels), 4)) / (len(pixels) / 4)
        if same > 0.95:
            return
        assert time.monotonic() < deadline, f"{same:.2f} of the screen, and {pixels[:8]}"
        time.sleep(0.5)


def test_pictures_keys_and_passwords(dom0, xm, s1):
    viewer = client()
    assert (viewer.width, viewer.height) == (800, 600)
    for byte, colour in (("125", b"\x55"), ("252", b"\xaa")):
        fill(dom0, byte)
        shows(viewer, colour)
    # A key arrives in the guest: type EV_KEY (1), code 30 (KEY_A), value 1.
    dom0.guest("s1", READ_KEYS + "for e in /dev/input/event*; do (cat $e >>/tmp/keys &); done; sleep 1")
    viewer.key(ord("a"))
    viewer.pointer(400, 300)
    viewer.pointer(410, 310)
    time.sleep(2)
    seen = dom0.guest("s1", "hexdump -v -e \"24/1 \\\"%02x\\\" \\\"\\\\n\\\"\" /tmp/keys").split()
    assert any(line.endswith("01001e0001000000") for line in seen), seen
    assert any(line[32:36] == "0300" for line in seen), "an absolute position"
    viewer.close()
    # Each version of the protocol asks for the password.
    for version in (b"RFB 003.003\n", b"RFB 003.007\n", b"RFB 003.008\n"):
        viewer = client(version=version)
        assert viewer.security == 2
        viewer.close()
        with pytest.raises(rfb.Refused):
            client(password="wrong", version=version)
    with pytest.raises(rfb.Refused):
        client(password=None)
    number = xm.domains()["s1"][0]
    assert dom0.sh(f"xenstore-read /local/domain/{number}/console/vnc-port /local/domain/{number}/console/vnc-listen") == "5900\n0.0.0.0"
    assert "secret12" not in dom0.sh(f"xenstore-ls /local/domain; for c in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$c; echo; done | grep -v grep")
    assert "0.0.0.0" in xm.good("list -l s1")
    # The gate, and each client's process, is a user of its own, which may do nothing.
    viewer = client()
    gates = dom0.sh("ps -o pid,args | grep '[x]end-worker'").splitlines()
    assert len(gates) == 2
    for pid in (line.split()[0] for line in gates):
        status = dict(line.split(":", 1) for line in dom0.sh(f"cat /proc/{pid}/status").splitlines())
        assert status["Uid"].split() == status["Gid"].split() == [str(2130771968 + number)] * 4
        assert not status["Groups"].strip() and not int(status["CapEff"], 16) and not int(status["CapBnd"], 16)
    viewer.close()


def test_it_outlives_xend_and_follows_the_guest(dom0, xm, s1):
    viewer = client()
    dom0.sh("kill -9 $(cat /run/xend/xend.pid)")
    viewer.pixels()
    xm.start_xend()
    viewer.pixels()
    xm.good("reboot s1")
    dom0.wait_guest("s1", count=2)
    with pytest.raises((rfb.Refused, OSError)):
        for _ in range(3):
            viewer.pixels()
    viewer = client()
    fill(dom0, "125")
    shows(viewer, b"\x55")
    xm.good("save s1 /data/s1.save", 180)
    xm.good("restore /data/s1.save", 180)
    viewer = client()
    fill(dom0, "252")
    shows(viewer, b"\xaa")
    # The console is what it was.
    assert dom0.guest("s1", "echo alive") == "alive"


@pytest.mark.long
def test_ports_and_lacks(dom0, xm, s1):
    second = Guest("s2", memory=96, more=('vfb=["vnc=1,vncunused=0"]',))
    xm.write(second)
    assert "port 5900" in xm.fails("create --paused /root/s2")
    second = Guest("s2", memory=96, more=('vfb=[""]',))
    xm.write(second)
    xm.good("create --paused /root/s2")
    assert dom0.sh(f"xenstore-read /local/domain/{xm.domains()['s2'][0]}/console/vnc-listen") == "127.0.0.1"
    assert dom0.sh(f"xenstore-read /local/domain/{xm.domains()['s2'][0]}/console/vnc-port") == "5901"
    xm.good("destroy s2")
    xm.write(Guest("s2", memory=96, more=('vfb=["vnc=1,keymap=nowhere"]',)))
    assert "QEMU does not start for domain 's2'" in xm.fails("create --paused /root/s2")
    assert "nowhere" in xm.fails("create --paused /root/s2")
    xm.good("destroy s1")
    # Somebody takes the port while its guest reboots. A port is no disk, so that nobody waits a minute for it.
    xm.create(Guest("s2", memory=96, more=('vfb=["vnc=1,vncunused=0,vncdisplay=5"]',)))
    dom0.sh("(while ! nc -l -p 5905; do :; done >/dev/null 2>&1 &)")
    xm.good("reboot s2")
    xm.wait(lambda domains: domains.get("s2", (0,))[0] < 0, 40)
    assert "port 5905" in dom0.sh("tail -n 5 /var/log/xen/xend.log")
    dom0.sh("kill $(pidof nc); xm delete s2")
