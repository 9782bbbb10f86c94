# SPDX-License-Identifier: MIT
"""A small VNC client (RFC 6143): looks at a screen, types. It asks for raw pixels of 32 bits."""

import socket
import struct

# DES, for VNC's password (FIPS 46-3): its tables, in the order of the standard.
IP = [58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8,
      57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, 61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7]
FP = [40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31, 38, 6, 46, 14, 54, 22, 62, 30, 37, 5, 45, 13, 53, 21, 61, 29,
      36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27, 34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9, 49, 17, 57, 25]
E = [32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17,
     16, 17, 18, 19, 20, 21, 20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1]
P = [16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25]
PC1 = [57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
       63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4]
PC2 = [14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
       41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32]
SHIFTS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1]
S = ["e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d", "f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
     "a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c", "7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
     "2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453", "c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
     "4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c", "d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b"]


def _bits(data):
    return [byte >> shift & 1 for byte in data for shift in range(7, -1, -1)]


def _pick(bits, table):
    return [bits[place - 1] for place in table]


def _round_keys(key):
    half = _pick(_bits(key), PC1)
    c, d = half[:28], half[28:]
    for shift in SHIFTS:
        c, d = c[shift:] + c[:shift], d[shift:] + d[:shift]
        yield _pick(c + d, PC2)


def _mix(right, key):
    mixed = [a ^ b for a, b in zip(_pick(right, E), key)]
    out = []
    for box in range(8):
        six = mixed[box * 6:box * 6 + 6]
        row, column = six[0] * 2 + six[5], six[1] * 8 + six[2] * 4 + six[3] * 2 + six[4]
        value = int(S[box][row * 16 + column], 16)
        out += [value >> shift & 1 for shift in (3, 2, 1, 0)]
    return _pick(out, P)


def des(key, block):
    bits = _pick(_bits(block), IP)
    left, right = bits[:32], bits[32:]
    for round_key in _round_keys(key):
        left, right = right, [a ^ b for a, b in zip(left, _mix(right, round_key))]
    bits = _pick(right + left, FP)
    return bytes(int("".join(map(str, bits[i:i + 8])), 2) for i in range(0, 64, 8))


def answer(password, challenge):
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode().ljust(8, b"\0")[:8])
    return des(key, challenge[:8]) + des(key, challenge[8:])


class Refused(Exception):
    pass


class Client:
    def __init__(self, port, password=None, version=b"RFB 003.008\n", timeout=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        try:
            self._begin(password, version)
        except BaseException:
            self.close()
            raise

    def close(self):
        self.socket.close()

    def _get(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise Refused("the server hung up")
            data += more
        return data

    def _begin(self, password, version):
        assert self._get(12) == b"RFB 003.008\n"
        self.socket.sendall(version)
        if version.startswith(b"RFB 003.003"):
            self.security, = struct.unpack(">I", self._get(4))
        else:
            types = self._get(self._get(1)[0])
            self.security = 2 if password is not None and 2 in types else types[0]
            self.socket.sendall(bytes([self.security if password is not None or 1 in types else 1]))
        if self.security == 2:
            if password is None:
                raise Refused("a password is wanted: " + repr(self.socket.recv(1)))
            self.socket.sendall(answer(password, self._get(16)))
        if self.security == 2 or version.startswith(b"RFB 003.008"):
            if self._get(4) != b"\0\0\0\0":
                reason = self._get(struct.unpack(">I", self._get(4))[0]) if version.startswith(b"RFB 003.008") else b""
                raise Refused(reason.decode())
        self.socket.sendall(b"\1")
        self.width, self.height, _, length = struct.unpack(">HH16sI", self._get(24))
        self.name = self._get(length).decode()
        self.socket.sendall(struct.pack(">B3xBBBBHHHBBB3x", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        self.socket.sendall(struct.pack(">BxHi", 2, 1, 0))

    def pixels(self):
        """The whole screen: four bytes each, blue first."""
        self.socket.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, self.width, self.height))
        screen = bytearray(self.width * self.height * 4)
        missing = self.width * self.height
        while missing > 0:
            kind = self._get(1)[0]
            if kind == 2:
                continue
            if kind == 3:
                self._get(struct.unpack(">3xI", self._get(7))[0])
                continue
            assert kind == 0, kind
            count, = struct.unpack(">xH", self._get(3))
            for _ in range(count):
                x, y, w, h, encoding = struct.unpack(">HHHHi", self._get(12))
                assert encoding == 0
                data = self._get(w * h * 4)
                for line in range(h):
                    at = ((y + line) * self.width + x) * 4
                    screen[at:at + w * 4] = data[line * w * 4:(line + 1) * w * 4]
                missing -= w * h
        return bytes(screen)

    def key(self, symbol):
        for down in (1, 0):
            self.socket.sendall(struct.pack(">BB2xI", 4, down, symbol))

    def pointer(self, x, y, buttons=0):
        self.socket.sendall(struct.pack(">BBHH", 5, buttons, x, y))


if __name__ == "__main__":
    # The example of FIPS 81.
    assert des(bytes.fromhex("0123456789abcdef"), b"Now is t").hex() == "3fa40e8a984d4815"
