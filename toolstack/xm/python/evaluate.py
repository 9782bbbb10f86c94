# SPDX-License-Identifier: MIT
"""Evaluates a domain's file that is a Python program, as `xm create` of Xen 3 and 4.1 did.

xm runs this text in a process of its own, with limits. Descriptor 3 has the request: a line of JSON, then the file's text.
The answer goes to descriptor 4, one object of JSON:

    {"values": [...], "words": [...]}   what the file defines, and how it uses each word of the command line
    {"errors": [...]}                   what is wrong with it, each with its line
    {"plain": true}                     it is no Python: the errors of the plain syntax say more
    {"help": "..."}                     the variables that it takes
"""
import ast
import itertools
import json
import keyword
import os
import re
import signal
import stat
import sys
import tokenize
import types
import warnings

REQUEST, ANSWER = 3, 4
MAX_ANSWER = 1 << 20

# A line that only a program has. Strings were taken out of it.
PYTHON_LINE = re.compile(r"^\s*(def|class|import|from|if|elif|else|for|while|try|except|finally|with|print|exec|raise|"
                         r"assert|del|return|pass|global|@)\b|xm_vars|\w\s*\(|['\"\])]\s*%|\blambda\b|\bfor\b.*\bin\b", re.M)


class Stop(BaseException):
    """Ends the file with this answer. No `except Exception` in the file catches it."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer


def text_of(error):
    """What the exception says; a file may have made its own kinds of exceptions."""
    try:
        return str(error)
    except Exception:
        return ""


def error_at(place, text):
    text = " ".join(str(text).split())
    text = text if len(text) <= 600 else text[:600] + "..."
    return {"line": place[0], "column": place[1], "text": text.encode("utf-8", "replace").decode()}


def caller_line(path):
    """The line of the file that is being run."""
    frame = sys._getframe(1)
    while frame and frame.f_code.co_filename != path:
        frame = frame.f_back
    return frame.f_lineno if frame else 0


class Globals(dict):
    """The file's names. It keeps the line of each name's last assignment."""

    def __init__(self, path):
        super().__init__()
        self.path, self.lines = path, {}

    def __setitem__(self, name, value):
        self.lines[name] = caller_line(self.path)
        super().__setitem__(name, value)

    def preset(self, name, value):
        """Sets a name as if the file had not."""
        super().__setitem__(name, value)


class Vars:
    """xm_vars: the variables that the file wants from the command line."""

    def __init__(self, names, help_wanted):
        self.names, self.help_wanted, self.declared = names, help_wanted, {}

    def var(self, name, use=None, check=None, default=None, **_):
        self.declared[name] = (use, check, caller_line(self.names.path))
        if name not in self.names and default is not None:
            self.names.preset(name, default)

    def check(self):
        if self.help_wanted:
            raise Stop({"help": self.help_text()})
        place = (caller_line(self.names.path), 1)
        errors = [text for name in self.declared if (text := self.check_one(name))]
        if errors:
            raise Stop({"errors": [error_at(place, text) for text in errors]})

    def check_one(self, name):
        use, check, _ = self.declared[name]
        about = f" ({' '.join(str(use).split()).rstrip('.')})" if use else ""
        if name not in self.names:
            return f"{name} is missing: add {name}=VALUE to the command{about}"
        if check is None:
            return None
        value = self.names[name]
        try:
            checked = check(name, value)
        except (ValueError, TypeError) as error:
            why = f": {text_of(error)}" if text_of(error) else ""
            return f"{name}={value!s:.60} is not accepted{why}{about}"
        if checked is not None:
            self.names.preset(name, checked)
        return None

    def help_text(self):
        if not self.declared:
            return f"{self.names.path} takes no variables.\n"
        lines = [f"{self.names.path} takes these variables:"]
        for name, (use, _, _) in self.declared.items():
            lines += [f"  {name}=VALUE", *(f"      {line.strip()}" for line in str(use or "").strip().splitlines())]
        return "\n".join(lines) + "\n"


class File:
    """A domain's file, its text, and the words of the command line."""

    def __init__(self, request, source):
        self.path, self.words, self.help = request["path"], request["words"], request["help"]
        self.limits = request
        self.text = self.decode(source)
        self.names = Globals(self.path)
        self.vars = Vars(self.names, self.help)
        self.places = None

    @staticmethod
    def decode(source):
        """Text as its first lines say (PEP 263), else UTF-8. Old files in Latin-1 say nothing."""
        lines = iter(source.splitlines(True))
        try:
            encoding, _ = tokenize.detect_encoding(lambda: next(lines, b""))
            text = source.decode(encoding)
        except (SyntaxError, ValueError, LookupError):
            text = source.decode("latin-1")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def line(self, number):
        lines = self.text.split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def looks_like_python(self):
        return any(PYTHON_LINE.search(without_strings(line)) for line in self.text.split("\n"))

    def compile(self):
        try:
            tree = ast.parse(self.text, self.path)
            self.places = Places(tree, self.text)
            return tree, compile(tree, self.path, "exec", dont_inherit=True)
        except SyntaxError as error:
            if not self.looks_like_python():
                raise Stop({"plain": True}) from None
            text = python2_syntax(error, self.line(error.lineno or 0)) or f"this is not Python: {error.msg}"
            raise Stop({"errors": [error_at((error.lineno or 0, max(error.offset or 1, 1)), text)]}) from None
        except (ValueError, RecursionError, MemoryError) as error:
            if not self.looks_like_python():
                raise Stop({"plain": True}) from None
            raise Stop({"errors": [error_at((0, 0), f"this is not Python: {error or type(error).__name__}")]}) from None

    def set_names(self):
        for name, value in (("__name__", "__main__"), ("__file__", self.path), ("xm_file", self.path),
                            ("xm_help", int(self.help)), ("xm_vars", self.vars), ("os", os), ("sys", sys)):
            self.names.preset(name, value)
        self.given = {}
        for word in self.words:
            name, equal, value = word.partition("=")
            name, value = name.strip(), value.lstrip(" \t")
            if equal and name.isidentifier() and name[0] != "_" and not keyword.iskeyword(name) and name not in self.names:
                self.given[name] = argument(value)
        for name, value in self.given.items():
            self.names.preset(name, value)
        self.preset = dict(self.names)

    def run(self):
        tree, code = self.compile()
        self.set_names()
        find_modules_beside(self.path)
        sys.argv = [self.path, *self.words]
        try:
            exec(code, self.names)
        except Stop:
            raise
        except NameError as error:
            if self.is_bare_word(tree, error):
                raise Stop({"plain": True}) from None
            self.fail(error)
        except BaseException as error:
            self.fail(error)
        if self.help:
            raise Stop({"help": self.vars.help_text()})
        return {"values": self.values(), "words": [self.use_of(word) for word in self.words]}

    def is_bare_word(self, tree, error):
        """A file of assignments only, in which a text lacks its quotes."""
        line = last_place(error, self.path)[0]
        simple = all(isinstance(node, (ast.Assign, ast.AugAssign)) for node in tree.body)
        words = (ast.Name, ast.BinOp, ast.UnaryOp, ast.Attribute, ast.expr_context, ast.operator, ast.unaryop)
        return simple and any(node.lineno <= line <= node.end_lineno and
                              all(isinstance(n, words) for n in ast.walk(node.value)) for node in tree.body)

    def fail(self, error):
        place = last_place(error, self.path)
        self.names.clear()  # after a MemoryError this is what makes room
        try:
            text = self.explain(error, place)
        except Exception:
            text = type(error).__name__
        raise Stop({"errors": [error_at(place, text)]}) from None

    def explain(self, error, place):
        if isinstance(error, SystemExit):
            if error.code in (None, 0):
                return "the file ends itself here (sys.exit()); a domain's file must run to its end"
            return f"the file ends itself here: {error.code}"
        if isinstance(error, MemoryError):
            return f"there is not enough memory for this: a domain's file may use {self.limits['memory']} MiB"
        if isinstance(error, SyntaxError):
            text = python2_syntax(error, error.text or "") or error.msg
            return f"{error.filename}:{error.lineno}: {text}"
        text = f"{type(error).__name__}: {text_of(error)}".removesuffix(": ")
        elsewhere = last_place(error, None)
        if elsewhere[2] and elsewhere[2] != self.path:
            text += f" (in {elsewhere[2]}, line {elsewhere[0]})"
        hint = python2_value(error, self.line(place[0])) or self.hint(error)
        return f"{text}: {hint}" if hint else text

    def hint(self, error):
        if isinstance(error, NameError) and error.name:
            return f"{error.name}=VALUE on the command line sets it"
        if isinstance(error, TypeError):
            texts = [name for name, value in self.given.items() if isinstance(value, str) and name in self.places.read]
            if texts:
                return f"{texts[0]} is text, as the command line gives it: int({texts[0]}) makes a number of it"
        if isinstance(error, ModuleNotFoundError) and os.path.exists(os.path.join(directory_of(self.path), f"{error.name}.py")):
            return f"modules in {directory_of(self.path)} are not used, because others may write there"
        if isinstance(error, PermissionError) and "socket" in "".join(tb_names(error)):
            return "a domain's file has no network"
        if isinstance(error, BlockingIOError):
            return f"a domain's file may start {self.limits['processes']} processes"
        return None

    def use_of(self, word):
        """variable: the file asked for it. name: the file reads that name. key: it is a key's value."""
        name = word.partition("=")[0].strip()
        if name in self.vars.declared:
            return "variable"
        return "name" if name in self.given and name in self.places.read else "key"

    def values(self):
        encoder, values = Encoder(self.places), []
        for name, value in list(self.names.items()):
            asked = name in self.vars.declared
            if not isinstance(name, str) or name.startswith("_") or callable(value) or isinstance(value, types.ModuleType):
                continue
            if not asked and name not in self.names.lines and self.preset.get(name, self) is value:
                continue
            line = self.names.lines.get(name) or (self.vars.declared[name][2] if asked else 0)
            place, node = self.places.of(name, line)
            values.append({"key": name, "line": place[0], "column": place[1],
                           "helper": asked or self.places.is_helper(name),
                           "item": self.encode(encoder, value, node, place)})
        return values

    @staticmethod
    def encode(encoder, value, node, place):
        """A list such as map() computes its elements only now."""
        try:
            return encoder.encode(value, node, place)
        except Exception as error:
            raise Stop({"errors": [error_at(place, f"{type(error).__name__}: {text_of(error)}")]}) from None


