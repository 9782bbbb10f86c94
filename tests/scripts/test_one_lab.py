# SPDX-License-Identifier: MIT
"""Emulators are started by the lab's package alone, so that what one run needs of them, every run has."""

import subprocess

from lab import ROOT


def test_only_the_lab_starts_emulators():
    # Not the packages of that name, nor what people are told to type; and xend has a QEMU of its own (xen-qemu-system).
    places = [path for path in ROOT.iterdir() if path.name not in ("build", ".git", "docs")]
    found = subprocess.run(["grep", "-rlIE", "(^|[^-])qemu-system-(x86|i386)|bochs-bin", "--exclude-dir=__pycache__", *places],
                           check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    names = {name.removeprefix(f"{ROOT}/") for name in found}
    assert {name for name in names if not name.startswith("lab/")} == {"scripts/install-packages", "tests/scripts/test_one_lab.py"}
