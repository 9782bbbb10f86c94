# SPDX-License-Identifier: MIT
"""A machine that ends or hangs is a failed run with its reason, whatever it had said before."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from qemu import Qemu, RunFailed  # noqa: E402


class Script(Qemu):
    """A shell script in the place of QEMU; it has no monitor."""

    def __init__(self, script, log):
        super().__init__(["sh", "-c", script, "sh"], log)

    def _connect(self, path):
        import socket
        self.far_end, here = socket.socketpair()
        return here


def test_what_is_said_is_taken_in_and_kept(tmp_path):
    with Script("echo one; printf 'BENCH-END\\r\\n'; sleep 60", tmp_path / "log") as machine:
        machine.wait(lambda m: "BENCH-END\n" in m.text, 20)
        assert machine.text == "one\nBENCH-END\n"
    assert (tmp_path / "log").read_bytes() == b"one\nBENCH-END\r\n"


def test_an_early_end_is_a_failure(tmp_path):
    with Script("echo half; exit 3", tmp_path / "log") as machine:
        with pytest.raises(RunFailed, match="before the end"):
            machine.wait(lambda m: "BENCH-END" in m.text, 20)
        assert "half" in machine.text


def test_words_right_before_the_end_count(tmp_path):
    with Script("echo BENCH-END; exit 0", tmp_path / "log") as machine:
        machine.wait(lambda m: "BENCH-END" in m.text, 20)


def test_silence_is_a_failure(tmp_path):
    with Script("sleep 60", tmp_path / "log") as machine:
        with pytest.raises(RunFailed, match="no end after 1 s"):
            machine.wait(lambda m: "BENCH-END" in m.text, 1)


def test_a_program_that_says_that_it_failed_ends_the_wait_for_an_event(tmp_path):
    with Script("echo BENCH-FAILED process: no memory; sleep 60", tmp_path / "log") as machine:
        with pytest.raises(RunFailed, match="no memory"):
            machine.wait_event("STOP", 20)
