# SPDX-License-Identifier: MIT
"""scripts/check-layers on trees of a few files."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "hypervisor/include/hv/domain.h": "",
    "hypervisor/core/base/timer.c": '#include "hv/domain.h"\n',
    "hypervisor/core/sched/sched.h": "",
    "hypervisor/core/sched/sched.c": '#include "core/sched/sched.h"\n',
    "toolstack/lib/str.h": "",
    "toolstack/xend/server/client.h": '#include "lib/str.h"\n',
}


@pytest.fixture
def check(tmp_path):
    def run(changed=None, objects=None):
        for path, text in (FILES | (changed or {})).items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        words = [ROOT / "scripts/check-layers", tmp_path, *([objects] if objects else [])]
        result = subprocess.run(words, capture_output=True, text=True)
        return result.returncode, result.stdout
    return run


def test_what_goes_down_is_allowed(check):
    assert check() == (0, "")


@pytest.mark.parametrize("path,text,says", [
    ("hypervisor/core/base/timer.c", '#include "core/sched/sched.h"\n', "core/base may not include core/sched/sched.h"),
    ("toolstack/lib/str.h", '#include "xend/server/client.h"\n', "lib may not include xend/server/client.h"),
    ("toolstack/xend/device/disk.c", '#include "xend/server/client.h"\n', "xend/device may not include"),
    ("hypervisor/core/new/file.c", "", "the directory core/new is in no layer"),
])
def test_what_goes_up_is_refused(check, path, text, says):
    status, output = check({path: text})
    assert status == 1 and says in output


@pytest.fixture
def compiled(tmp_path):
    """The directory of the objects that these texts give. (The check looks for their sources in the tree.)"""
    def run(sources):
        for path, text in sources.items():
            source = tmp_path / "objects/hypervisor" / f"{path}.c"
            source.parent.mkdir(parents=True)
            source.write_text(text)
            subprocess.run(["gcc", "-c", "-o", source.with_suffix(".o"), source], check=True)
        (tmp_path / "objects/toolstack").mkdir()
        return tmp_path / "objects"
    return run


def test_a_call_upward_is_refused(check, compiled):
    """By a prototype of one's own, which no include gives away."""
    objects = compiled({"core/base/timer": "void sched_tick(void); void timer_tick(void) { sched_tick(); }",
                        "core/sched/sched": "void sched_tick(void) { }"})
    status, output = check(objects=objects)
    assert status == 1 and output == "core/base/timer: core/base may not call sched_tick of core/sched/sched\n"


TICK = "void arch_tick(void);\n"
PORT = {
    "hypervisor/include/hv/arch.h": '#include "hv/arch/time.h"\n',
    "hypervisor/include/hv/arch/time.h": TICK,
    "hypervisor/core/base/timer.c": '#include "hv/arch/time.h"\nvoid timer_tick(void) { arch_tick(); }\n',
    "hypervisor/x86/cpu/time.c": "",
}
PORT_OBJECTS = {"core/base/timer": TICK + "void timer_tick(void) { arch_tick(); }",
                "x86/cpu/time": "void arch_tick(void) { } void time_read(void) { }"}


def test_core_calls_the_processors_side_by_the_contract(check, compiled):
    assert check(PORT, compiled(PORT_OBJECTS)) == (0, "")


@pytest.mark.parametrize("path,text,says", [
    ("arch.h", "", "include/hv/arch.h does not list include/hv/arch/time.h"),
    ("arch/time.h", "", "core/base/timer: core/base may not call arch_tick of x86/cpu/time"),
    ("arch/time.h", TICK + "void time_read(void);\n", "include/hv/arch/time.h: core does not need time_read"),
    ("arch/time.h", TICK + "void timer_tick(void);\n",
     "include/hv/arch/time.h: the processor's side does not define timer_tick, core/base/timer does"),
])
def test_the_contract_is_whole_and_no_more(check, compiled, path, text, says):
    status, output = check(PORT | {f"hypervisor/include/hv/{path}": text}, compiled(PORT_OBJECTS))
    assert status == 1 and output == says + "\n"


def test_a_circle_is_refused(check):
    status, output = check({"hypervisor/core/sched/sched.h": '#include "core/sched/other.h"\n',
                            "hypervisor/core/sched/other.h": '#include "core/sched/sched.h"\n'})
    assert status == 1 and "circle: core/sched/other.h -> core/sched/sched.h -> core/sched/other.h" in output
