# SPDX-License-Identifier: MIT
"""Options and fixtures of the system tests.

HV=xenolith (default) or HV=xen chooses the hypervisor: every test must pass on both, but for what the
test names as missing in Debian's. Tests of a file share one machine; when a test kills it, the
next test gets a new one. NET_MIB, CYCLES and GUEST_CYCLES make the long tests shorter or longer.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from dom0 import Dom0  # noqa: E402

from lab import LAB, ROOT  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "one_processor: its machine, of itself or by the file's MACHINE, has one; such files may run side by side")
    config.addinivalue_line("markers", "long: for `check long`; another test shows the same with less")


def pytest_collection_modifyitems(items):
    """Machines of several processors, side by side, wait for each other's spinning: on a busy host they take three times
    as long, and two or three times as much of its time. Those of one lose nothing."""
    for item in items:
        if getattr(item.module, "MACHINE", {}).get("smp") == 1:
            item.add_marker(pytest.mark.one_processor)


@pytest.fixture(scope="session")
def lab():
    subprocess.run([ROOT / "lab/build"], check=True)
    return LAB


@pytest.fixture(scope="session")
def hv():
    return os.environ.get("HV", "xenolith")


class Shared:
    """The machine of one test file, started anew when it has died."""

    def __init__(self, name, settings, kind):
        self.name, self.settings, self.kind = name, settings, kind
        self.machine = None
        self.boots = 0

    def get(self):
        if self.machine and not self.machine.runs():
            self.drop()
        if self.machine is None:
            self.boots += 1
            suffix = f"-{self.boots}" if self.boots > 1 else ""
            self.machine = self.kind(self.name + suffix, **self.settings)
            try:
                self.machine.start()
                self.machine.wait_ready(180)
                self.machine.sh("mkdir -p /data && mount -t tmpfs -o size=80% data /data")
            except BaseException:
                self.drop()
                raise
        return self.machine

    def drop(self):
        if self.machine:
            self.machine.kill()
        self.machine = None


@pytest.fixture(scope="module")
def shared(lab, request):
    settings = getattr(request.module, "MACHINE", {})
    kind = getattr(request.module, "KIND", Dom0)
    holder = Shared(f"{request.module.__name__}-{os.environ.get('HV', 'xenolith')}", settings, kind)
    yield holder
    holder.drop()


@pytest.fixture
def dom0(shared):
    return shared.get()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that failed may have left a command running: the next one starts from a fresh boot."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed and "shared" in item.fixturenames:
        machine = item.funcargs["shared"].machine
        if machine and hasattr(machine, "evidence"):
            text, error = machine.evidence()
            report.sections.append(("Domain-0 after the failure", text))
            if error and getattr(report.longrepr, "reprcrash", None):  # run looks there for what Debian's Xen is known for
                report.longrepr.reprcrash.message += f"\nDomain-0 does not answer: {type(error).__name__}"
        item.funcargs["shared"].drop()


@pytest.fixture
def xend(shared):
    """The file's machine with xend running in it (tests/system/xend.py)."""
    host = shared.get()
    if host.run("xend-call xend.info")[0]:
        host.start_xend()
    return host
