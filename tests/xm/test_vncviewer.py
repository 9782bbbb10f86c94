# SPDX-License-Identifier: MIT
"""xm vncviewer: which program it becomes, and what it says without one."""

import os

import pytest
from fake_xend import domain, domains


def shown(**screen):
    return domains({**domain("g1", 1), "screen": screen})


@pytest.fixture
def viewer(xm):
    """A vncviewer that says how it was called."""
    path = xm.directory / "bin" if hasattr(xm.directory, "joinpath") else None
    directory = str(path or os.path.join(xm.directory, "bin"))
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "vncviewer"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho \"$@\"\ncase \" $* \" in *' -autopass '*) cat ;; esac\n")
    os.chmod(file.name, 0o755)
    xm.env["PATH"] = f"{directory}:{os.environ['PATH']}"
    return directory


@pytest.mark.parametrize("address,words", (("127.0.0.1:5901", "127.0.0.1::5901"), ("0.0.0.0:5900", "127.0.0.1::5900"),
                                           ("[::1]:5900", "::1::5900"), ("[::]:5907", "::1::5907")))
def test_it_becomes_the_viewer(xm, xend, viewer, address, words):
    xend.answers["domain.list"] = shown(address=address, password="secret")
    assert xm.good("vncviewer", "g1") == words + "\n"
    assert xend.requests == [("domain.list", {"domain": "g1", "config": True})]


def test_a_dead_qemu_is_named(xm, xend, viewer):
    xend.answers["domain.list"] = shown(address="127.0.0.1:5901", dead=True)
    assert xm.fails("vncviewer", "g1") == ("Error: The screen of domain 'g1' is not shown: its QEMU has died. `xm log' may say "
                                           "why; `xm reboot g1' brings it back.\n")


def test_password(xm, xend, viewer):
    xend.answers["domain.list"] = shown(address="127.0.0.1:5901", password="secret")
    assert xm.good("vncviewer", "--autopass", "g1") == "127.0.0.1::5901 -autopass\nsecret\n"
    xend.answers["domain.list"] = shown(address="127.0.0.1:5901")
    assert xm.good("vncviewer", "-a", "g1") == "127.0.0.1::5901\n"


def test_what_is_missing(xm, xend):
    xend.answers["domain.list"] = shown(address="127.0.0.1:5901")
    said = xm.fails("vncviewer", "g1", env={**xm.env, "PATH": "/nowhere"})
    assert "Cannot start vncviewer" in said and "127.0.0.1:5901" in said and "tigervnc-viewer" in said
    xend.answers["domain.list"] = domains(domain("g1", 1))
    assert "shows no screen" in xm.fails("vncviewer", "g1")
