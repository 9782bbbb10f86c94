# SPDX-License-Identifier: MIT
"""virt-viewer and virt-manager on the test's own machine (desktop.py), connected to the libvirtd of an emulated Domain-0."""

import re
import subprocess

import pytest
import virsh
from desktop import Desktop

from lab import ROOT
from lab.pc import unused_port

MACHINE = virsh.MACHINE
PICTURES = ROOT / "build/check"
MANAGER = "Virtual Machine Manager"


@pytest.fixture(scope="module")
def host():
    """Domain-0; v1 runs there and uses a quarter of its processor, v2 is shut off. Its libvirtd answers at `uri`."""
    subprocess.run([ROOT / "lab/build", "libvirt"], check=True)
    libvirt, vnc = unused_port(), unused_port()
    with virsh.Host("virt-manager", forward={libvirt: 16509, vnc: vnc}) as machine:
        machine.uri, machine.vnc = f"xen+tcp://127.0.0.1:{libvirt}/system", vnc
        machine.prepare()
        # libxl waits 40 s for the script that a network card or a disk needs. A busy machine takes longer, and virt-manager itself
        # keeps Domain-0 busy, so the guest that it starts has neither.
        for name, without in (("v1", ("interface",)), ("v2", ("interface", "disk"))):
            text = virsh.xml(name, "guest1")
            for device in without:
                text = re.sub(f"<{device} .*</{device}>", "", text, flags=re.DOTALL)
            machine.write(f"/root/{name}.xml", text)
            machine.sh(f"virsh define /root/{name}.xml", virsh.PATIENCE)
        machine.sh("virsh start v1", virsh.PATIENCE)
        machine.tell("console v1", "while :; do :; done & echo bu\"\"sy", "^busy$")
        machine.sh("virsh schedinfo v1 cap=25", virsh.PATIENCE)
        yield machine


@pytest.fixture(scope="module")
def desktop(host):
    with Desktop(host.check) as desktop:
        yield desktop


def drawn(desktop, manager, name):
    """How many pixels of the graph beside a guest in the list are blue."""
    column = desktop.place(desktop.find("table column header", "CPU usage", manager))
    row = desktop.place(desktop.find("table cell", f"{name}\n.*", manager))
    pixels = desktop.pixels(column.x, row.y, column.width, row.height)
    return sum(blue - red > 15 for red, _, blue in pixels)


def grey(desktop, window, value):
    """True if most of a window has that colour: but for its frame and its cursor."""
    place = desktop.place(window)
    pixels = desktop.pixels(place.x, place.y, place.width, place.height)
    return sum(pixel == (value, value, value) for pixel in pixels) > 0.6 * len(pixels)


@pytest.mark.long
def test_virt_viewer_shows_a_screen(host, desktop):
    """A paravirtualized guest's, which a QEMU in Domain-0 serves: it paints all of it in one colour, then in another one."""
    text = re.sub("<(interface|disk) .*</(interface|disk)>", "", virsh.xml("v3", "guest1"), flags=re.DOTALL)
    screen = f"<graphics type='vnc' port='{host.vnc}' autoport='no' listen='0.0.0.0'/>"
    host.write("/root/v3.xml", text.replace("<console ", screen + "<console "))
    host.sh("virsh create /root/v3.xml", virsh.PATIENCE)
    viewer = desktop.start("virt-viewer", "--connect", host.uri, "v3")
    window = desktop.wait("frame", "v3 .*")
    for octal, value in (("125", 0x55), ("252", 0xaa)):
        host.tell("console v3", f"tr '\\000' '\\{octal}' </dev/zero | dd of=/dev/fb0 bs=64k 2>/dev/null; echo pain\"\"ted", "^painted$")
        desktop.until(lambda: grey(desktop, window, value), f"screen of {value:#x}")
    desktop.picture(PICTURES / "virt-viewer.png")
    viewer.kill()
    host.sh("virsh destroy v3", virsh.PATIENCE)


def test_virt_manager(host, desktop):
    subprocess.run(["gsettings", "set", "org.virt-manager.virt-manager.stats", "update-interval", "4"], check=True)
    desktop.start("virt-manager", "--no-fork", "--connect", host.uri)
    manager = desktop.wait("frame", MANAGER)
    desktop.wait("table cell", "v1\nRunning", manager)
    desktop.wait("table cell", "v2\nShutoff", manager)
    desktop.until(lambda: drawn(desktop, manager, "v1") > 50, "graph of v1")
    assert drawn(desktop, manager, "v2") < 10  # the list's edge
    desktop.picture(PICTURES / "virt-manager-list.png")

    # Its button starts v2.
    desktop.click(desktop.find("table cell", "v2\nShutoff", manager))
    desktop.press(desktop.wait("push button", "Run", manager))
    desktop.wait("table cell", "v2\nRunning", manager)
    assert host.sh("virsh domstate v2").strip() == "running"

    # v1's console and details.
    desktop.click(desktop.find("table cell", "v1\nRunning", manager))
    desktop.press(desktop.wait("push button", "Open", manager))
    window = desktop.wait("frame", "v1 on .*")
    terminal = desktop.wait("terminal", ".*", window)
    desktop.click(terminal)
    desktop.until(lambda: desktop.knock() or virsh.GUEST_PROMPT in desktop.text(terminal), "prompt of v1")
    desktop.type("kill %1; echo answer-$((6*7))")
    desktop.until(lambda: "\nanswer-42\n" in desktop.text(terminal), "answer of v1")
    desktop.picture(PICTURES / "virt-manager-console.png")
    desktop.press(desktop.find("radio button", "Details", window))
    hardware = desktop.wait("table", "hw-list", window)
    assert {"Overview", "CPUs", "Memory", "Xen Disk 1"} <= {node.get_name() for node in desktop.nodes(hardware)}
    desktop.picture(PICTURES / "virt-manager-details.png")

    # Its button shuts v1 down.
    desktop.press(desktop.find("push button", "Shut Down", window))
    desktop.wait("table cell", "v1\nShutoff", manager, shown=False)
    assert host.sh("virsh domstate v1 --reason").strip() == "shut off (shutdown)"
