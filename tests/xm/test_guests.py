# SPDX-License-Identifier: MIT
"""`xm guests`: the order, the files, the lines of progress, and a xend that goes away meanwhile."""

import threading
import time

import pytest

from fake_xend import FakeXend, Refusal


def guest(name, action, progress, **more):
    return {"name": name, "action": action, "progress": progress, **more}


class Host:
    """What xend answers to guests.status, one after the other; the last one for good."""

    def __init__(self, order, *steps):
        self.order, self.steps = order, list(steps)

    def __call__(self, params):
        guests = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return {"order": self.order, "guests": guests,
                "finished": not any(g["progress"] in ("waiting", "working") for g in guests)}


def orders(xend):
    return [(method, params.get("path", "").rsplit("/", 1)[-1], params.get("config", {}).get("name"))
            for method, params in xend.requests if method != "guests.status"]


@pytest.fixture
def auto(tmp_path):
    directory = tmp_path / "auto"
    directory.mkdir()
    for name in ("20-web", "10-db"):
        (directory / name).write_text(f'name="{name[3:]}"\nkernel="/k"\n')
    for name in (".hidden", "10-db~"):
        (directory / name).write_text("nonsense")
    return directory


@pytest.fixture
def host(xend):
    xend.answers["guests.start"] = xend.answers["guests.stop"] = {}
    return xend


def test_start_sends_the_files_in_the_order_of_their_names_and_waits(host, xm, auto):
    working = [guest("db", "start", "working"), guest("web", "start", "waiting"), guest("old", "resume", "working")]
    done = [guest(name, action, "done") for name, action in (("db", "start"), ("web", "start"), ("old", "resume"))]
    host.answers["guests.status"] = Host("start", working, working, done)
    out = xm.good("guests", "start", "--auto", auto)
    assert out == "Resuming guests: old\nStarting guests: db\nGuests started with the host: 3 of 3.\n"
    assert orders(host) == [("guests.start", "", None), ("guests.start", "10-db", "db"), ("guests.start", "20-web", "web")]


def test_start_names_each_that_failed_and_goes_on_after_a_bad_file(host, xm, auto):
    (auto / "15-bad").write_text("name=\n")
    host.answers["guests.status"] = Host("start", [guest("db", "start", "failed", reason="No disk."), guest("web", "start", "done")])
    done = xm("guests", "start", "--auto", auto)
    assert done.status == 1 and "15-bad:1:" in done.err and "Error: guest db: No disk." in done.err
    assert done.out == "Guests started with the host: 1 of 2. Failed: db (see `xm guests status').\n"
    assert [order[1:] for order in orders(host)] == [("", None), ("10-db", "db"), ("15-bad", None), ("20-web", "web")]
    bad = auto / "15-bad"
    assert [p for _, p in host.requests if "reason" in p] == [
        {"path": str(bad), "reason": f"{bad} cannot be used; `xm create -n {bad}' says why."}]


def test_start_without_the_directory_starts_what_xend_keeps(host, xm, tmp_path):
    host.answers["guests.status"] = Host("start", [])
    assert xm.good("guests", "start", "--auto", tmp_path / "none") == "Guests started with the host: 0 of 0.\n"


def test_stop_shows_the_time_that_is_left(host, xm):
    host.answers["guests.status"] = Host(
        "stop",
        [guest("web1", "shutdown", "working", seconds_left=42), guest("db1", "shutdown", "working", seconds_left=40),
         guest("big", "suspend", "working", seconds_left=-1)],
        [guest("web1", "shutdown", "working", seconds_left=41), guest("db1", "shutdown", "done"), guest("big", "suspend", "done")],
        [guest("web1", "shutdown", "done"), guest("db1", "shutdown", "done"), guest("big", "suspend", "done")])
    assert xm.good("guests", "stop") == ("Suspending guests: big\nShutting down guests: web1, db1 (42 s left)\n"
                                         "Shutting down guests: web1 (41 s left)\nGuests ended with the host: 3 of 3.\n")
    assert orders(host) == [("guests.stop", "", None)]


def test_a_long_list_is_cut(host, xm):
    host.answers["guests.status"] = Host("stop", [guest(f"g{i}", "shutdown", "working", seconds_left=9) for i in range(20)],
                                         [guest("g0", "shutdown", "done")])
    assert "g0, g1, g2, g3, g4, g5, g6, g7 and 12 more (9 s left)" in xm.good("guests", "stop")


def test_a_file_that_a_killed_xend_forgot_is_sent_again(host, xm, auto):
    path = str(auto / "20-web")
    host.answers["guests.status"] = Host("start", [guest("web", "start", "waiting", path=path, file_wanted=True)],
                                         [guest("web", "start", "done", path=path)])
    xm.good("guests", "start", "--auto", auto)
    assert [order[1] for order in orders(host)] == ["", "10-db", "20-web", "20-web"]


def test_xm_waits_for_a_xend_that_comes_back(host, xm, tmp_path):
    """The status that it asks for gets no answer, and for a while nobody listens."""
    again = []

    def come_back():
        time.sleep(1)
        (tmp_path / "s").unlink()
        server = FakeXend(tmp_path / "s")
        server.answers["guests.status"] = Host("stop", [guest("web1", "shutdown", "done")])
        again.append(server)

    def die(params):
        host.raw["guests.status"] = None
        host.close()
        threading.Thread(target=come_back, daemon=True).start()
        return Host("stop", [guest("web1", "shutdown", "working", seconds_left=3)])(params)

    host.answers["guests.status"] = die
    out = xm.good("guests", "stop")
    assert out == "Shutting down guests: web1 (3 s left)\nWaiting for xend.\nGuests ended with the host: 1 of 1.\n"
    again[0].close()


def test_refusals_and_other_orders_are_said(host, xm):
    host.answers["guests.start"] = Refusal("busy", "No guest is started: the host's guests are being shut down.")
    assert "being shut down" in xm.fails("guests", "start")
    host.answers["guests.status"] = Host("start", [])
    assert "replaced by another one" in xm.fails("guests", "stop")
    assert "'sleep' is none of start, stop and status" in xm.misused("guests", "sleep")


def test_status(host, xm):
    host.answers["guests.status"] = Host("none", [])
    assert xm.good("guests", "status") == "The host's guests were neither started nor stopped since it booted.\n"
    host.answers["guests.status"] = Host("stop", [guest("web1", "shutdown", "working", seconds_left=5),
                                                  guest("db1", "suspend", "failed", reason="No room."),
                                                  guest("typo", "nothing", "failed", reason="No file.")])
    assert xm.good("guests", "status").split("\n") == [f"{'web1':32} shutdown  working, 5 s left",
                                                       f"{'db1':32} suspend   failed: No room.",
                                                       f"{'typo':32} start     failed: No file.", ""]


def test_a_file_that_xend_wants_again_and_nobody_can_read_ends_the_wait(host, xm, auto):
    """xend was killed while the file waited, and the file has gone since."""
    gone = str(auto / "30-gone")
    host.answers["guests.status"] = Host("start", [guest("db", "start", "done"), guest("gone", "start", "waiting", path=gone, file_wanted=True)])
    done = xm("guests", "start", "-a", auto)
    assert done.status == 1 and "Guests started with the host: 1 of 2.\n" in done.out
    assert done.err.count("30-gone") == 1
