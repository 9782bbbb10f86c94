# SPDX-License-Identifier: MIT
"""Ctrl-C during a long job: xm has xend cancel it, and says what became of it."""

import signal
import subprocess
import time

import pytest

from conftest import XM
from fake_xend import Refusal

CANCELLED = "Cancelled: the domain was not saved, and goes on."


def begin(xm, xend, *words, method="domain.save"):
    """xm, as soon as xend has its request, which it does not answer."""
    xend.raw.setdefault(method, b"")
    # A shell's background job ignores SIGINT, and pytest may be one.
    process = subprocess.Popen([XM, *words], env=xm.env, cwd=xm.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    wait_for(xend, method)
    return process


def wait_for(xend, method):
    end = time.monotonic() + 10
    while method not in [name for name, _ in xend.requests]:
        assert time.monotonic() < end, xend.requests
        time.sleep(0.01)


def answers(identity, text):
    return f'{{"id":{identity},"error":{{"code":"cancelled","message":"{text}"}}}}\n'.encode()


def test_a_save_is_cancelled(xm, xend):
    xend.raw["request.cancel"] = b'{"id":"cancel","result":{}}\n' + answers(1, CANCELLED)
    process = begin(xm, xend, "save", "g1", "f")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10) == ("", f"g1: {CANCELLED}\n")
    assert process.returncode == 130
    assert xend.requests[-1] == ("request.cancel", {"request": 1})


def test_no_other_domain_follows(xm, xend):
    xend.raw["request.cancel"] = b'{"id":"cancel","result":{}}\n' + answers(1, "Cancelled.")
    process = begin(xm, xend, "pause", "g1", "g2", method="domain.pause")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130
    assert [method for method, _ in xend.requests] == ["domain.pause", "request.cancel"]


@pytest.mark.parametrize("refusal", [("unsupported", "domain.save cannot be cancelled."),
                                     ("unknown-method", "xend has no method 'request.cancel'.")])
def test_a_xend_that_goes_on_is_named(xm, xend, refusal):
    xend.answers["request.cancel"] = lambda _: (_ for _ in ()).throw(Refusal(*refusal))
    process = begin(xm, xend, "save", "g1", "f")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10) == ("", "g1: xend does not cancel domain.save, and goes on with it.\n")
    assert process.returncode == 130


def test_what_was_done_already_succeeds(xm, xend):
    xend.raw["request.cancel"] = b'{"id":1,"result":{}}\n'
    process = begin(xm, xend, "save", "g1", "f")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10) == ("", "g1: It was done before it could be cancelled.\n")
    assert process.returncode == 0


def test_the_second_ctrl_c_leaves_at_once(xm, xend):
    xend.raw["request.cancel"] = b""
    process = begin(xm, xend, "save", "g1", "f")
    process.send_signal(signal.SIGINT)
    wait_for(xend, "request.cancel")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT


def test_a_short_request_ends_as_any_program(xm, xend):
    process = begin(xm, xend, "rename", "g1", "g2", method="domain.rename")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT
    assert xend.requests == [("domain.rename", {"domain": "g1", "name": "g2"})]
