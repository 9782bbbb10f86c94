# SPDX-License-Identifier: MIT
"""Domain files that are Python programs: what they may do, what comes of it, and what is said when they fail."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

UNIFIED = '''\
# One file for all machines of the rack: xm create FILE number=7
def check_number(name, text):
    number = int(text)
    if not 0 < number < 200:
        raise ValueError("it must be 1 to 199")
    return number

xm_vars.var("number", use="Number of the machine in the rack.", check=check_number)
xm_vars.check()

name = "rack-%d" % number
memory = 512
kernel = "/boot/vmlinuz"
disk = ["phy:/dev/rack/disk%d,xvda,w" % number]
vif = ["mac=00:16:3e:00:02:%02x, bridge=xenbr0" % number]
'''
PLAIN = 'name = "g1"\nkernel = "/boot/vmlinuz"\n'
PYTHON = "import os\n" + PLAIN


@pytest.fixture(autouse=True)
def created(xend):
    xend.answers["domain.create"] = {"id": 7, "name": "g1", "uuid": "u"}
    xend.answers["domain.new"] = {"name": "g1", "uuid": "u"}


@pytest.fixture
def write(xm):
    def write(text, name="f"):
        path = Path(xm.directory) / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return name
    return write


@pytest.fixture
def config(xm, xend, write):
    """What xend is asked to create from a file."""
    def config(text, *words):
        xm.good("create", "-q", write(text), *words)
        return xend.requests.pop()[1]["config"]
    return config


@pytest.fixture
def refuses(xm, xend, write):
    """What xm says of a file that it must refuse, and the file's lines of it without the last sentence."""
    def refuses(text, *words, **more):
        said = xm.fails("create", write(text), *words, **more)
        assert not xend.requests
        assert "Traceback" not in said and "evaluate" not in said, said
        return said
    return refuses


# --- what a file may do ---

def test_unified_file(config):
    got = config(UNIFIED, "number=7")
    assert (got["name"], got["memory"]) == ("rack-7", 512)
    assert got["disk"][0]["target"] == "/dev/rack/disk7" and got["vif"][0]["mac"] == "00:16:3e:00:02:07"
    assert "number" not in got


def test_new_evaluates_too(xm, xend, write):
    xm.good("new", write(UNIFIED), "number=7")
    assert xend.requests[0][0] == "domain.new" and xend.requests[0][1]["config"]["name"] == "rack-7"


def test_file_that_is_a_pipe(xm, xend):
    xm.good("create", "-q", "/dev/stdin", stdin=PYTHON + "memory = 8 * 8\n")
    assert xend.requests[0][1]["config"]["memory"] == 64


