# SPDX-License-Identifier: MIT
"""xm console: bytes both ways as they are, Ctrl-] leaves, the terminal is put back."""

import os
import signal
import subprocess
import threading
import time

import pytest

from fake_xend import Refusal
from terminal import Terminal

ESCAPE = b"\x1d"


class Guest:
    """The other end of the console: what it received, and what it says at once."""

    def __init__(self, xend, says=b""):
        self.received, self.says = b"", says
        self.client, self.connected, self.ended = None, threading.Event(), threading.Event()
        xend.console = self.run
        xend.answers["console.open"] = {"id": 3, "name": "g1"}

    def run(self, client):
        self.client = client
        client.sendall(self.says)
        self.connected.set()
        while True:
            try:
                data = client.recv(65536)
            except OSError:
                break
            if not data:
                break
            self.received += data
        self.ended.set()

    def wait(self, data, seconds=10):
        end = time.monotonic() + seconds
        while data not in self.received:
            assert time.monotonic() < end, f"{data!r} is not in {self.received!r}"
            time.sleep(0.02)


@pytest.fixture
def guest(xend):
    return Guest(xend)


@pytest.fixture
def console(xm, xm_path, guest):
    terminal = Terminal([xm_path, "console", "g1"], xm.env)
    assert guest.connected.wait(10)
    terminal.wait_raw()
    return terminal


def test_both_ways_and_out(console, guest, xend):
    assert xend.requests == [("console.open", {"domain": "g1", "scrollback": False})]
    console.expect(b"Console of domain g1. Ctrl-] leaves it.")
    guest.client.sendall(b"login: ")
    console.expect(b"login: ")
    console.type(b"root\r")
    guest.wait(b"root\r")
    console.type(ESCAPE)
    assert console.end() == 0
    assert guest.received == b"root\r"


def test_every_byte_passes(console, guest):
    """Control characters reach the guest, ^C and ^Z too, and what it says reaches the terminal."""
    console.expect(b"leaves it.\r\n")
    data = bytes(b for b in range(256) if b != ESCAPE[0])
    console.type(data)
    guest.wait(data)
    guest.client.sendall(bytes(range(256)) + b"END")
    assert console.expect(b"END") == bytes(range(256))
    console.type(ESCAPE)
    assert console.end() == 0


def test_what_is_typed_before_the_escape_is_sent_and_nothing_after(console, guest):
    console.type(b"last words" + ESCAPE + b"lost")
    assert console.end() == 0
    assert guest.ended.wait(10) and guest.received == b"last words"


def test_change_of_the_windows_size_does_no_harm(console, guest):
    for size in range(20, 30):
        console.resize(size, 80)
        console.signal(signal.SIGWINCH)
        guest.client.sendall(b"tick")
        console.expect(b"tick")
        console.type(b"tock")
    guest.wait(10 * b"tock")
    console.type(ESCAPE)
    assert console.end() == 0


def test_end_of_the_domain_ends_the_console(console, guest):
    guest.client.sendall(b"Power down")
    guest.client.shutdown(2)
    console.expect(b"Power down")
    assert console.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signal_leaves_the_terminal_as_it_was(console, guest, number):
    console.signal(number)
    assert console.end() == -number


def test_much_output_to_a_slow_terminal_is_not_lost(console, guest):
    console.expect(b"leaves it.\r\n")
    data = os.urandom(1 << 20).replace(b"!", b"?")
    thread = threading.Thread(target=lambda: guest.client.sendall(data + b"!"))
    thread.start()
    time.sleep(0.5)
    seen = console.expect(b"!", 30)
    thread.join()
    assert seen == data
    console.type(ESCAPE)
    assert console.end() == 0


def test_much_input_is_not_lost(xm, xm_path, xend, guest, tmp_path):
    """From a pipe: its end leaves the console."""
    data = os.urandom(1 << 20).replace(ESCAPE, b"?")
    done = subprocess.run([xm_path, "console", "g1"], input=data, capture_output=True, env=xm.env, timeout=30, check=False)
    assert done.returncode == 0 and guest.ended.wait(10)
    assert guest.received == data


def test_scrollback_comes_first(xm, xm_path, xend):
    guest = Guest(xend, b"what was said before")
    terminal = Terminal([xm_path, "console", "--scrollback", "--quiet", "g1"], xm.env)
    assert terminal.expect(b"what was said before") == b""
    assert guest.connected.wait(10)
    assert xend.requests == [("console.open", {"domain": "g1", "scrollback": True})]
    terminal.type(ESCAPE)
    assert terminal.end() == 0


def test_bytes_that_come_with_the_answer_are_shown(xm, xm_path, xend):
    xend.raw["console.open"] = b'{"id":1,"result":{"id":3,"name":"g1"}}\n\x00{"not":"json"}\nearly'
    terminal = Terminal([xm_path, "console", "-q", "g1"], xm.env)
    assert terminal.expect(b"early") == b"\x00{\"not\":\"json\"}\n"
    terminal.type(ESCAPE)
    assert terminal.end() == 0


