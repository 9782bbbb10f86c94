# SPDX-License-Identifier: MIT
"""From what a machine said to figures, a table and a verdict. Pure: no machine is touched here."""

import json
import re
from pathlib import Path

LINE = re.compile(r"BENCH (\S+) (\S+) (\S+) (\S+)")
TOLERANCE = 0.05  # a figure that grew by more than this is a regression
NAMES = {"xenolith": "ours", "xen": "Xen", "xm": "xm", "xl": "xl"}
OURS = ("xenolith", "xm")


def parse(text, rows, failure=""):
    """The figures of one machine: {key: {"value": n, "runs": "5x100"} or {"failed": reason}}, one for each of `rows`.

    `failure` says why the machine stopped early. A row that was not said, said twice with different figures, or with
    another unit than it should have, has failed: nothing is left out."""
    said = {}
    for key, value, unit, runs in LINE.findall(text):
        said.setdefault(key, []).append((value, unit, runs))
    return {row.key: _figure(row, said.get(row.key, []), failure) for row in rows}


def _figure(row, said, failure):
    if not said:
        return {"failed": failure or "the machine did not say it"}
    if len(set(said)) > 1:
        return {"failed": f"said {len(said)} times, not alike: {', '.join(s[0] for s in said)}"}
    value, unit, runs = said[0]
    if unit != row.unit:
        return {"failed": f"said in {unit}, not in {row.unit}"}
    if not re.fullmatch(r"\d+", value):
        return {"failed": value}
    return {"value": int(value), "runs": runs}


def ratio(ours, xen):
    """Ours by Xen's, or None if one of them has failed or is missing."""
    if "value" in (ours or {}) and (xen or {}).get("value"):
        return ours["value"] / xen["value"]
    return None


def limit(row, xen):
    """The most that we may take, in the row's unit; None when it has no limit or depends on a run that failed."""
    if row.most is not None:
        return row.most
    if row.ratio and "value" in (xen or {}):
        return int(xen["value"] * row.ratio)
    return None


def verdict(row, ours, xen):
    most = limit(row, xen)
    if "failed" in (ours or {}) or "failed" in (xen or {}):
        return "FAILED"
    if ours is None or most is None:
        return ""
    return "ok" if ours["value"] <= most else "above"


def _cell(figure):
    if figure is None:
        return "not run"
    return f"{figure['value']:,}" if "value" in figure else "FAILED"


def table(results, rows):
    """Markdown: a table for each pair of sides with one line for each row, then the reasons of those that failed."""
    lines, reasons = [], []
    sides = None
    for row in rows:
        both = results["rows"].get(row.key)
        if both is None:
            continue
        if row.sides != sides:
            lines += [""] * bool(sides) + [f"| operation | unit | runs | {' | '.join(NAMES[s] for s in row.sides)} | ratio | at most | |",
                                           "|---|---|---|--:|--:|--:|--:|---|"]
            sides = row.sides
        ours, xen = (both.get(side) for side in row.sides)
        quotient, most = ratio(ours, xen), limit(row, xen)
        runs = (ours or {}).get("runs") or (xen or {}).get("runs") or ""
        lines.append(f"| {row.title} | {row.unit} | {runs} | {_cell(ours)} | {'' if row.alone else _cell(xen)} "
                     f"| {'' if quotient is None else f'{quotient:.2f}'} "
                     f"| {'' if most is None else f'{most:,}'} | {verdict(row, ours, xen)} |")
        for side, figure in zip(row.sides, (ours, xen)):
            if figure and "failed" in figure:
                reasons.append(f"- FAILED: {row.title}, {NAMES[side]}: {figure['failed']}")
    return "\n".join(lines + ([""] + reasons if reasons else [])) + "\n"


def fill_in(results, baseline, hv):
    """Takes figures of a hypervisor that was not run from those that were kept; returns how many."""
    filled = 0
    for key, both in results["rows"].items():
        old = baseline["rows"].get(key, {}).get(hv)
        if hv not in both and old:
            both[hv] = old
            filled += 1
    return filled


def failures(results):
    """Keys of the rows of which a run has failed, ours or Xen's."""
    return [f"{key} ({hv})" for key, both in results["rows"].items() for hv, figure in both.items() if "failed" in figure]


def regressions(results, baseline, tolerance=TOLERANCE):
    """Sentences, one for each of our figures that grew by more than `tolerance`, or failed where there was one."""
    found = []
    for key, both in results["rows"].items():
        side = next((side for side in OURS if side in both), None)
        before = baseline["rows"].get(key, {}).get(side, {}).get("value")
        now = both.get(side)
        if before is None or now is None:
            continue
        if "failed" in now:
            found.append(f"{key}: was {before:,}, fails now: {now['failed']}")
        elif now["value"] > before * (1 + tolerance):
            growth = f" (+{100 * (now['value'] / before - 1):.1f} %)" if before else ""
            found.append(f"{key}: {before:,} before, {now['value']:,} now{growth}")
    return found


def load(path):
    """Results that were kept, or empty ones."""
    path = Path(path)
    if not path.exists():
        return {"rows": {}}
    results = json.loads(path.read_text())
    if not isinstance(results, dict) or not isinstance(results.get("rows"), dict):
        raise ValueError(f"{path} holds no results: it has no \"rows\". Remove it, or make it anew with --keep")
    return results


def store(path, results):
    draft = Path(path).with_suffix(".new")
    draft.write_text(json.dumps(results, indent="\t") + "\n")
    draft.rename(path)
