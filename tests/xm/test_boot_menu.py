# SPDX-License-Identifier: MIT
"""`xm create -c` of a domain with a bootloader: its menu is seen while xend still works, and the rest is as without a menu."""

import signal
import threading

import pytest

from terminal import Terminal
from test_interrupt import answers, begin, wait_for

MENU = {"stage": "bootloader menu", "done": 1, "total": 1}
GUEST = {"id": 3, "name": "menu", "uuid": "00000000-0000-4000-8000-000000000003"}
MENU_LINE = b'{"id":1,"progress":{"stage":"bootloader menu","done":1,"total":1}}\n'


@pytest.fixture
def guest(xm, xend):
    (xm.directory / "menu").write_text('name="menu"\nmemory=64\nbootloader="/bin/loader"\ndisk=["file:/srv/d,xvda,w"]\n')
    xend.progress["domain.create"] = [MENU]
    return xend


@pytest.fixture
def waits(guest):
    """xend answers nothing after the menu, which stays open, until it is asked to cancel."""
    over = threading.Event()
    guest.raw["domain.create"] = MENU_LINE
    guest.raw["request.cancel"] = b'{"id":"cancel","result":{}}\n' + answers(1, "Cancelled: the domain was not created.")
    guest.console = lambda client: (client.sendall(b"which kernel?"), over.wait(20))
    yield guest
    over.set()


def test_a_warning_is_said(xm, guest):
    shown = threading.Event()
    guest.console = lambda client: (client.sendall(b"which kernel?"), shown.set())
    guest.answers["domain.create"] = lambda _: shown.wait(10) and {**GUEST, "warning": "The disk is slow."}
    done = xm("create", "-c", "menu")
    assert (done.status, done.err) == (0, "Warning: The disk is slow.\n")
    assert "which kernel?" in done.out and "Started domain menu (id=3)" in done.out


def test_an_interrupt_has_xend_cancel_it(xm, waits):
    process = begin(xm, waits, "create", "-c", "menu", method="domain.create")
    wait_for(waits, "console.open")
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=10)[1]
    assert (process.returncode, err) == (130, "menu: Cancelled: the domain was not created.\n")
    assert waits.requests[-1] == ("request.cancel", {"request": 1})


def test_so_it_does_on_a_terminal(xm, xm_path, waits):
    """There Ctrl-C is a key of the menu, but other programs send the signal, too."""
    # A shell's background job ignores SIGINT, and pytest may be one.
    former = signal.signal(signal.SIGINT, signal.SIG_DFL)
    terminal = Terminal([xm_path, "create", "-c", str(xm.directory / "menu")], xm.env)
    signal.signal(signal.SIGINT, former)
    terminal.wait_raw()
    terminal.expect(b"which kernel?")
    terminal.signal(signal.SIGINT)
    terminal.expect(b"menu: Cancelled: the domain was not created.")
    assert terminal.end() == 130
    assert ("request.cancel", {"request": 1}) in waits.requests
