# SPDX-License-Identifier: MIT
"""The lab: emulated machines, and the systems that boot in them.

Tests, benchmarks and the demo start every machine through this package. What it makes lies in
build/lab.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAB = Path(os.environ.get("LAB", ROOT / "build" / "lab"))
LOGS = LAB / "logs"
