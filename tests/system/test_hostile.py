# SPDX-License-Identifier: MIT
"""Guests that hang or attack: neither the host nor a neighbour is harmed.

The neighbour is a guest that computes checksums all the time; its sums must stay right, and it must go on.
The attackers are the stock kernel in an endless loop, and micro-guests of tests/guest. A kernel that panics is in test_guest.py.
"""

import os
import re
import time

import pytest

from dom0 import Guest

from lab import ROOT
from lab.images.cpio import Archive

GUESTS = {name: ROOT / "build" / "guest" / f"domu_{name}.elf" for name in ("hostile", "exhaust")}
CALLS = int(os.environ.get("HOSTILE_CALLS", "1000000"))
LOG_CALLS = int(os.environ.get("HOSTILE_LOG_CALLS", "250000"))
SEEDS = [int(seed) for seed in os.environ.get("HOSTILE_SEEDS", "1").split()]
MACHINE = dict(smp=2, mem=2048)


@pytest.fixture(scope="module", autouse=True)
def payload(lab):
    """The micro-guests go into Domain-0 with the other payloads, as they are built now."""
    archive = Archive(lab / "payload-micro.cpio")
    for name, path in GUESTS.items():
        assert path.exists(), "run make guests first"
        archive.copy(f"guest/{name}", path)
    archive.close()
    MACHINE["payloads"] = ("payload.cpio", "payload-elf.cpio", "payload-micro.cpio")


STUCK = 15  # seconds without a sign of life
CHUNK = 250000  # calls of one guest


WORK = ("head -c 1000000 /dev/urandom >/tmp/w; want=$(md5sum </tmp/w); (n=0; while :; do "
        "[ \"$(md5sum </tmp/w)\" = \"$want\" ] || echo bad >>/tmp/bad; n=$((n+1)); echo $n >/tmp/n; done) & sleep 1")


# The file is empty for a moment each time, in which the guest may lose its processor.
COUNT = "until read -r n </tmp/n; do :; done; echo $n"


@pytest.fixture
def neighbour(dom0):
    """A guest at work; afterwards it must have gone on, without one wrong sum."""
    if "good" not in dom0.domains():
        dom0.create(Guest("good", vcpus=1, memory=160))
        dom0.guest("good", WORK)
    before = int(dom0.guest("good", COUNT))
    yield "good"
    time.sleep(1)
    assert int(dom0.guest("good", COUNT)) > before
    assert dom0.guest("good", "cat /tmp/bad 2>/dev/null; true") == ""


def test_endless_loop_of_all_vcpus_does_not_starve_others(dom0, neighbour):
    dom0.create(Guest("bad", vcpus=2, stage="spin", ready="GUEST-READY"))
    started = time.monotonic()
    dom0.guest("good", "for i in $(seq 1000); do :; done; echo done")
    dom0.sh("xl list")
    assert time.monotonic() - started < 30
    dom0.sh("xl destroy bad")


def attack(dom0, seed, calls, log=False):
    """`log`: what the guest writes is logged meanwhile, now and then. Runs the micro-guest to its end, be it that it kills itself by what it does; returns how many calls it made."""
    start = len(dom0.text)
    dom0.create(Guest("bad", kernel="/guest/hostile", ramdisk="", memory=64,
                      words=f"seed={seed} calls={calls}",
                      more=('on_crash="preserve"', 'on_poweroff="preserve"')), wait=False)
    if log:
        dom0.sh(f"(log-dirty torment {dom0.domains()['bad'][0]} 600 >/tmp/torment 2>&1 &)")
    made, moved = -1, time.monotonic()
    while not set("sc") & set(dom0.domains()["bad"][3]):
        now = max([0, *map(int, re.findall(r"hostile: (\d+) calls done", dom0.text[start:]))])
        if now != made:
            made, moved = now, time.monotonic()
        if time.monotonic() > moved + STUCK:
            break  # it stopped itself for good, which harms nobody either
        time.sleep(1)
    dom0.sh("xl destroy bad")
    return max([0, *map(int, re.findall(r"hostile: (\d+) calls done", dom0.text[start:]))])


def attack_often(dom0, seed, calls, log=False):
    """Micro-guests make so many hypercalls with hostile arguments in all; a seed that does harm reproduces it."""
    free, made, run = dom0.settled_free_memory(), 0, 0
    while made < calls:
        assert run < 3 * calls // CHUNK + 3, f"the guests end themselves too early: {made} calls in {run} runs"
        print(f"seed {seed + 1000 * run}, after {made} calls")
        # One that ends itself early counts for what it did; the next begins with a seed of its own.
        made += attack(dom0, seed + 1000 * run, min(CHUNK, calls - made), log)
        if log:
            # It ends when the guest is gone.
            said = dom0.sh("for i in $(seq 300); do pidof log-dirty >/dev/null || break; usleep 100000; done; cat /tmp/torment")
            print(said)
            assert int(re.match(r"turned on (\d+) times", said).group(1)) > 0
        run += 1
    print(f"{made} calls in all")
    assert dom0.settled_free_memory(free) == free, f"seed {seed} lost memory"


@pytest.mark.parametrize("seed", SEEDS)
def test_random_hypercalls_harm_nobody(dom0, neighbour, seed):
    attack_often(dom0, seed, CALLS)


@pytest.mark.skipif(os.environ.get("HV") == "xen", reason="Debian's Xen cannot log the writes of PV guests")
def test_random_hypercalls_with_the_log_of_dirty_pages_on(dom0, neighbour):
    """Meanwhile Domain-0 turns the log on and off, with pools of all sizes, and asks for rounds."""
    attack_often(dom0, 77, LOG_CALLS, log=True)


def test_exhausted_limits_and_masked_events_harm_nobody(dom0, neighbour):
    """A guest takes every port, grant and page that it can have and then loops with interrupts off: others still get
    theirs, and all of it comes back."""
    free = dom0.settled_free_memory()
    start = len(dom0.text)
    dom0.create(Guest("bad", kernel="/guest/exhaust", ramdisk="", memory=64), wait=False)
    taken = dom0.expect(r"exhaust: (\d+) ports, (\d+) grant frames, (\d+) mappings, (\d+) pages", 60, start)
    assert min(map(int, taken.groups())) > 0
    dom0.create(Guest("third", memory=160, address="10.77.0.3"))
    dom0.sh("ping -c 2 10.77.0.3")
    dom0.sh("xl destroy third; xl destroy bad")
    assert dom0.settled_free_memory(free) == free
