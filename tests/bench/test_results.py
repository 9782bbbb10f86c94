# SPDX-License-Identifier: MIT
"""The benchmark's own arithmetic: what a machine said becomes figures, ratios, verdicts and named regressions."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import results  # noqa: E402
from rows import PARTS, ROWS, Row  # noqa: E402

FIXED = Row("call", "a call", most=140)
SHARE = Row("fork", "a fork", ratio=0.8)
TIME = Row("boot", "a boot", "us", ratio=0.9)


def figure(value):
    return {"value": value, "runs": "5x100"}


def kept(**rows):
    return {"rows": {key: {"xenolith": figure(value)} for key, value in rows.items()}}


def test_a_line_becomes_a_figure():
    found = results.parse("noise\nBENCH call 118 instructions 5x100\nBENCH-END\n", [FIXED])
    assert found == {"call": {"value": 118, "runs": "5x100"}}


def test_rows_that_nobody_asked_for_are_not_taken():
    assert list(results.parse("BENCH other 1 instructions 5x100\nBENCH call 2 instructions 1x1\n", [FIXED])) == ["call"]


@pytest.mark.parametrize("text, reason", [
    ("", "did not say"),
    ("BENCH call 118 us 5x100\n", "said in us"),
    ("BENCH call -3 instructions 5x100\n", "-3"),
    ("BENCH call 118 instructions 5x100\nBENCH call 119 instructions 5x100\n", "not alike"),
])
def test_what_is_missing_or_wrong_has_failed(text, reason):
    found = results.parse(text, [FIXED])["call"]
    assert reason in found["failed"] and "value" not in found


def test_the_reason_of_a_machine_that_died_goes_to_its_missing_rows_only():
    found = results.parse("BENCH call 118 instructions 5x100\n", [FIXED, SHARE], "QEMU ended")
    assert found["call"]["value"] == 118
    assert found["fork"] == {"failed": "QEMU ended"}


def test_ratio_needs_both():
    assert results.ratio(figure(60), figure(120)) == 0.5
    assert results.ratio(figure(60), {"failed": "x"}) is None
    assert results.ratio(None, figure(1)) is None
    assert results.ratio(figure(1), figure(0)) is None


@pytest.mark.parametrize("row, ours, xen, verdict", [
    (FIXED, figure(140), figure(280), "ok"),
    (FIXED, figure(141), figure(280), "above"),
    (SHARE, figure(80), figure(100), "ok"),
    (SHARE, figure(81), figure(100), "above"),
    (SHARE, figure(80), None, ""),
    (SHARE, None, figure(100), ""),
    (SHARE, {"failed": "x"}, figure(100), "FAILED"),
    (SHARE, figure(1), {"failed": "x"}, "FAILED"),
])
def test_verdicts(row, ours, xen, verdict):
    assert results.verdict(row, ours, xen) == verdict


def test_the_table_names_units_runs_and_failures():
    found = {"rows": {"call": {"xenolith": figure(118), "xen": figure(275)},
                      "boot": {"xenolith": {"failed": "no end after 9 s"}, "xen": figure(4797782)}}}
    text = results.table(found, [FIXED, SHARE, TIME])
    assert "| a call | instructions | 5x100 | 118 | 275 | 0.43 | 140 | ok |" in text
    assert "| a boot | us | 5x100 | FAILED | 4,797,782 |  | 4,318,003 | FAILED |" in text
    assert "- FAILED: a boot, ours: no end after 9 s" in text
    assert "a fork" not in text


def test_rows_of_other_sides_have_a_table_of_their_own():
    found = {"rows": {"call": {"xenolith": figure(118), "xen": figure(275)}, "list": {"xm": figure(30), "xl": figure(100)},
                      "rest": {"xm": figure(0)}}}
    text = results.table(found, [FIXED, Row("list", "a list", ratio=0.5, sides=("xm", "xl")),
                                 Row("rest", "at rest", "times", most=0, sides=("xm", "xl"), alone=True)])
    head, tail = text.split("\n\n")
    assert "| ours | Xen |" in head and "| xm | xl |" in tail
    assert "| a list | instructions | 5x100 | 30 | 100 | 0.30 | 50 | ok |" in tail
    assert "| at rest | times | 5x100 | 0 |  |  | 0 | ok |" in tail


def test_failures_are_of_either_hypervisor():
    found = {"rows": {"call": {"xenolith": figure(1), "xen": {"failed": "x"}}, "boot": {"xenolith": {"failed": "y"}}}}
    assert results.failures(found) == ["call (xen)", "boot (xenolith)"]


def test_growth_by_more_than_a_twentieth_is_a_regression():
    assert results.regressions(kept(call=105), kept(call=100)) == []
    assert results.regressions(kept(call=90), kept(call=100)) == []
    assert results.regressions(kept(call=106), kept(call=100)) == ["call: 100 before, 106 now (+6.0 %)"]


def test_growth_of_our_toolstack_is_a_regression():
    before, now = ({"rows": {"list": {"xm": figure(ours), "xl": figure(theirs)}}} for ours, theirs in ((100, 200), (120, 300)))
    assert results.regressions(now, before) == ["list: 100 before, 120 now (+20.0 %)"]


def test_a_row_that_fails_now_is_a_regression():
    now = {"rows": {"call": {"xenolith": {"failed": "no end"}}}}
    assert results.regressions(now, kept(call=100)) == ["call: was 100, fails now: no end"]


def test_rows_that_are_new_or_were_not_run_are_no_regression():
    assert results.regressions(kept(new=100), kept(call=100)) == []
    assert results.regressions({"rows": {"call": {"xen": figure(500)}}}, kept(call=100)) == []


def test_a_hypervisor_that_was_not_run_is_filled_in_from_what_was_kept():
    now = {"rows": {"call": {"xenolith": figure(100)}, "boot": {"xenolith": figure(7)}}}
    assert results.fill_in(now, {"rows": {"call": {"xenolith": figure(99), "xen": figure(275)}}}, "xen") == 1
    assert now["rows"] == {"call": {"xenolith": figure(100), "xen": figure(275)}, "boot": {"xenolith": figure(7)}}


def test_results_are_kept_and_found_again(tmp_path):
    path = tmp_path / "baseline.json"
    assert results.load(path) == {"rows": {}}
    results.store(path, kept(call=100))
    assert results.load(path) == kept(call=100)
    path.write_text(json.dumps([1]))
    with pytest.raises(ValueError, match="holds no results"):
        results.load(path)


def test_every_row_has_a_name_of_its_own():
    rows = [row for part in PARTS.values() for row in part]
    assert len({row.key for row in rows}) == len(rows) == len(ROWS)
    assert all((row.most is not None) != bool(row.ratio) for row in rows)