def test_console_of_a_domain_that_is_not_there(xm, xend):
    xend.answers["console.open"] = Refusal("no-such-domain", "Domain 'x' does not exist.")
    assert xm.fails("console", "x") == "Error: Domain 'x' does not exist.\n"


def test_create_goes_to_the_console(xm, xm_path, xend):
    guest = Guest(xend, b"Linux version")
    xend.answers["domain.create"] = {"id": 7, "name": "g1", "uuid": "u"}
    with open(f"{xm.directory}/g1", "w", encoding="ascii") as file:
        file.write('name="g1"\nkernel="/k"\n')
    terminal = Terminal([xm_path, "create", "-c", f"{xm.directory}/g1"], xm.env)
    terminal.expect(b"Started domain g1 (id=7)")
    terminal.expect(b"Linux version")
    # It runs once its console is attached.
    assert [r[0] for r in xend.requests] == ["domain.create", "console.open", "domain.unpause"]
    assert xend.requests[0][1]["paused"] and xend.requests[1][1] == {"domain": "7", "scrollback": True}
    assert xend.requests[2][1] == {"domain": "7"}
    assert guest.connected.wait(10)
    terminal.wait_raw()
    terminal.type(ESCAPE)
    assert terminal.end() == 0


@pytest.mark.parametrize("words,requests", [(("-c",), ["domain.create", "console.open", "domain.unpause"]),
                                            (("-c", "-p"), ["domain.create", "console.open"])])
def test_a_console_that_cannot_be_opened_leaves_no_domain_paused(xm, xend, words, requests):
    xend.answers["domain.create"] = {"id": 7, "name": "g1", "uuid": "u"}
    xend.answers["console.open"] = Refusal("busy", "Too many are there.")
    with open(f"{xm.directory}/g1", "w", encoding="ascii") as file:
        file.write('name="g1"\nkernel="/k"\n')
    done = xm("create", *words, "g1")
    assert done.status == 1 and "Too many are there." in done.err
    assert [r[0] for r in xend.requests] == requests


def test_progress_is_shown_on_a_terminal_and_taken_away(xm, xm_path, xend):
    xend.progress["domain.save"] = [{"stage": "memory", "done": n, "total": 4} for n in range(5)]
    terminal = Terminal([xm_path, "save", "g1", "/f"], xm.env)
    assert terminal.end() == 0
    assert b"g1: memory 0%" in terminal.text and b"g1: memory 100%" in terminal.text
    assert terminal.text.endswith(b"\r\x1b[K")


def test_a_command_says_that_it_waits_for_recovery(xm, xm_path, xend):
    xend.progress["domain.start"] = [{"stage": "recovery", "done": 1, "total": 4}]
    terminal = Terminal([xm_path, "start", "g1"], xm.env)
    assert terminal.end() == 0
    assert b"g1: waiting for xend, which first takes back what was left half done, 25%" in terminal.text


def test_odd_progress_is_no_crash(xm, xm_path, xend):
    xend.progress["domain.save"] = [{}, {"stage": 7}, {"stage": "x", "done": -1}, {"stage": "y", "done": 5, "total": 2},
                                    {"stage": "z", "done": 1 << 62, "total": (1 << 62) + 1}, {"stage": "w"}]
    terminal = Terminal([xm_path, "save", "g1", "/f"], xm.env)
    assert terminal.end() == 0
    assert b"y 100%" in terminal.text and b"z 100%" in terminal.text and b": w" in terminal.text


def test_top_on_a_terminal(xm, xm_path, xend):
    looks = iter(range(10000))

    def sample(_params):
        n = next(looks) + 1
        return {"time_ns": n * 10 ** 9, "total_kb": 2097152, "free_kb": 1048576, "nr_cpus": 2, "cpu_mhz": 2400, "domains": [
            {"id": i, "name": f"guest{i}", "state": "-b----", "cpu_ns": n * (9 - i) * 10 ** 8, "memory_kb": 262144,
             "vcpus": [n * (9 - i) * 10 ** 8]} for i in range(9)]}

    xend.answers["top.sample"] = sample
    terminal = Terminal([xm_path, "top", "-d", "0.2"], xm.env, rows=10)
    terminal.expect(b"9 domains, 9 blocked")
    terminal.expect(b"Sorted by cpu")
    terminal.type(b"a")
    terminal.expect(b"name")
    terminal.type(b"v")
    terminal.expect(b"VCPU 0")
    terminal.resize(30, 150)
    terminal.signal(signal.SIGWINCH)
    terminal.expect(b"guest8")
    terminal.type(b"q")
    assert terminal.end() == 0


def test_top_ends_well_when_xend_goes(xm, xm_path, xend):
    xend.answers["top.sample"] = {"domains": []}
    terminal = Terminal([xm_path, "top", "-d", "0.2"], xm.env)
    terminal.expect(b"0 domains")
    xend.raw["top.sample"] = None
    terminal.expect(b"Error: The connection to xend was lost")
    assert terminal.end() == 1
