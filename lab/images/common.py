# SPDX-License-Identifier: MIT
"""What every script here shares: where things lie, stamps, and how to run a program.

The images are everything that a system test needs and that is not ours: Debian's kernels, Debian's
Xen and its tools, and the small file systems made of them. They live in build/lab/ and are rebuilt
only when what they are made of changes.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from lab import LAB

TREE = LAB / "root"     # Debian's packages, unpacked over each other, never installed
DEVICES_TREE = LAB / "devices"  # the same of programs that serve disks and networks
CALLERS_TREE = LAB / "callers"  # the same of the programs that call ours
HERE = Path(__file__).resolve().parent


def say(text):
    print(f"lab: {text}", file=sys.stderr, flush=True)


def die(text):
    say(f"error: {text}")
    sys.exit(1)


def run(args, **kwargs):
    """Run a program, its output kept; a failure shows the output and ends the script."""
    done = subprocess.run([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **kwargs)
    if done.returncode:
        die(f"{' '.join(map(str, args))}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def digest(parts):
    """A name for the state of some inputs: strings are hashed as they are, paths by their contents."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            for file in sorted(part.rglob("*")) if part.is_dir() else [part]:
                if file.is_file() and "__pycache__" not in file.parts:
                    total.update(str(file.name).encode() + b"\0" + file.read_bytes())
        else:
            total.update(str(part).encode() + b"\0")
    return total.hexdigest()


class Stamp:
    """Remembers with which inputs something was last built."""

    def __init__(self, name, parts):
        self.path = LAB / "stamps" / name
        self.value = digest(parts)

    def fresh(self, *outputs):
        return (self.path.exists() and self.path.read_text() == self.value
                and all(Path(o).exists() for o in outputs))

    def write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.value)