def test_caller_with_few_descriptors(xm, xend, write, xm_path):
    write(PYTHON)
    # AddressSanitizer takes terabytes of address space for its own.
    space = "" if "-san" in str(xm_path) else "ulimit -v 400000; "
    done = subprocess.run(["sh", "-c", f'ulimit -n 32; {space}exec "$0" create -n f', xm_path], cwd=xm.directory, env=xm.env,
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_directory_that_is_gone(xm, xend, write, xm_path):
    write(PYTHON)
    done = subprocess.run(["sh", "-c", 'mkdir d; cd d; rmdir ../d; exec "$0" create -q ../f', xm_path], cwd=xm.directory, env=xm.env,
                          capture_output=True, text=True, check=False)
    assert done.stderr.startswith("Error: There is no configuration file '../f'") or (done.returncode, done.stderr) == (0, ""), done


def test_dry_run(xm, xend, write):
    assert "(name rack-9)" in xm.good("create", "-n", write(UNIFIED), "number=9") and not xend.requests


def test_language(config):
    got = config('''\
import math, os, re
from os import path as p
arch = os.uname()[4]
if re.search("64", arch):
    libdir = "lib64"
else:
    libdir = "lib"
class Disk:
    def __init__(self, n):
        self.n = n
    def text(self):
        return "phy:/dev/vg/%s-%d,xvd%c,w" % (libdir, self.n, "abc"[self.n])
total = 0
for i in range(4):
    total += 2 ** i
try:
    import no_such_module
except ImportError:
    no_such_module = None
name = "-".join(["g"] + [str(n) for n in range(2)])
memory = math.floor(16.5) * total
kernel = p.join("/boot", "vmlinuz")
disk = [Disk(n).text() for n in range(2)]
vif = ("bridge=br0", "bridge=br1")
vcpus = 4 / 2
''')
    assert (got["name"], got["memory"], got["kernel"], got["vcpus"]) == ("g-0-1", 240, "/boot/vmlinuz", 2)
    assert [d["target"] for d in got["disk"]] == ["/dev/vg/lib64-0", "/dev/vg/lib64-1"]
    assert [v["bridge"] for v in got["vif"]] == ["br0", "br1"]


def test_lists_that_python2_made(config):
    got = config(PYTHON + 'vif = map(lambda n: "bridge=br%d" % n, range(3))\n')
    assert [v["bridge"] for v in got["vif"]] == ["br0", "br1", "br2"]


def test_dictionaries_are_devices(config):
    got = config(PYTHON + 'vif = [dict(bridge="br7", mac="00:16:3e:00:00:09")]\n')
    assert (got["vif"][0]["bridge"], got["vif"][0]["mac"]) == ("br7", "00:16:3e:00:00:09")


def test_global_in_function(config):
    assert config(PYTHON + "def f():\n    global memory\n    memory = 77\nf()\n")["memory"] == 77


def test_module_beside_the_file(xm, config, write):
    write("def bridge(n):\n    return 'bridge=site%d' % n\n", "site_rules.py")
    assert config(PYTHON + "import site_rules\nvif = [site_rules.bridge(3)]\n")["vif"][0]["bridge"] == "site3"
    assert sorted(os.listdir(xm.directory)) == ["f", "site_rules.py"], "no files of Python's beside the site's"


def test_module_beside_the_file_behind_a_link(xm, xend, write):
    (Path(xm.directory) / "real").mkdir()
    write("bridge = 'deep'\n", "real/site_rules.py")
    write(PYTHON + "import site_rules\nvif = ['bridge=' + site_rules.bridge]\n", "real/g1")
    os.symlink("real/g1", Path(xm.directory) / "link")
    xm.good("create", "-q", "link")
    assert xend.requests[0][1]["config"]["vif"][0]["bridge"] == "deep"


def test_module_that_a_stranger_may_write(xm, refuses, write):
    write("bridge = 'evil'\n", "site_rules.py")
    os.chmod(xm.directory, 0o777)
    said = refuses("import site_rules\n" + PLAIN)
    assert "f:1:1: error: ModuleNotFoundError" in said and "others may write there" in said, said


def test_modules_of_python_come_first(xm, config, write):
    write("raise SystemExit('shadowed')\n", "re.py")
    assert config("import re\nassert re.match('a', 'a')\n" + PLAIN)["name"] == "g1"


def test_names_that_xm_gave(config):
    got = config(PLAIN + "description = '%s %d' % (os.path.basename(xm_file), xm_help)\nif sys.argv: pass\n")
    assert got["description"] == "f 0"


def test_main(config):
    assert config(PLAIN + "if __name__ == '__main__':\n    memory = 99\n")["memory"] == 99


def test_starts_a_program(config):
    assert config("import subprocess\n" + PLAIN +
                  "description = subprocess.check_output(['echo', 'hello']).decode().strip()\n")["description"] == "hello"
    assert config("import os\n" + PLAIN + "description = os.popen('echo $((1+1)) | cat').read().strip()\n")["description"] == "2"


# --- the words of the command line ---

@pytest.mark.parametrize("word, value", [("x=3", "3"), ("x=a b=c", "a b=c"), ('x="3"', "3"), ("x= 3", "3"), ("x=[1", "[1"), ("x=", "")])
def test_word_is_text(config, word, value):
    assert config("import os\nname = 'g1'\nkernel = '/k'\ndescription = '<%s>' % x\n", word)["description"] == f"<{value}>"


def test_word_that_is_a_key_overrides(config):
    assert config(PYTHON + "memory = 64\n", "memory=512")["memory"] == 512


def test_key_that_is_read_is_both(config):
    got = config("import os\nname = 'g1'\nkernel = '/k'\ndescription = 'has ' + memory\nmemory = 32\n", "memory=512")
    assert (got["memory"], got["description"]) == (512, "has 512")


def test_key_that_is_a_variable_is_the_files(config):
    got = config("xm_vars.var('name')\nxm_vars.check()\nname = 'vm-' + name\nkernel = '/k'\n", "name=web")
    assert got["name"] == "vm-web"
    assert config("xm_vars.var('name')\nxm_vars.check()\nkernel = '/k'\n", "name=web")["name"] == "web"


def test_lists_of_words(config):
    got = config(PYTHON + "vif = ['bridge=a']\n", "vif+=['bridge=b']")
    assert [v["bridge"] for v in got["vif"]] == ["a", "b"]


def test_default_of_a_variable(config):
    assert config(PLAIN + "xm_vars.var('size', default=24)\nxm_vars.check()\nmemory = size * 2\n")["memory"] == 48


def test_missing_variable(refuses):
    said = refuses(UNIFIED)
    assert said.startswith("f:9:1: error: number is missing: add number=VALUE to the command (Number of the machine in the rack)\n")


def test_variable_that_is_refused(refuses):
    assert "f:9:1: error: number=900 is not accepted: it must be 1 to 199 (Number of" in refuses(UNIFIED, "number=900")
    assert "number=x is not accepted: invalid literal" in refuses(UNIFIED, "number=x")


def test_variable_without_xm_vars(refuses):
    said = refuses("import os\nkernel = '/k'\nname = 'vm%d' % vmid\n")
    assert said.startswith("f:3:") and "vmid=VALUE on the command line" in said
    said = refuses("import os\nkernel = '/k'\nname = 'vm%d' % vmid\n", "vmid=3")
    assert said.startswith("f:3:") and "int(vmid)" in said


def test_help_config(xm, xend, write):
    assert xm.good("create", write(UNIFIED), "--help_config") == \
        "f takes these variables:\n  number=VALUE\n      Number of the machine in the rack.\n"
    assert xm.good("create", write(PLAIN), "--help_config") == "f takes no variables.\n"
    assert xm.good("create", write(PYTHON), "--help_config") == "f takes no variables.\n"
    assert not xend.requests


@pytest.mark.parametrize("word", ["import=3", "__builtins__=3", "_x=3", "xm_vars=3", "3=3"])
def test_word_that_cannot_be_a_name(xm, xend, write, word):
    """It is no variable, so it is a key, which does not exist."""
    done = xm("create", "-n", write(PYTHON), word)
    assert "Traceback" not in done.err and word.split("=")[0] in done.err, done


# --- what errors say ---

def test_schema_error_has_the_files_line(refuses):
    said = refuses(PYTHON + "base = 1\nif base:\n    memory = 'much'\nvif = ['bridge=br0',\n       'mac=00:16:3e:00:00:zz']\n")
    assert "f:6:14: error: memory: " in said
    assert "f:8:13: error: vif mac: " in said, said


def test_last_assignment_counts(refuses):
    assert "f:6:11: error: vcpus: " in refuses(PYTHON + "vcpus = 2\nfor i in (1, 2):\n  vcpus = -i\nif not i:\n  vcpus = 7\n")


def test_computed_value_has_the_statements_place(refuses):
    said = refuses(PYTHON + "vif = ['mac=' + m for m in ['zz', 'yy']]\n")
    assert "f:4:7: error: vif mac: " in said and '"zz"' in said and '"yy"' in said, said


def test_exception(refuses):
    assert refuses("import os\n" + PLAIN + "def f(x):\n    return 1 / x\nmemory = f(0)\n").startswith(
        "f:5:12: error: ZeroDivisionError: division by zero\n")


def test_exception_in_a_module(write, refuses):
    write("def f():\n    raise KeyError('vlan 9')\n", "site_rules.py")
    said = refuses("import site_rules\n" + PLAIN + "memory = site_rules.f()\n")
    assert said.startswith("f:4:10: error: KeyError: 'vlan 9' (in ") and "site_rules.py, line 2)" in said


def test_syntax_error_in_a_module(write, refuses):
    write("print 'hello'\n", "site_rules.py")
    said = refuses("import site_rules\n" + PLAIN)
    assert said.startswith("f:1:1: error: ") and "site_rules.py:1: print is a function in Python 3" in said


def test_syntax_error(refuses):
    assert refuses(PYTHON + "if memory\n    pass\n").startswith("f:4:10: error: this is not Python: expected ':'\n")


@pytest.mark.parametrize("text, line", [
    ("name = web1\nkernel = '/k'\n", "f:1:8: error: expected a string in quotes, a number or a list, found web1"),
    ("name = 'g1'\nkernel = /boot/vmlinuz\n", "f:2:10: error: expected a string in quotes, a number or a list, found /"),
    ("name = 'g1'\nkernel = '/k'\nmemory = 2g\n", "f:3:10: error: expected a whole number, or quotes around a string, found 2g"),
    ("name = 'g1'\nkernel = '/k'\ndisk = ['phy:/dev/a,xvda,w'\n", "the list that begins in line 3"),
    ("name 'g1'\n", "f:1:6: error: expected = or += after name"),
])
def test_plain_file_with_a_mistake_is_told_as_such(refuses, text, line):
    assert line in refuses(text)


def test_typo_is_told_and_helpers_are_not(xm, xend, write):
    done = xm("create", "-n", write("step = 2\nfor n in range(3): pass\n" + PLAIN + "memory = 64 * step\nvcpu = 2\nos.sep\n"))
    assert "f:6:1: " in done.err and "did you mean vcpus?" in done.err
    assert done.err.count("there is no such key") == 1, done.err


def test_value_that_is_none_of_ours(refuses):
    assert "f:4:10: error: memory: expected text, a number or a list, found a Python object of type complex" in \
        refuses(PYTHON + "memory = 3j\n")
    assert "disk: expected text, a number or a list, found a Python object of type set" in refuses(PYTHON + "disk = {1}\n")
    assert "found bytes" in refuses("import os\nname = b'g1'\nkernel = '/k'\n")
    assert "found a number of more than 64 bits" in refuses(PYTHON + "memory = 1 << 80\n")
    assert "found a number that is none" in refuses(PYTHON + "memory = float('nan')\n")
    assert "memory" in refuses(PYTHON + "memory = 1.5 + 0\n")
    assert "too deep" in refuses(PYTHON + "disk = []\ndisk.append(disk)\n")
    assert "text with characters that are none" in refuses("import os\nname = '\\ud800'\nkernel = '/k'\n")
    assert "more than 4096 elements" in refuses(PYTHON + "vif = ['a'] * 5000\n")
    assert "more than 4096 elements" in refuses(PYTHON + "vif = [dict((str(i), i) for i in range(5000))]\n")
    assert "f:1:" in refuses("name = 'g' + chr(0) + 'h'\nkernel = '/k'\nos\n")


def test_helper_of_any_type_is_left_alone(config):
    assert config("import re, datetime\nnow = datetime.datetime.now()\nm = re.match('(.)', 'g')\nname = m.group(1) + '1'\n"
                  "f = open('/dev/null')\nkernel = '/k'\n_hidden = {1, 2}\n")["name"] == "g1"


@pytest.mark.parametrize("statement, hint", [
    ("print 'hello'", "write print(...)"),
    ("if 1: print 'hello'", "write print(...)"),
    ("exec 'x = 1'", "write exec(...)"),
    ("mode = 0755", "write 0o755"),
    ("size = 10L", "write 10 for 10L"),
    ("try:\n    pass\nexcept ValueError, e:\n    pass", "'except X as e:'"),
    ("try:\n    pass\nexcept (ValueError, OSError), e:\n    pass", "'except X as e:'"),
    ("text = `memory`", "repr(...)"),
    ("if memory <> 3: pass", "writes != for <>"),
    ("raise ValueError, 'x'", "raise E(\"text\")"),
    ("text = ur'x'", "write r\"...\""),
    ("def f(a, (b, c)): pass", "no tuple as a parameter"),
    ("if 1:\n        a = 1\n\tb = 2", "tabs"),
    ("d = {}\nd.has_key('a')", "'key in dictionary'"),
    ("for k, v in {}.iteritems(): pass", "items()"),
    ("for i in xrange(3): pass", "xrange is Python 2; Python 3 has range"),
    ("text = unicode('a')", "Python 3 has str"),
    ("import commands", "Python 3 has subprocess"),
    ("import ConfigParser", "Python 3 has configparser"),
    ("from xen.util import auxbin", "Xen's old toolstack"),
    ("import string\nstring.join(['a'], '')", "'separator'.join(list)"),
    ("for i in range(4 / 2): pass", "write //"),
    ("print >>sys.stderr, 'x'", "file=sys.stderr"),
])
def test_python2_is_said(refuses, statement, hint):
    said = refuses("import os\nmemory = 3\n" + statement + "\n" + PLAIN).splitlines()
    assert hint in said[0], said
    lines = statement.count("\n") + 3
    assert 3 <= int(said[0].split(":")[1]) <= lines


# --- files of odd shapes ---

@pytest.mark.parametrize("data", [
    b"\xef\xbb\xbf" + PYTHON.encode(), PYTHON.replace("\n", "\r\n").encode(), PYTHON.replace("\n", "\r").encode(),
    PYTHON.encode() + b"# caf\xe9\n", b"# -*- coding: latin-1 -*-\n" + PYTHON.encode() + b"# caf\xe9\n", PYTHON.encode()[:-1],
    b"# -*- coding: klingon -*-\n" + PYTHON.encode(), b"# -*- coding: rot13 -*-\n" + PYTHON.encode(),
])
def test_encodings(config, data):
    assert config(data)["name"] == "g1"


def test_latin1_text(config):
    assert config(b"import os\nname = 'g1'\nkernel = '/k'\ndescription = 'caf\xe9'\n")["description"] == "café"


def test_columns_count_bytes(refuses):
    assert "f:1:" in refuses("import os; x = 'é'; memory = 'much'\n" + PLAIN)


@pytest.mark.parametrize("name", ["it's", 'a"b', "a b", "back\\slash", "é", "-- %s"])
def test_name_of_the_file(xm, xend, write, name):
    write(PLAIN + "description = xm_file\n", name)
    xm.good("create", "-q", f"./{name}")
    assert xend.requests[0][1]["config"]["description"] == f"./{name}"


def test_unreadable(xm, xend, write):
    write(PYTHON)
    os.chmod(Path(xm.directory) / "f", 0)
    if os.geteuid() == 0:
        os.chmod(xm.directory, 0o755)
        done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all", "cat", "f"], cwd=xm.directory,
                              capture_output=True, check=False)
        assert done.returncode  # root reads it all the same
    else:
        assert "Permission denied" in xm.fails("create", "f")


