# SPDX-License-Identifier: MIT
"""What a domain's file has defined: each name with its value, and the place in the file that says so.

xm puts this text between hints.py and evaluate.py: the three are one program.
"""
import ast
import itertools
import math

MAX_DEPTH = 8
MAX_ITEMS = 4096
# Python 2 gave lists where Python 3 gives these.
LISTS = (list, tuple, map, filter, zip, range, type({}.keys()), type({}.values()), type({}.items()))


class Places:
    """What the text of the file says about its names: where they are assigned, and which are read."""

    def __init__(self, tree, text):
        self.lines = [line.encode() for line in text.split("\n")]
        self.assigned, self.read, self.bound = {}, set(), set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self.assign(target, node.value)
            elif isinstance(node, ast.AnnAssign):
                self.assign(node.target, node.value)
            elif isinstance(node, ast.AugAssign):
                self.assign(node.target, None)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self.read.add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                self.bound.add(node.name)
            elif isinstance(node, ast.alias):
                self.bound.add(node.asname or node.name)
        # "%(name)s" % globals() reads any name.
        self.all_read = bool(self.read & {"globals", "locals", "vars", "eval", "exec"})

    def assign(self, target, value):
        if isinstance(target, ast.Name):
            self.assigned.setdefault(target.id, {})[target.lineno] = (target, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self.assign(element, None)

    def of(self, name, line):
        """The place of the assignment in this line, and the node of the value when it is known."""
        found = self.assigned.get(name, {})
        if not line and found:
            line = max(found)
        if line not in found:
            return (line, 1), None
        target, value = found[line]
        return (target.lineno, target.col_offset + 1), value

    def is_literal(self, node, value):
        """Whether the string stands in the file as it is: then its letter i is at column + 1 + i."""
        if not isinstance(node, ast.Constant):
            return False
        line, start, value = self.lines[node.lineno - 1], node.col_offset + 1, value.encode()
        return line[start - 1:start] in (b"'", b'"') and line[start:start + len(value)] == value

    def is_helper(self, name):
        """A name that the file itself reads, or that not only plain assignments set (a loop does, or an import)."""
        return self.all_read or name in self.read or name in self.bound or name not in self.assigned


class Encoder:
    """From Python's values to the answer's, each with its place."""

    def __init__(self, places):
        self.places = places

    def encode(self, value, node, place, depth=0):
        if node is not None:
            place = (node.lineno, node.col_offset + 1)
        item = {"line": place[0], "column": place[1]}
        if value is None or isinstance(value, bool):
            item["value"] = value
        elif isinstance(value, str):
            self.encode_text(item, str.__str__(value), node)
        elif isinstance(value, int):
            self.encode_number(item, int(value))
        elif isinstance(value, float):
            self.encode_fraction(item, value)
        elif isinstance(value, (dict, *LISTS)) and depth < MAX_DEPTH:
            self.encode_many(item, value, node, place, depth)
        elif isinstance(value, (bytes, bytearray)):
            item["other"] = "bytes: decode() makes text of them"
        elif isinstance(value, (dict, *LISTS)):
            item["other"] = "lists that lie too deep in each other"
        else:
            item["other"] = f"a Python object of type {type(value).__name__}"
        return item

    def encode_text(self, item, value, node):
        try:
            value.encode()
        except UnicodeEncodeError:
            item["other"] = "text with characters that are none"
            return
        item["value"] = value
        if self.places.is_literal(node, value):
            item["plain"] = True

    @staticmethod
    def encode_number(item, value):
        if -(1 << 63) <= value < 1 << 63:
            item["value"] = value
        else:
            item["other"] = "a number of more than 64 bits"

    @staticmethod
    def encode_fraction(item, value):
        if not math.isfinite(value):
            item["other"] = "a number that is none"
        elif value.is_integer() and abs(value) < 1 << 53:
            item["value"] = int(value)
        else:
            item["value"] = value

    def encode_many(self, item, value, node, place, depth):
        if isinstance(value, dict):
            members = list(itertools.islice(value.items(), MAX_ITEMS + 1))
            if len(members) > MAX_ITEMS:
                item["other"] = f"a dictionary of more than {MAX_ITEMS} elements"
                return
            item["value"] = {str(key): self.encode(member, None, place, depth + 1) for key, member in members}
            return
        elements = list(itertools.islice(value, MAX_ITEMS + 1))
        if len(elements) > MAX_ITEMS:
            item["other"] = f"a list of more than {MAX_ITEMS} elements"
            return
        nodes = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
        if len(nodes) != len(elements) or any(isinstance(n, ast.Starred) for n in nodes):
            nodes = [None] * len(elements)
        item["value"] = [self.encode(e, n, place, depth + 1) for e, n in zip(elements, nodes)]
