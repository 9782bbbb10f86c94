# SPDX-License-Identifier: MIT
"""Commands in a machine whose serial port runs lab/images/dom0/lab/agent: what they say and how they
end."""

import re
import time

from lab.machine import MachineError

# A line of the hypervisor's own log. It may land in the middle of a line of Domain-0's.
HV_LINE = re.compile(r"\((?:XEN|Xen|XENOLITH|xenolith|HV)\)[^\n]*\n")


class Shell:
    """For a Machine."""

    commands = 0  # how many were sent: the agent counts, too

    def begin_command(self):
        """Return where in the text the next command's words begin."""
        self.commands += 1
        self.pump(0)
        last = self.text.rfind("\n") + 1
        # The hypervisor may be in the middle of a line, whose rest would count as the command's.
        self.mark = last if self.text.startswith("(", last) else len(self.text)
        return self.mark

    def seen(self, start):
        """The text from `start` on, but for the hypervisor's lines."""
        return HV_LINE.sub("", self.text[start:])

    def expect_end(self, start, timeout):
        """Wait for the line that ends the present command; return its match in seen(start)."""
        pattern = re.compile(rf"@@LAB {self.commands} (\d+)@@\n")
        match = self.wait(lambda: pattern.search(self.seen(start)), timeout, repr(pattern.pattern))
        self.mark = max(start, self.text.rfind(f"@@LAB {self.commands} "))
        return match

    def run(self, command, timeout=60, check=False):
        """Run one line of shell in Domain-0; return its exit status and its output (both streams).

        What is typed is echoed by the terminal, and paced by that: ports have small buffers."""
        command = f"{{ {command}; }} 2>&1"
        assert "\n" not in command and len(command) < 4000
        start = self.begin_command()
        deadline = time.monotonic() + timeout
        sent = 0
        while sent < len(command):
            self.send(command[sent:sent + 64])
            sent = min(sent + 64, len(command))
            self.wait(lambda: len(self.seen(start)) >= sent, max(1, deadline - time.monotonic()), "echo")
        self.send("\n")
        match = self.expect_end(start, max(1, deadline - time.monotonic()))
        output = match.string[sent:match.start()].strip("\n")
        rc = int(match.group(1))
        if check and rc:
            raise self.error(MachineError, f"{command}: exit status {rc}\n{output}")
        return rc, output

    def sh(self, command, timeout=60):
        """Run a command that must succeed; return its output."""
        return self.run(command, timeout, check=True)[1]

    def converse(self, command, steps, timeout=60):
        """Run a command that reads the terminal. Each step is (text to type, pattern to wait for);
        the last step must make the command end. Return its exit status and what was seen."""
        start = self.begin_command()
        self.send(f"{command} </dev/hvc0\n")
        for text, pattern in steps:
            self.send(text)
            if pattern:
                self.expect(pattern, timeout)
        match = self.expect_end(start, timeout)
        return int(match.group(1)), match.string[:match.start()]

    def finish(self, command, timeout):
        """Run a command that ends the machine; return the reason as end_reason() tells it."""
        self.allow_death = True
        self.send(command + "\n")
        return self.wait_end(timeout)