def argument(text):
    """A word's value: text, or what Python's quotes or brackets say."""
    if text[:1] in ("'", '"', "["):
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            pass
    return text


def tb_names(error):
    tb = error.__traceback__
    while tb:
        yield tb.tb_frame.f_code.co_filename
        tb = tb.tb_next


def last_place(error, path):
    """Line, column and file of the innermost frame in that file, or (None) in any but this program's and Python's."""
    tb, found = error.__traceback__, None
    while tb:
        name = tb.tb_frame.f_code.co_filename
        if name == path or (not path and not name.startswith(("/proc/", "/usr/lib/python", "<"))):
            found = tb
        tb = tb.tb_next
    if not found:
        return 0, 0, ""
    code = found.tb_frame.f_code
    column = next(itertools.islice(code.co_positions(), found.tb_lasti // 2, None), (0, 0, 0, 0))[2]
    return found.tb_lineno, (column or 0) + 1, code.co_filename


def directory_of(path):
    return os.path.dirname(os.path.realpath(path))


def find_modules_beside(path):
    """Lets the file import modules that lie beside it, behind all others. Not where a stranger may put one."""
    try:
        directory = directory_of(path)
        status = os.stat(directory)
    except OSError:
        return  # the file is a pipe, or the caller's directory is gone
    if status.st_uid in (0, os.geteuid()) and not stat.S_IMODE(status.st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
        sys.path.append(directory)


def evaluate(request, source):
    def too_late(*_):
        raise Stop({"errors": [error_at((caller_line(request["path"]), 1),
                                        f"the file did not end within {request['seconds']} s")]})

    signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, request["seconds"])
    warnings.simplefilter("ignore")
    try:
        answer = File(request, source).run()
    except Stop as stop:
        answer = stop.answer
    signal.setitimer(signal.ITIMER_REAL, 0)
    return answer


def main():
    me = os.getpid()
    with os.fdopen(REQUEST, "rb") as file:
        request, source = json.loads(file.readline()), file.read()
    os.set_inheritable(ANSWER, False)
    text = json.dumps(evaluate(request, source)).encode()
    if len(text) > MAX_ANSWER:
        text = json.dumps({"errors": [error_at((0, 0), "the file defines more than 1 MiB")]}).encode()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    # A child that the file forked has run to the end of it too. It has no say.
    while text and os.getpid() == me:
        text = text[os.write(ANSWER, text):]
    os._exit(0)  # whatever threads and atexit functions the file has left


try:
    main()
except BaseException:
    os._exit(1)  # the file has broken Python itself; xm says that there is no answer
