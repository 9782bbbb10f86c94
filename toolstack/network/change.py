# SPDX-License-Identifier: MIT
"""A change of the host's network as files and commands. It is written down before it begins, so it can be undone."""
import hashlib
import json
import os
import shlex
import subprocess
from pathlib import Path

JOURNAL = Path("/var/lib/xenolith/network-setup.json")


class Failure(Exception):
    """What was attempted, what went wrong, and what to do."""


def run(words, check=True):
    """The output of a command. It must succeed, unless check is False."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, timeout=90)
    except FileNotFoundError:
        raise Failure(f"Cannot run {words[0]}: it is not installed.") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"`{shlex.join(words)}' has not ended within 90 seconds.") from None
    if check and done.returncode:
        said = done.stdout.strip() or f"exit status {done.returncode}"
        raise Failure(f"`{shlex.join(words)}' failed: {said}")
    return done.stdout


def _digest(path):
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def _write(path, text):
    """Replaces the file, or removes it if text is None. A loss of power leaves the old file or the new one."""
    if text is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.xenolith")
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    with open(draft, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    draft.rename(path)


class Change:
    """The files that a change writes; commands before them, after them, and for the way back."""

    def __init__(self, manager, bridge, interface):
        self.manager, self.bridge, self.interface = manager, bridge, interface
        self.files = {}  # path -> [old text or None, new text]
        self.before, self.after = [], []
        self.undo_before, self.undo_after = [], []  # around the old files' return

    def write(self, path, text):
        """The file gets this text."""
        path = Path(path)
        old = path.read_text(encoding="utf-8") if path.exists() else None
        self.files[str(path)] = [old, text]

    def text(self):
        """The change as a person reads it."""
        lines = [f"# by {self.manager}"]
        lines += [shlex.join(words) for words in self.before]
        for path, (old, new) in self.files.items():
            lines.append(f"# {path} {'is replaced by' if old is not None else 'is new'}:")
            lines += [f"    {line}" for line in new.splitlines()]
        return "\n".join(lines + [shlex.join(words) for words in self.after])

    def _save(self):
        # The journal has a digest of each new file: what somebody changes later must not get lost on the way back.
        digests = {path: hashlib.sha256(new.encode()).hexdigest() for path, (_, new) in self.files.items()}
        _write(JOURNAL, json.dumps({**vars(self), "digests": digests}, indent=1) + "\n")

    @classmethod
    def load(cls):
        """The change that was made on this host."""
        try:
            saved = json.loads(JOURNAL.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise Failure("Nothing to undo: `xm network-setup' has made no bridge on this host.") from None
        change = cls(saved["manager"], saved["bridge"], saved["interface"])
        for path, digest in saved.pop("digests").items():
            if _digest(Path(path)) not in (digest, hashlib.sha256((saved["files"][path][0] or "").encode()).hexdigest()):
                raise Failure(f"Cannot undo the bridge: somebody has changed {path} since. Its text before the change is in "
                              f"{JOURNAL}; put it back by hand, then remove {JOURNAL}.")
        vars(change).update(saved)
        return change

    def apply(self):
        """Makes the change; takes back what was done if a step fails."""
        if JOURNAL.exists():
            raise Failure("`xm network-setup' has made a bridge on this host already; `xm network-setup --undo' takes it back.")
        self._save()
        try:
            for words in self.before:
                run(words)
            for path, (_, new) in self.files.items():
                _write(Path(path), new)
            for words in self.after:
                run(words)
        except (Failure, OSError) as failure:
            self.undo()
            raise Failure(f"Cannot make the bridge {self.bridge}: {failure} Everything is as it was.") from None

    def undo(self, dry_run=False):
        """Takes the change back, also one that was made in part. Returns what the person reads."""
        steps = [shlex.join(words) for words in self.undo_before]
        steps += [f"# {path} {'is removed' if old is None else 'gets its old text'}" for path, (old, _) in self.files.items()]
        steps += [shlex.join(words) for words in self.undo_after]
        if dry_run:
            return "\n".join(steps)
        for words in self.undo_before:
            run(words, check=False)
        for path, (old, _) in self.files.items():
            _write(Path(path), old)
        for words in self.undo_after:
            run(words, check=False)
        JOURNAL.unlink()
        return f"The bridge {self.bridge} is gone."
