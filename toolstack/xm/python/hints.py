# SPDX-License-Identifier: MIT
"""What to write in Python 3 instead of what only Python 2 knows.

xm puts this text and values.py before evaluate.py: the three are one program.
"""
import re

# What a line has that Python 3 does not parse, and what to write instead. The first that fits is said.
SYNTAX_HINTS = [
    (r"^\s*print\b(?!\s*\()", "print is a function in Python 3: write print(...)"),
    (r"[:;]\s*print\b(?!\s*\()", "print is a function in Python 3: write print(...)"),
    (r"^\s*exec\b(?!\s*\()", "exec is a function in Python 3: write exec(...)"),
    (r"^\s*except\s+[\w.()\s,]+?,\s*\w+\s*:", "Python 3 writes 'except X as e:' for 'except X, e:'"),
    (r"^\s*raise\s+[\w.]+\s*,", "Python 3 writes 'raise E(\"text\")' for 'raise E, \"text\"'"),
    (r"<>", "Python 3 writes != for <>"),
    (r"`", "Python 3 has no backticks: write repr(...)"),
    (r"\b[uU][rR]['\"]", "Python 3 has no ur\"...\": write r\"...\""),
    (r"(?<![\w.])0\d+(?![\w.])", "a number with a leading zero is octal in Python 2 only: write 0o755 for 0755"),
    (r"(?<![\w.])(\d+|0[xX][0-9a-fA-F]+)[lL]\b", "whole numbers have no L in Python 3: write 10 for 10L"),
    (r"^\s*(def\s+\w+|lambda)\b[^:]*[(,]\s*\(", "Python 3 takes no tuple as a parameter: give it a name"),
]

NAME_HINTS = {
    "xrange": "range", "raw_input": "input", "unicode": "str", "basestring": "str", "long": "int", "unichr": "chr",
    "file": "open", "reduce": "functools.reduce", "reload": "importlib.reload", "cmp": "(a > b) - (a < b)",
    "execfile": "exec(open(FILE).read())", "intern": "sys.intern", "apply": "f(*list)",
}
MODULE_HINTS = {
    "commands": "subprocess", "ConfigParser": "configparser", "StringIO": "io", "cStringIO": "io", "cPickle": "pickle",
    "urllib2": "urllib.request", "urlparse": "urllib.parse", "Queue": "queue", "sets": "set()", "md5": "hashlib",
    "sha": "hashlib", "popen2": "subprocess", "httplib": "http.client", "__builtin__": "builtins",
}
ATTRIBUTE_HINTS = {
    "has_key": "'key in dictionary'", "iteritems": "items()", "iterkeys": "keys()", "itervalues": "values()",
    "next": "next(...)", "getcwdu": "os.getcwd()", "join": "'separator'.join(list)", "letters": "string.ascii_letters",
    "lowercase": "string.ascii_lowercase", "uppercase": "string.ascii_uppercase", "maxint": "sys.maxsize",
    "replace": "text.replace(...)", "split": "text.split()", "strip": "text.strip()", "atoi": "int(text)",
    "zfill": "text.zfill(...)", "upper": "text.upper()", "lower": "text.lower()", "maketrans": "str.maketrans(...)",
    "popen2": "subprocess.Popen", "popen3": "subprocess.Popen", "getoutput": "subprocess.getoutput",
}


def without_strings(line):
    """The line without what stands in its quotes and comments, in which nothing is syntax."""
    line = re.sub(r"""("[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')""", lambda s: s[0][0] * 2, line)
    return line.split("#")[0]


def python2_syntax(error, line):
    """What to write for the line that Python 3 does not parse; None when it is no Python 2 either."""
    if isinstance(error, TabError):
        return "Python 3 does not mix tabs and blanks at the beginning of lines: use one of them"
    bare = without_strings(line)
    return next((hint for pattern, hint in SYNTAX_HINTS if re.search(pattern, bare)), None)


def python2_value(error, line):
    """The same for an error at run time."""
    text = str(error)
    name = getattr(error, "name", None)
    if isinstance(error, NameError) and name in NAME_HINTS:
        return f"{name} is Python 2; Python 3 has {NAME_HINTS[name]}"
    if isinstance(error, ModuleNotFoundError) and name:
        if name.split(".")[0] == "xen":
            return "the modules of Xen's old toolstack are not there"
        if name in MODULE_HINTS:
            return f"the module {name} is Python 2; Python 3 has {MODULE_HINTS[name]}"
    if isinstance(error, AttributeError) and name in ATTRIBUTE_HINTS and \
            re.match(r"module '(string|os|sys)'|'(dict|\w*generator|\w+_iterator)' object", text):
        return f"{name} is Python 2; Python 3 has {ATTRIBUTE_HINTS[name]}"
    if isinstance(error, TypeError):
        if "'float' object cannot be interpreted as an integer" in text or "indices must be integers" in text \
                and "/" in without_strings(line):
            return "in Python 3 the sign / yields a fraction: write // for whole numbers"
        if "for >>" in text and re.match(r"\s*print\b", line):
            return "Python 3 writes print(..., file=sys.stderr) for print >>sys.stderr, ..."
        if "bytes" in text and "str" in text:
            return "programs' output is bytes in Python 3: decode() makes a str of it"
    return None
