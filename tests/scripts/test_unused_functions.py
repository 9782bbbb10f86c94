# SPDX-License-Identifier: MIT
"""scripts/unused-functions on programs of a few lines."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "unused-functions"
FLAGS = ("-O1", "-fno-inline", "-ffunction-sections", "-fdata-sections", "-fPIE", "-c")

MAIN = """
int called(void), by_table(int), chain_end(void);
static int (*const table[])(int) = { by_table };
int main(void) { return called() + table[0](1); }
int chain_start(void) { return chain_end(); }
"""
OTHER = """
int number = 1, forgotten = 2;
int called(void) { return number; }
int by_table(int x) { return x; }
int chain_end(void) { return 2; }
"""


@pytest.fixture
def objects(tmp_path):
    def compile_all(**sources):
        for name, text in sources.items():
            (tmp_path / f"{name}.c").write_text(text)
            subprocess.run(["gcc", *FLAGS, "-o", tmp_path / f"{name}.o", tmp_path / f"{name}.c"], check=True)
        return [str(tmp_path / f"{name}.o") for name in sources]
    return compile_all


def run(*words):
    result = subprocess.run([SCRIPT, *words], capture_output=True, text=True)
    assert not result.stderr
    return result.returncode, {line.split()[-1] for line in result.stdout.splitlines()}


def test_what_only_the_unused_use_is_unused(objects):
    assert run("main", *objects(main=MAIN, other=OTHER)) == (1, {"chain_start", "chain_end", "forgotten"})


def test_one_program_is_enough(objects):
    main, other, second = objects(main=MAIN, other=OTHER, second="int chain_end(void); int main(void) { return chain_end(); }")
    assert run("main", main, other, "--", "main", second, other) == (1, {"chain_start", "forgotten"})


def test_all_used_or_kept(objects):
    words = [word for name in ("chain_start", "chain_end", "forgotten") for word in ("--keep", name)]
    assert run(*words, "main", *objects(main=MAIN, other=OTHER)) == (0, set())
