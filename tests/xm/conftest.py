# SPDX-License-Identifier: MIT
"""xm against a xend that is played by fake_xend.py. XM names another program than build/xm (say, the sanitized one)."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from fake_xend import DOMAIN0, FakeXend, domain, domains  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
XM = str(Path(os.environ.get("XM", ROOT / "build/xm")).resolve())


@dataclass
class Done:
    """How a run of xm ended."""

    status: int
    out: str
    err: str


class Runner:
    """Runs xm with this socket as xend's."""

    def __init__(self, path, directory):
        self.socket, self.directory = str(path), directory
        # Columns and messages are those of the C locale; a caller's own must not change them.
        self.env = {**os.environ, "XEND_SOCKET": self.socket, "TERM": "xterm",
                    # No test changes the network of the machine on which it runs.
                    "XM_NETWORK_SETUP": "/nonexistent/network"}

    def __call__(self, *words, stdin="", **more):
        more.setdefault("env", self.env)
        more.setdefault("cwd", self.directory)
        done = subprocess.run([XM, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=30,
                              check=False, **more)
        assert "AddressSanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def good(self, *words, **more):
        """A run that must succeed and complain of nothing; what it printed."""
        done = self(*words, **more)
        assert (done.status, done.err) == (0, ""), done
        return done.out

    def fails(self, *words, **more):
        """A run that must exit 1 and print nothing else; what it said."""
        done = self(*words, **more)
        assert (done.status, done.out) == (1, ""), done
        return done.err

    def misused(self, *words, **more):
        """A run that must exit 2; what it said."""
        done = self(*words, **more)
        assert (done.status, done.out) == (2, ""), done
        return done.err


@pytest.fixture
def xend(tmp_path):
    server = FakeXend(tmp_path / "s")
    server.answers["domain.list"] = domains(DOMAIN0, domain("g1", 3))
    yield server
    server.close()


@pytest.fixture
def xm(tmp_path):
    """xm, run in an empty directory."""
    directory = tmp_path / "cwd"
    directory.mkdir()
    return Runner(tmp_path / "s", directory)


@pytest.fixture
def xm_path():
    return XM
