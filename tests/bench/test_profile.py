# SPDX-License-Identifier: MIT
"""The profile's own parts: addresses to functions, sums, and the path of one call."""

import importlib.machinery
import importlib.util
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))


@pytest.fixture(scope="module")
def profile():
    loader = importlib.machinery.SourceFileLoader("profile_script", str(BENCH / "profile"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("profile_script", loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A program of two functions, and where each begins."""
    directory = tmp_path_factory.mktemp("program")
    (directory / "p.c").write_text("int second(int a)\n{\n\treturn a + 1;\n}\nint main(void)\n{\n\treturn second(2);\n}\n")
    subprocess.run(["gcc", "-g", "-O0", "-no-pie", "-o", directory / "p", directory / "p.c"], check=True)
    lines = subprocess.run(["nm", directory / "p"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return directory / "p", {line.split()[-1]: int(line.split()[0], 16) for line in lines if len(line.split()) == 3}


def test_an_address_belongs_to_the_function_before_it(profile, program):
    path, where = program
    symbols = profile.Symbols(path)
    assert symbols.name(where["second"]) == "second"
    assert symbols.name(where["second"] + 3) == "second"
    assert symbols.name(where["main"]) == "main"


def test_source_lines(profile, program):
    path, where = program
    function, line = profile.Symbols(path).sources({where["second"]}, inline=True)[where["second"]]
    assert function == "second" and line.endswith("p.c:2")


def test_lines_of_qemus_log_are_summed(profile):
    log = ("Trace 0: 0x7f00 [0000000000000000/ffff828000000010/0840c290/ff020201] \n" * 3
           + "other\nTrace 0: 0x7f40 [0000000000000000/ffff828000000020/0840c290/ff020201] \n")
    said = subprocess.run(["awk", profile.SUM], input=log, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert dict(line.split() for line in said.splitlines()) == {"ffff828000000010": "3", "ffff828000000020": "1"}
    assert [int(a, 16) for a in profile.TRACE.findall(log)] == [0xffff828000000010] * 3 + [0xffff828000000020]


def test_sums_are_shares_of_one_call(profile, capsys):
    profile.show(Counter(fork=300, exit=100), 10, 40)
    assert capsys.readouterr().out.split("\n")[:3] == [
        "      30.0  75.0 %  fork", "      10.0  25.0 %  exit", "      40.0 instructions of the hypervisor for each of 10 calls"]


def test_the_path_begins_where_the_hypervisor_is_entered(profile, capsys):
    class Named:
        def name(self, address):
            return {1: "entry_syscall", 2: "dispatch", 3: "work", 4: "back"}[address]

    profile.show_path(Named(), [1, 1, 2, 3, 3, 4] * 4, 4)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["2", "entry_syscall"], ["1", "dispatch"], ["2", "work"], ["1", "back"]]
