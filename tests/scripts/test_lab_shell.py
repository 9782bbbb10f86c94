# SPDX-License-Identifier: MIT
"""What the lab takes for a command's output, however the hypervisor's own lines lie."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab.shell import Shell  # noqa: E402

LINE = "(HV) d5: write to its page table at 0x10fd50 refused (error -22)\n"
SAID = "{ xl list; } 2>&1\nName ID\n@@LAB 1 0@@\n"


class Port(Shell):
    """A serial port that has said `text`."""

    def __init__(self, text):
        self.text = text

    def pump(self, seconds):
        return False


def test_a_command_begins_in_the_middle_of_a_line_of_the_hypervisor():
    for cut in range(len(LINE) + 1):
        port = Port("@@LAB 0 0@@\n" + LINE[:cut])
        start = port.begin_command()
        port.text += LINE[cut:] + SAID
        assert port.seen(start) == SAID, cut
