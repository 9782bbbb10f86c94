# SPDX-License-Identifier: MIT
"""Write an initramfs: a cpio archive of the "newc" format, uncompressed.

The format is the one of the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
Archives may be concatenated: each ends on a multiple of 512 bytes.
"""

import os
import stat


class Archive:
    def __init__(self, path):
        self.out = open(path, "wb")
        self.ino = 0
        self.seen = set()

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        name = name.strip("/")
        if name in self.seen:
            return
        self.seen.add(name)
        if "/" in name:
            self.directory(os.path.dirname(name))
        self.ino += 1
        encoded = name.encode() + b"\0"
        fields = [self.ino, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(encoded), 0]
        self._pad(b"070701" + b"".join(b"%08X" % f for f in fields) + encoded)
        self._pad(data)

    def _pad(self, data):
        self.out.write(data)
        self.out.write(b"\0" * (-len(data) % 4))

    def directory(self, name, mode=0o755):
        if name:
            self._entry(name, stat.S_IFDIR | mode)

    def file(self, name, data, mode=0o644):
        self._entry(name, stat.S_IFREG | mode, data)

    def copy(self, name, source):
        mode = 0o755 if os.access(source, os.X_OK) else 0o644
        with open(source, "rb") as handle:
            self.file(name, handle.read(), mode)

    def link(self, name, target):
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def device(self, name, major, minor):
        self._entry(name, stat.S_IFCHR | 0o600, rdev=(major, minor))

    def close(self):
        self._entry("TRAILER!!!", 0)
        self.out.write(b"\0" * (-self.out.tell() % 512))
        self.out.close()
