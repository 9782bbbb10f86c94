# SPDX-License-Identifier: MIT
"""A disc from which GRUB loads a hypervisor as on a real machine: by the BIOS or UEFI, and multiboot 2."""

import shutil
import subprocess
from pathlib import Path

MENU = """\
set timeout=0
menuentry test {{
{before}	multiboot2 /boot/{image} placeholder {append}
{modules}{after}}}
"""


def make_disc(directory, pc, before=(), after=()):
    """Make the disc of pc's image and modules in a directory; return its path. `before` and `after`: GRUB's
    commands before and after it loads the image."""
    directory = Path(directory)
    boot = directory / "tree/boot"
    (boot / "grub").mkdir(parents=True)
    for file in (pc.image, *(file for file, _ in pc.modules)):
        shutil.copyfile(file, boot / Path(file).name)
    modules = "".join(f"\tmodule2 /boot/{Path(file).name} placeholder {words}\n"
                      for file, words in pc.modules)
    (boot / "grub/grub.cfg").write_text(
        MENU.format(before="".join(f"\t{line}\n" for line in before),
                    after="".join(f"\t{line}\n" for line in after), image=Path(pc.image).name, append=pc.append, modules=modules))
    disc = directory / "boot.iso"
    subprocess.run(["grub-mkrescue", "-o", disc, directory / "tree"], check=True, capture_output=True)
    return disc
