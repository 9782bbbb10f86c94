# SPDX-License-Identifier: MIT
"""A machine that ends or hangs is an error with its reason, whatever it had said before."""

import re
import time

import pytest

from lab.machine import Machine, MachineDied, MachineTimeout


class Script(Machine):
    """A shell script in the place of an emulator."""

    fatal = ((re.compile(r"^FAILED", re.M), "it is lost"),)

    def __init__(self, script, directory):
        super().__init__("script", directory / "script.log")
        self.script = script

    def command(self):
        return ["sh", "-c", self.script]


def test_what_is_said_is_taken_in_and_kept(tmp_path):
    with Script("echo one; printf 'END\\r\\n'; sleep 60", tmp_path) as machine:
        machine.expect("END\n", 20)
        assert machine.text == "one\nEND\n"
    assert machine.log.read_bytes() == b"one\nEND\r\n"


def test_what_is_typed_arrives(tmp_path):
    with Script("read word; echo got $word", tmp_path) as machine:
        machine.send("this\n")
        machine.expect("got this\n", 20)


def test_an_early_end_is_an_error(tmp_path):
    with Script("echo half; exit 3", tmp_path) as machine:
        with pytest.raises(MachineDied, match="ended: exit status 3\n[^^]*half"):
            machine.expect("END", 20)


def test_words_right_before_the_end_count(tmp_path):
    with Script("echo END; exit 0", tmp_path) as machine:
        time.sleep(0.2)
        machine.expect("END", 20)


def test_silence_is_an_error(tmp_path):
    with Script("sleep 60", tmp_path) as machine:
        with pytest.raises(MachineTimeout, match="no 'END' in 1 s"):
            machine.expect("END", 1)


def test_a_system_that_says_that_it_is_lost_ends_the_wait(tmp_path):
    with Script("echo FAILED: no memory; sleep 60", tmp_path) as machine:
        with pytest.raises(MachineDied, match="it is lost\n[^^]*no memory"):
            machine.expect("END", 20)


def test_an_end_that_is_meant_is_waited_for(tmp_path):
    with Script("sleep 0.3; echo FAILED; exit 4", tmp_path) as machine:
        assert machine.wait_end(20) == "exit status 4"
        assert machine.text == "FAILED\n"
