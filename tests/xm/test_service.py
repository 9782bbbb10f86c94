# SPDX-License-Identifier: MIT
"""The systemd units, as far as they can be judged without a running systemd."""

import re
import subprocess
from pathlib import Path

import pytest

ETC = Path(__file__).resolve().parents[2] / "toolstack/etc"
UNITS = ("xend.service", "xenolith-guests.service")


def settings(section, unit="xend.service"):
    """Of one section, key to value; a key that stands there twice has both."""
    found, at = {}, None
    for line in (ETC / unit).read_text().splitlines():
        if line.startswith("["):
            at = line.strip("[]")
        elif at == section and "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found[key] = f"{found[key]} {value}" if key in found else value
    return found


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_the_unit(unit, tmp_path):
    """With its programs and the other unit beside it, which systemd looks for."""
    (tmp_path / "program").write_text("#!/bin/sh\n")
    (tmp_path / "program").chmod(0o755)
    for name in UNITS:
        text = (ETC / name).read_text()
        (tmp_path / name).write_text(re.sub(r"/usr/sbin/(xend|xm)\b", str(tmp_path / "program"), text))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", tmp_path / unit], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if unit in line]
    assert (done.returncode, said) == (0, []), done.stderr


def test_a_xend_that_ends_with_xenstored_is_started_until_xenstored_is_back():
    """Every start fails within a second then. By systemd's default of five starts in ten seconds it would stay down for good."""
    assert settings("Unit")["StartLimitIntervalSec"] == "0", "it never gives up"
    assert settings("Service")["Restart"] in ("on-failure", "always"), "status 69 is a failure"
    assert int(settings("Service")["RestartSec"]) >= 2, "nor does it spin"
    for name in ("RestartPreventExitStatus", "SuccessExitStatus"):
        assert name not in settings("Service")


def test_the_watchdog_waits_longer_than_xend_for_xenstored():
    assert int(settings("Service")["WatchdogSec"]) > 30


def test_a_restart_of_xend_is_none_of_the_guests():
    """systemd stops what requires a unit, or is part of it, when it stops or restarts that unit."""
    guests = settings("Unit", "xenolith-guests.service")
    assert not {"Requires", "BindsTo", "PartOf", "Requisite", "StopPropagatedFrom"} & set(guests)
    assert "xend.service" in guests["Wants"]


def test_guests_end_before_all_that_they_need():
    after = settings("Unit", "xenolith-guests.service")["After"].split()
    assert {"xend.service", "xen.service", "xenstored.service", "network-online.target", "remote-fs.target"} <= set(after)


def test_libvirt_saves_its_guests_before_the_others_are_ended():
    """Both would work on the same guest. systemd stops in the opposite order."""
    assert "libvirt-guests.service" in settings("Unit", "xenolith-guests.service")["Before"].split()


def test_libvirtd_finds_xenstored():
    """Debian's script xen starts it, under systemd as xen.service; libvirtd.service knows another name only."""
    assert {"libvirtd.service", "virtxend.service"} <= set(settings("Unit", "xen.service.conf")["Before"].split())


def test_a_guest_that_does_not_start_keeps_no_other_from_being_shut_down():
    """systemd runs ExecStop= only of a service that has started well."""
    guests = settings("Service", "xenolith-guests.service")
    assert guests["ExecStart"] == "-/usr/sbin/xm guests start" and guests["ExecStop"] == "/usr/sbin/xm guests stop"
    assert guests["RemainAfterExit"] == "yes"


def test_a_host_that_goes_down_while_its_guests_start_ends_them_properly():
    """While a oneshot service starts, systemd stops it without its ExecStop=; one of this type is active by then."""
    assert settings("Service", "xenolith-guests.service")["Type"] == "exec"


def test_systemd_cuts_no_guest_short():
    """xend has the limits, and they can be set."""
    guests = settings("Service", "xenolith-guests.service")
    assert guests["TimeoutStopSec"] == "infinity"
    assert "console" in guests["StandardOutput"]
