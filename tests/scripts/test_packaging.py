# SPDX-License-Identifier: MIT
"""What the packages are built from, held against what the checkout is built from."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Every Debian that builds packages has these, and gzip.
ESSENTIAL = {"gcc", "make", "binutils", "libc6-dev", "gzip"}


def names(text):
    return {re.split(r"[ (:]", word.strip())[0] for word in text.split(",") if word.strip()}


def test_packages_are_built_with_what_the_checkout_is_built_with():
    script = (ROOT / "scripts/install-packages").read_text()
    group = set(re.search(r'^build="(.*?)"', script, re.MULTILINE | re.DOTALL)[1].replace("\\\n", " ").split())
    control = (ROOT / "packaging/debian/control").read_text()
    depends = names(re.search(r"^Build-Depends:(.*?)\n\n", control, re.MULTILINE | re.DOTALL)[1])
    assert group - ESSENTIAL == depends - {"debhelper-compat"}


def test_all_files_of_the_packages_are_in_the_checkout_or_made_by_it():
    rows = [line.split() for line in (ROOT / "packaging/files.tbl").read_text().splitlines() if line and not line.startswith("#")]
    for _, kind, source, _ in rows:
        if kind not in ("dir", "link") and not source.startswith("build/"):
            assert list(ROOT.glob(source)), source
