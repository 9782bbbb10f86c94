# SPDX-License-Identifier: MIT
"""Ganeti's way of reading xm (tests/system/ganeti.py) on states that are hard to bring about with real guests."""

import sys

import pytest

from conftest import ROOT
from fake_xend import DOMAIN0, domain, domains

sys.path.insert(0, str(ROOT / "tests/system"))
import ganeti  # noqa: E402


@pytest.mark.parametrize("letters,word", [("r-----", "running"), ("-b----", "running"), ("------", "running"), ("--p---", "running"),
                                          ("-----d", "running"), ("--p--d", "running"), ("---s--", "shutdown"), ("---s-d", "shutdown"),
                                          ("---sr-", "running"), ("---ss-", "running")])
def test_states(xm, xend, letters, word):
    xend.answers["domain.list"] = domains(DOMAIN0, domain("i.example.org", 4, state=letters))
    assert ganeti.read_list(xm.good("list"))["i.example.org"] == (4, 256, 1, word, 1.5)


@pytest.mark.parametrize("letters", ["----c-", "----cd", "--p-c-"])
def test_a_crashed_guest_is_left_out(xm, xend, letters):
    xend.answers["domain.list"] = domains(DOMAIN0, domain("i.example.org", 4, state=letters))
    assert list(ganeti.read_list(xm.good("list"))) == ["Domain-0"]


def test_names_with_blanks(xm, xend):
    xend.answers["domain.list"] = domains(DOMAIN0, domain("a b", 5))
    assert sorted(ganeti.read_list(xm.good("list"))) == ["Domain-0", "a_b"]


def test_a_managed_domain_that_does_not_run_is_never_taken_for_a_running_instance(xm, xend):
    """Ganeti makes none itself. It refuses the list, as it did with the original xm."""
    xend.answers["domain.list"] = domains(DOMAIN0, domain("off", -1, status=0, state="------"))
    with pytest.raises(ValueError, match="not 6 words"):
        ganeti.read_list(xm.good("list"))


def test_info(xm, xend):
    xend.answers["host.info"] = {"total_memory": 2047, "free_memory": 1000, "nr_cpus": 8, "nr_nodes": 1, "cores_per_socket": 2,
                                 "threads_per_core": 2, "xen_major": 4, "xen_minor": 17, "xen_caps": "xen-3.0-x86_64 a:b",
                                 "cc_compile_date": "Wed Nov 25 10:00:00"}
    info = ganeti.read_info(xm.good("info"))
    assert (info["memory_total"], info["memory_free"], info["cpu_total"], info["cpu_sockets"]) == (2047, 1000, 8, 2)
