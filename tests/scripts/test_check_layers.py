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


def test_a_call_upward_is_refused(check, tmp_path):
    """By a prototype of one's own, which no include gives away."""
    for path, text in {"core/base/timer": "void sched_tick(void); void timer_tick(void) { sched_tick(); }",
                       "core/sched/sched": "void sched_tick(void) { }"}.items():
        source = tmp_path / "objects/hypervisor" / f"{path}.c"
        source.parent.mkdir(parents=True)
        source.write_text(text)
        subprocess.run(["gcc", "-c", "-o", source.with_suffix(".o"), source], check=True)
    (tmp_path / "objects/toolstack").mkdir()
    status, output = check(objects=tmp_path / "objects")
    assert status == 1 and output == "core/base/timer: core/base may not call sched_tick of core/sched/sched\n"


def test_a_circle_is_refused(check):
    status, output = check({"hypervisor/core/sched/sched.h": '#include "core/sched/other.h"\n',
                            "hypervisor/core/sched/other.h": '#include "core/sched/sched.h"\n'})
    assert status == 1 and "circle: core/sched/other.h -> core/sched/sched.h -> core/sched/other.h" in output
