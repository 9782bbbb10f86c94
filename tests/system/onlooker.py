# SPDX-License-Identifier: MIT
"""Watches a guest from outside while it moves: a TCP connection with numbered lines, and a ping every 10 ms.

    python3 onlooker.py ADDRESS PORT

Says "connected" first. At the end of its input it prints what it saw as JSON: `lines`, `next` (the number that would come
now), `wrong` (lines that were not the next), `open` (the connection still is), `pings`, `answers`, `silence_ms` (the longest
time without an answer).
"""

import json
import os
import select
import socket
import struct
import sys
import time

INTERVAL = 0.01


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def echo(number):
    body = struct.pack("!HH", os.getpid() & 0xFFFF, number & 0xFFFF)
    return struct.pack("!BBH", 8, 0, checksum(b"\x08\x00\x00\x00" + body)) + body


class Onlooker:
    def __init__(self, address, port):
        self.address = address
        self.line = socket.create_connection((address, port), 60)
        self.ping = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.text = b""
        self.seen = {"lines": 0, "next": None, "wrong": 0, "open": True, "pings": 0, "answers": 0, "silence_ms": 0}
        self.last_answer = None

    def take_lines(self):
        data = self.line.recv(65536)
        if not data:
            self.seen["open"] = False
        *lines, self.text = (self.text + data).split(b"\n")
        for line in lines:
            number = int(line)
            self.seen["wrong"] += self.seen["next"] not in (None, number)
            self.seen["lines"] += 1
            self.seen["next"] = number + 1

    def take_answer(self):
        if self.ping.recv(2000)[20] != 0:
            return
        now = time.monotonic()
        self.seen["answers"] += 1
        if self.last_answer:
            self.seen["silence_ms"] = max(self.seen["silence_ms"], int((now - self.last_answer) * 1000))
        self.last_answer = now

    def run(self):
        due = time.monotonic()
        print("connected", flush=True)
        while True:
            wait = [self.ping, sys.stdin] + ([self.line] if self.seen["open"] else [])
            ready, _, _ = select.select(wait, [], [], max(0, due - time.monotonic()))
            if sys.stdin in ready:
                return self.seen
            if self.line in ready:
                try:
                    self.take_lines()
                except OSError:
                    self.seen["open"] = False
            if self.ping in ready:
                self.take_answer()
            if time.monotonic() >= due:
                due = max(due + INTERVAL, time.monotonic())
                self.seen["pings"] += 1
                try:
                    self.ping.sendto(echo(self.seen["pings"]), (self.address, 0))
                except OSError:  # nobody answers for that address at the moment
                    pass


if __name__ == "__main__":
    print(json.dumps(Onlooker(sys.argv[1], int(sys.argv[2])).run()))
