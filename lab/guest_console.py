# SPDX-License-Identifier: MIT
"""A guest's console, joined by a command in Domain-0, as a person at the keyboard does. Beside lab.shell.Shell."""

import re
import time

from lab.debian import PATIENCE
from lab.machine import MachineError


class GuestConsole:
    """For a Machine with a Shell."""

    console_start = 0

    def open_console(self, command, prompt, timeout):
        """Run a command that joins a guest's console; knock until the guest's shell answers, if the command has not ended."""
        self.console_start = self.begin_command()
        ended = re.compile(rf"@@LAB {self.commands} \d+@@\n")
        self.send(f"{command} </dev/hvc0\n")
        deadline = time.monotonic() + timeout
        while True:
            self.send("\r")
            try:
                return self.expect(prompt, 5)
            except MachineError:
                if time.monotonic() > deadline or not self.runs() or ended.search(self.seen(self.console_start)):
                    raise

    def leave_console(self, prompt):
        """Return what was seen there, without the command's echo and the empty prompts of our knocking."""
        self.send("\x1d")
        match = self.expect_end(self.console_start, PATIENCE)
        seen = match.string[:match.start()].replace("\x1b[6n", "")
        lines = [line for line in seen.splitlines()[1:] if line.strip()]
        return "\n".join(line for line, after in zip(lines, lines[1:] + [""])
                         if not (line == after and line.startswith(prompt)))
