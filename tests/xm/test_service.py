# SPDX-License-Identifier: MIT
"""The systemd unit, as far as it can be judged without a systemd."""

from pathlib import Path

UNIT = Path(__file__).resolve().parents[2] / "toolstack/etc/xend.service"


def settings(section):
    """Of one section, key to value; a key that stands there twice has both."""
    found, at = {}, None
    for line in UNIT.read_text().splitlines():
        if line.startswith("["):
            at = line.strip("[]")
        elif at == section and "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found[key] = f"{found[key]} {value}" if key in found else value
    return found


def test_a_xend_that_ends_with_xenstored_is_started_until_xenstored_is_back():
    """Every start fails within a second then. By systemd's default of five starts in ten seconds it would stay down for good."""
    assert settings("Unit")["StartLimitIntervalSec"] == "0", "it never gives up"
    assert settings("Service")["Restart"] in ("on-failure", "always"), "status 69 is a failure"
    assert int(settings("Service")["RestartSec"]) >= 2, "nor does it spin"
    for name in ("RestartPreventExitStatus", "SuccessExitStatus"):
        assert name not in settings("Service")


def test_the_watchdog_waits_longer_than_xend_for_xenstored():
    assert int(settings("Service")["WatchdogSec"]) > 30
