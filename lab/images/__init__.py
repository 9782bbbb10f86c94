# SPDX-License-Identifier: MIT
"""Makes the systems that boot in the lab's machines, from Debian's packages (lab/build)."""
