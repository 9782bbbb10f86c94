# SPDX-License-Identifier: MIT
"""What the hypervisor shows on a screen, compared with what it says on the serial port."""

from lab.screen import read_rows, wrap


def hypervisor_rows(text, width):
    return wrap([line for line in text.splitlines() if line.startswith("(HV) ")], width)


def check_boot_screen(machine, picture, font, width, cell_width=8):
    """The picture, made during the boot, shows a run of the hypervisor's lines and nothing else."""
    said = hypervisor_rows(machine.text, width)
    shown = read_rows(picture, font, cell_width)
    while shown and not shown[-1]:
        shown.pop()
    assert len(shown) >= 10, shown
    assert any(said[at:at + len(shown)] == shown for at in range(len(said))), (shown, said)


def check_panic_screen(machine, picture, font, width, cell_width=8):
    """Make the hypervisor panic while Domain-0 has the screen."""
    begin = len(machine.text)
    machine.allow_death = True
    machine.send("\x01\x01\x01")
    machine.expect("debug keys", 20, start=begin)
    machine.send("C")
    machine.expect(r"panic on CPU \d", 20)
    machine.expect(r"\(HV\) halted\n", 20)
    machine.monitor.screen(picture)
    said = hypervisor_rows(machine.text[machine.text.index("(HV) panic on CPU"):], width)
    assert read_rows(picture, font, cell_width)[:len(said)] == said
