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


def _digest(text):
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def _read(path):
    return path.read_text(encoding="utf-8") if path.exists() else None


def _write(path, text, like=None, mode=0o644):
    """Replaces the file, or removes it if text is None. A loss of power leaves the old file or the new one. Its mode and
    owner stay. A new file has those of `like`, which may hide passwords, or else this mode."""
    if text is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.xenolith")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        model = next((p.stat() for p in (path, like) if p and p.exists()), None)
        if model:
            os.fchown(file.fileno(), model.st_uid, model.st_gid)
        os.fchmod(file.fileno(), model.st_mode & 0o777 if model else mode)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def _try(words):
    """Runs a command of the way back, on which nothing may stop; why it failed, or None."""
    try:
        run(words)
    except Failure as failure:
        return str(failure)
    return None


class Change:
    """The files that a change writes; commands before them, after them, and for the way back."""

    def __init__(self, manager, bridge, interface):
        self.manager, self.bridge, self.interface = manager, bridge, interface
        self.files = {}  # path -> [old text or None, new text, path of a file with the same mode]
        self.before, self.after = [], []
        self.undo_before, self.undo_after = [], []  # around the old files' return

    def write(self, path, text, like=None):
        """The file gets this text; a new one has the mode and the owner of `like`."""
        self.files[str(path)] = [_read(Path(path)), text, like and str(like)]

    def text(self):
        """The change as a person reads it."""
        lines = [f"# by {self.manager}"]
        lines += [shlex.join(words) for words in self.before]
        for path, (old, new, _) in self.files.items():
            lines.append(f"# {path} {'is replaced by' if old is not None else 'is new'}:")
            lines += [f"    {line}" for line in new.splitlines()]
        return "\n".join(lines + [shlex.join(words) for words in self.after])

    def _save(self):
        _write(JOURNAL, json.dumps(vars(self), indent=1) + "\n", mode=0o600)

    @classmethod
    def load(cls):
        """The change that was made on this host."""
        try:
            saved = json.loads(JOURNAL.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise Failure("Nothing to undo: `xm network-setup' has made no bridge on this host.") from None
        change = cls(saved["manager"], saved["bridge"], saved["interface"])
        vars(change).update(saved)
        # What somebody has changed since must not get lost. A change that was interrupted has old files and new ones.
        for path, (old, new, _) in change.files.items():
            if _digest(_read(Path(path))) not in (_digest(old), _digest(new)):
                raise Failure(f"Cannot undo the bridge: somebody has changed {path} since. Its text before the change is in "
                              f"{JOURNAL}; put it back by hand, then remove {JOURNAL}.")
        return change

    def apply(self):
        """Makes the change; takes back what was done if a step fails."""
        if JOURNAL.exists():
            raise Failure("`xm network-setup' has made a bridge on this host already; `xm network-setup --undo' takes it back.")
        self._save()
        try:
            for words in self.before:
                run(words)
            for path, (_, new, like) in self.files.items():
                _write(Path(path), new, like and Path(like))
            for words in self.after:
                run(words)
        except (Failure, OSError) as failure:
            raise Failure(f"Cannot make the bridge {self.bridge}: {failure} {self.undo_all()}") from None

    def undo_all(self):
        """Takes a failed change back, and says how that went."""
        try:
            self.undo()
        except (Failure, OSError) as failure:
            return str(failure)
        return "Everything is as it was."

    def undo(self, dry_run=False):
        """Takes the change back, also one that was made in part. Returns what the person reads."""
        steps = [shlex.join(words) for words in self.undo_before]
        steps += [f"# {path} {'is removed' if old is None else 'gets its old text'}" for path, (old, _, _) in self.files.items()]
        steps += [shlex.join(words) for words in self.undo_after]
        if dry_run:
            return "\n".join(steps)
        for words in self.undo_before:
            _try(words)
        for path, (old, _, _) in self.files.items():
            _write(Path(path), old)
        # Each of them, whatever the one before said; if a card had joined, the last one brings it back.
        said = [_try(words) for words in self.undo_after]
        if self.interface and said[-1]:
            raise Failure(f"The old files are back, but the host's network is not: {said[-1]} Run that again; then "
                          "`xm network-setup --undo' finishes.")
        JOURNAL.unlink()
        return f"The bridge {self.bridge} is gone."
