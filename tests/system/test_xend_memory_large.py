# SPDX-License-Identifier: MIT
"""A guest of more than 4 GiB by a bit under xend: its frames and the sizes of its tables pass what 32 bits of bytes can say."""

import pytest

from test_xend_memory import expect_memory, save_and_restore, set_memory
from xend import Guest, XendDom0

KIND = XendDom0
MACHINE = dict(smp=1, mem=6144, dom0_mem=1280)
MIB = 4097


@pytest.mark.long
def test_a_guest_of_4097_mib(xend):
    """Made, shrunk, grown, saved and restored, with something in its memory."""
    xend.make(Guest("large", memory=MIB), timeout=400)
    expect_memory(xend, "large", MIB)
    xend.guest("large", "echo marked >/tmp/mark; mkdir /big; mount -t tmpfs big /big; dd if=/dev/urandom of=/big/random bs=1M count=64; "
                        "md5sum </big/random >/tmp/sum", 400)
    for size in (MIB - 63, MIB):
        set_memory(xend, "large", size)
        save_and_restore(xend, "large")
        expect_memory(xend, "large", size)
        assert xend.guest("large", "md5sum </big/random | cmp - /tmp/sum && echo same", 200) == "same"