def test_no_python(xm, xend, write):
    said = xm.fails("create", "--no-python", write(PLAIN + "import os\n"))
    assert "f:3:8: error:" in said and "first in line 3, and --no-python keeps it" in said
    xm.good("create", "-q", "--no-python", write(PLAIN))
    assert len(xend.requests) == 1


def test_python_is_missing(xm, refuses):
    said = refuses(PYTHON, env={**xm.env, "XM_PYTHON": "/usr/bin/no-python3"})
    assert "there is no /usr/bin/no-python3 to run it: apt-get install python3" in said


def test_plain_file_needs_no_python(xm, write):
    xm.good("create", "-q", write(PLAIN), env={**xm.env, "XM_PYTHON": "/nowhere"})


def test_interpreter_that_is_none(xm, refuses):
    said = refuses(PYTHON, env={**xm.env, "XM_PYTHON": "/bin/false"})
    assert "exit status 1" in said
    assert "exit status 0" in refuses(PYTHON, env={**xm.env, "XM_PYTHON": "/bin/true"})


# --- what a file must not do ---

def test_prints_go_to_stderr(xm, xend, write):
    done = xm("create", write("import os\nprint('hello')\nos.system('echo world')\n" + PLAIN))
    assert done.out == 'Using config file "f".\nStarted domain g1 (id=7)\n' and done.status == 0
    assert sorted(done.err.split()) == ["hello", "world"]


