# SPDX-License-Identifier: MIT
"""A desktop that nobody sees: an X server in memory, a window manager, and the programs on it, found and worked through their
accessibility tree (AT-SPI) as a screen reader does it.

    with Desktop() as desktop:
        desktop.start("virt-manager", "--no-fork")
        desktop.press(desktop.wait("push button", "Run"))
"""

import os
import re
import shutil
import subprocess
import tempfile
import time

import gi

from lab import LOGS
from lab.machine import die_with_parent

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

PATIENCE = 300
CALL_PATIENCE = 60
SIZE = "1280x1024x24"
# What GTK and libatspi look for, and where programs keep what they remember.
VARIABLES = ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "HOME")


class Desktop:
    """One in the life of a process: libatspi connects once."""

    def __init__(self, alive=lambda: None):
        """`alive` is called while something is waited for; it raises when there is no sense in that."""
        self.alive = alive
        self.processes = []
        self.before = {name: os.environ.get(name) for name in VARIABLES}
        self.directory = None

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="xl-desktop-")
        os.chmod(self.directory, 0o700)
        os.environ.update(HOME=self.directory, XDG_RUNTIME_DIR=self.directory)
        try:
            # It takes the first display that is free.
            os.environ["DISPLAY"] = ":" + self._server("Xvfb", "-displayfd", "1", "-screen", "0", SIZE, "-nolisten", "tcp")
            os.environ["DBUS_SESSION_BUS_ADDRESS"] = self._server("dbus-daemon", "--session", "--nofork", "--print-address=1")
            self.start("openbox")
            # A program answers late while it waits for a slow host.
            Atspi.set_timeout(CALL_PATIENCE * 1000, CALL_PATIENCE * 1000)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        for name, value in self.before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(self.directory, ignore_errors=True)

    def _server(self, *words):
        """Start a program; return the line that it prints when it is there."""
        line = self.start(*words, stdout=subprocess.PIPE).stdout.readline().decode().strip()
        assert line, f"{words[0]} does not start: see {LOGS}/desktop-{words[0]}.log"
        return line

    def start(self, *words, stdout=None):
        with open(LOGS / f"desktop-{words[0]}.log", "wb") as log:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=stdout or log, stderr=log, preexec_fn=die_with_parent)
        self.processes.append(process)
        return process

    def nodes(self, root=None):
        """All that is there now. What a program takes away meanwhile is left out."""
        while GLib.MainContext.default().iteration(False):
            pass
        if root is None:
            root = Atspi.get_desktop(0)
        try:
            root.clear_cache()
            todo = [root]
            while todo:
                node = todo.pop()
                yield node
                todo += [child for child in map(node.get_child_at_index, reversed(range(node.get_child_count()))) if child]
        except GLib.Error:
            return

    def find(self, role, name="", root=None, shown=True):
        """The first with that role whose name matches the whole regular expression, or None."""
        try:
            for node in self.nodes(root):
                if node.get_role_name() == role and re.fullmatch(name, node.get_name() or ""):
                    if not shown or node.get_state_set().contains(Atspi.StateType.SHOWING):
                        return node
        except GLib.Error:
            pass
        return None

    def until(self, done, what, timeout=PATIENCE):
        """Until done() gives something true; return that."""
        deadline = time.monotonic() + timeout
        while True:
            found = done()
            if found:
                return found
            self.alive()
            assert time.monotonic() < deadline, f"no {what} in {timeout} s; there are:\n{self.tree()}"
            time.sleep(0.2)

    def wait(self, role, name="", root=None, shown=True, timeout=PATIENCE):
        return self.until(lambda: self.find(role, name, root, shown), f"{role} {name!r}", timeout)

    def tree(self):
        names = []
        for node in self.nodes():
            try:
                names.append(f"{node.get_role_name()} {node.get_name()!r}")
            except GLib.Error:
                pass
        return "\n".join(names)

    def press(self, node):
        self.until(lambda: node.get_state_set().contains(Atspi.StateType.SENSITIVE), f"use of {node.get_name()!r}")
        assert node.do_action(0)

    def place(self, node):
        """Where it is on the screen: x, y, width and height in pixels."""
        return node.get_extents(Atspi.CoordType.SCREEN)

    def click(self, node):
        """With the mouse, in its middle."""
        place = self.place(node)
        subprocess.run(["xdotool", "mousemove", str(place.x + place.width // 2), str(place.y + place.height // 2), "click", "1"], check=True)

    def type(self, text):
        """A line, to what has the keyboard."""
        subprocess.run(["xdotool", "type", "--delay", "50", text], check=True)
        self.knock()

    def knock(self):
        """Press Return."""
        subprocess.run(["xdotool", "key", "Return"], check=True)

    def text(self, node):
        return node.get_text(0, node.get_character_count())

    def picture(self, path):
        """The screen, in a file of the kind that the name's end says."""
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["import", "-window", "root", path], check=True)
        return path

    def pixels(self, x, y, width, height):
        """[(red, green, blue)] of a part of the screen."""
        done = subprocess.run(["import", "-window", "root", "-crop", f"{width}x{height}+{x}+{y}", "+repage", "-depth", "8", "rgb:-"],
                              stdout=subprocess.PIPE, check=True)
        return list(zip(*[iter(done.stdout)] * 3))
