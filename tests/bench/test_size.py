# SPDX-License-Identifier: MIT
"""What `size` prints becomes sections that can be compared."""

import importlib.machinery
import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def size():
    loader = importlib.machinery.SourceFileLoader("size_script", str(Path(__file__).resolve().parents[2] / "bench/size"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("size_script", loader))
    loader.exec_module(module)
    return module


OURS = """build/x  :
section                 size                   addr
.text                 257097   18446606085000265728
.note.gnu.build-id        36   18446606085000585616
.rodata                 1000   18446606085000585652
.init.text               300   18446606085000761344
.init.data                20   18446606085001031680
.debug_info          1256062                      0
Total                3276106
"""
XEN = ".text 1443715 18446606429673488384\n.init 664968 18446606429677682688\n.pad 6291456 18446606429681876992\n"


def test_sections_of_the_same_kind_are_one(size):
    found = size.sections(OURS)
    assert found[".rodata"] == 1036 and found[".init"] == 320 and found[".bss"] == 0


def test_debugging_information_and_padding_are_not_loaded(size):
    assert sum(size.sections(OURS).values()) == 257097 + 1036 + 320
    assert sum(size.sections(XEN).values()) == 1443715 + 664968


def test_an_unknown_section_counts(size):
    assert size.sections(".new 5 4096\n")[".new"] == 5