def test_output_has_an_end(xm, xend, write):
    done = xm("create", write("for i in range(100000): print('x' * 100)\n" + PLAIN))
    assert done.status == 0 and 60000 < len(done.err) < 70000
    assert done.err.endswith("Warning: f printed more than 64 KiB; the rest is not shown.\n")


def test_garbage_in_the_answer(refuses):
    said = refuses("import os\nos.write(4, b'garbage')\n" + PLAIN)
    assert said.startswith("Error: f: ")


def test_answer_has_an_end(refuses):
    assert "more than 1 MiB" in refuses(PYTHON + "extra = 'x' * (1 << 21)\n")
    assert "Error: f: " in refuses("import os\nwhile True: os.write(4, b'x' * 4096)\n")


@pytest.mark.parametrize("statement, said", [
    ("sys.exit()", "f:2:1: error: the file ends itself here (sys.exit())"),
    ("sys.exit('no such rack')", "f:2:1: error: the file ends itself here: no such rack"),
    ("os._exit(0)", "Error: f: running it as Python ended with exit status 0, before the end of the file"),
    ("os._exit(3)", "exit status 3"),
    ("os.kill(os.getpid(), 11)", "ended by signal 11"),
    ("os.kill(os.getpid(), 9)", "ended by signal 9"),
    ("raise KeyboardInterrupt", "f:2:1: error: KeyboardInterrupt"),
    ("def f(): f()\nf()", "RecursionError"),
    ("sys.setrecursionlimit(10**9)\nx = []\nfor i in range(10**6): x = [x]\nrepr(x)", "signal 11"),
    ("os.dup2(0, 4)", "before the end of the file"),
    ("import builtins\nbuiltins.len = None\nos.close(4)", "before the end of the file"),
    ("x = [0] * (1 << 30)", "f:2:"),
    ("x = []\nwhile True: x.append('a' * 1000000)", "not enough memory"),
    ("x = []\nwhile True: x.append(x[:])", "not enough memory"),
    ("class E(Exception):\n    def __str__(self): raise E\n    name = []\nraise E", "f:5:1: error: E\n"),
    ("class L(list):\n    def __iter__(self): raise KeyError('gone')\ndisk = L()", "f:4:1: error: KeyError: 'gone'"),
    ("disk = map(int, ['x'])", "f:2:1: error: ValueError: invalid literal"),
    ("sys.stdout.close()\nsys.stderr.close()\nraise ValueError('closed')", "f:4:1: error: ValueError: closed"),
    ("raise Exception('a\\n\\033[31mb')", "f:2:1: error: Exception: a "),
    ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "PermissionError"),
    ("import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "a domain's file has no network"),
    ("import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "a domain's file has no network"),
    ("import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW)", "a domain's file has no network"),
])
def test_bad_ends(refuses, statement, said):
    text = refuses("import os, sys\n" + statement + "\n" + PLAIN)
    assert said in text and "\033" not in text, text


@pytest.mark.parametrize("statement", ["while True: pass", "import time\ntime.sleep(1000)", "for b in iter(lambda: open('/dev/zero', 'rb').read(9), b''): pass",
                                       "os.popen('sleep 1000').read()", "sum(iter(int, 1))"])
def test_time_is_limited(refuses, statement):
    before = time.monotonic()
    said = refuses("import os\n" + statement + "\n" + PLAIN, "--python-time=1")
    assert "did not end within 1 s" in said and said.startswith(("f:2:1: ", "f:3:1: ", "Error: f: ", "f:2:")), said
    assert time.monotonic() - before < 5


def test_time_is_limited_though_the_file_objects(refuses):
    said = refuses("import os\nwhile True:\n    try:\n        __import__('time').sleep(100)\n    except: pass\n" + PLAIN, "--python-time=1")
    assert said == "Error: f: it did not end within 1 s, and was ended.\n"


@pytest.mark.parametrize("value", ["0", "x", "-1", "1000000"])
def test_time_is_a_number(xm, write, value):
    assert "--python-time needs a number of seconds" in xm.misused("create", write(PYTHON), f"--python-time={value}")


def left(mark):
    """Processes that have the mark in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            pass
    return found


@pytest.mark.parametrize("start", [
    "subprocess.Popen(['sleep', MARK])",
    "subprocess.Popen(['sleep', MARK], start_new_session=True)",
    "os.system('(setsid sleep %s &) &' % MARK)",
    "os.spawnlp(os.P_NOWAIT, 'sleep', 'sleep', MARK)",
])
def test_nothing_is_left_behind(config, start):
    mark = f"100000{os.getpid()}"
    assert config(f"import os, subprocess, time\nMARK = '{mark}'\n{start}\ntime.sleep(0.2)\n" + PLAIN)["name"] == "g1"
    assert not left(mark.encode())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_behind_when_xm_is_interrupted(xm, write, xm_path, number):
    mark = f"200000{os.getpid()}"
    write(f"import os, time\nos.system('sleep {mark} &')\nprint('here', flush=True)\ntime.sleep(99)\n")
    with subprocess.Popen([xm_path, "create", "f"], cwd=xm.directory, env=xm.env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline() == "here\n"
        process.send_signal(number)
        assert process.wait(10) == -number
    assert not left(mark.encode())


def test_children_of_others_live_on(xm, write, xm_path):
    """A shell that becomes xm leaves its children to it, which may leave theirs."""
    mark, other = f"300000{os.getpid()}", f"400000{os.getpid()}"
    write(f"import os, time\nos.system('sleep {mark} &')\ntime.sleep(1)\n" + PLAIN)
    script = f'sleep {other} >/dev/null 2>&1 & (sleep {other} >/dev/null 2>&1 & sleep 0.5) & exec "$0" create -q f'
    try:
        done = subprocess.run(["sh", "-c", script, xm_path], cwd=xm.directory, env=xm.env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert len(left(other.encode() + b"\0")) == 2 and not left(mark.encode())
    finally:
        for pid in left(f"sleep\0{other}".encode()):
            os.kill(int(pid), signal.SIGKILL)


def test_a_pipeline_is_not_interrupted(config):
    """A shell's handler of SIGCHLD must not make its next fork() fail: fork() waits for xm, and would end with EINTR."""
    text = """import ctypes, signal
def flags():
    action = (ctypes.c_char * 152)()
    ctypes.CDLL(None).sigaction(signal.SIGCHLD, None, action)
    return int.from_bytes(action[136:140], "little")
signal.signal(signal.SIGCHLD, lambda *a: None)
description = hex(flags() & 0x10000000)
"""
    assert config(text + PLAIN)["description"] == "0x10000000"  # SA_RESTART
    pipes = "import os\ndescription = str([os.popen('echo a | cat').read() for i in range(15)].count('a\\n'))\n"
    for _ in range(5):
        assert config(pipes + PLAIN)["description"] == "15"


def test_fork_bomb(xm, xend, write):
    before = time.monotonic()
    text = "import os, time\nfor i in range(200):\n    try:\n        os.fork()\n    except OSError: pass\ntime.sleep(0.1)\n" + PLAIN
    done = xm("create", "-q", write(text))
    assert "Warning: f tried to start more than 64 processes, and was not let.\n" in done.err
    assert done.status == 0 and len(xend.requests) == 1  # the first process is the file's; the others are ended
    assert time.monotonic() - before < 10


def test_too_many_processes(refuses):
    said = refuses("import subprocess\nfor i in range(100): subprocess.call(['true'])\n" + PLAIN)
    assert "f:2:22: error: BlockingIOError" in said and "may start 64 processes" in said, said


def test_threads_are_not_processes(config):
    assert config("import threading\nx = []\nfor i in range(100):\n    t = threading.Thread(target=lambda: x.append(1))\n"
                  "    t.start()\n    t.join()\nmemory = len(x)\n" + PLAIN)["memory"] == 100


def test_threads_are_limited(refuses):
    assert "f:4:5: error: RuntimeError: can't start new thread" in refuses(
        "import threading\nfor i in range(1025):\n    t = threading.Thread(target=int)\n    t.start()\n    t.join()\n" + PLAIN)


def test_threads_do_not_keep_it(config):
    assert config("import threading, time\nthreading.Thread(target=lambda: time.sleep(1000)).start()\n" + PLAIN)["name"] == "g1"


def test_environment_is_clean(xm, config, write):
    write("raise SystemExit('PYTHONPATH counts')\n", "sitecustomize.py")
    os.environ["XM_TEST_SECRET"] = "x"
    try:
        xm.env.update({"PYTHONPATH": str(xm.directory), "PYTHONSTARTUP": "f", "LD_PRELOAD": "", "XM_TEST_SECRET": "x"})
        got = config("import os\n" + PLAIN + "description = ','.join(sorted(os.environ))\n")["description"]
    finally:
        del os.environ["XM_TEST_SECRET"]
    assert set(got.split(",")) <= {"HOME", "LC_ALL", "LOGNAME", "PATH", "TZ", "USER"}


def test_descriptors_are_not_passed(xm, config):
    fds = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(fds, True)
    try:
        got = config("import os\n" + PLAIN + "description = ','.join(sorted(os.listdir('/proc/self/fd')))\n")["description"]
    finally:
        os.close(fds)
    assert set(got.split(",")) <= {"0", "1", "2", "3", "4", "5", "6"}


def test_setuid_gives_nothing(config):
    assert config("import os\n" + PLAIN + "description = [l for l in open('/proc/self/status') if l.startswith('NoNewPrivs')][0][-2]\n"
                  )["description"] == "1"


def test_runs_as_the_caller(config):
    assert config("import os\n" + PLAIN + "description = str(os.geteuid())\n")["description"] == str(os.geteuid())


def test_standard_input_is_empty(xm, xend, write):
    xm.good("create", "-q", write("import sys\n" + PLAIN + "description = '<' + sys.stdin.read() + '>'\n"), stdin="secret")
    assert xend.requests[0][1]["config"]["description"] == "<>"
