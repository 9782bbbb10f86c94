# SPDX-License-Identifier: MIT
"""Error texts, word for word, and exit statuses: 0 done, 1 failed, 2 not understood."""

import os
import socket
import subprocess

import pytest

from fake_xend import Refusal, domain, domains

DOWN = "Error: Unable to connect to xend: Connection refused. Is xend running?\n"
ROOT = "Error: Most commands need root access. Please try again as root.\n"


def test_no_socket(xm):
    assert xm.fails("list") == DOWN


def test_socket_that_nobody_listens_at(xm, xend):
    xend.close()
    assert os.path.exists(xend.path)
    assert xm.fails("list") == DOWN


def test_socket_that_is_an_ordinary_file(xm):
    with open(xm.socket, "w", encoding="ascii"):
        pass
    assert xm.fails("list") == DOWN


def test_path_of_the_socket_is_too_long(xm):
    xm.env["XEND_SOCKET"] = "/" + 200 * "x"
    assert "is longer than 107 characters" in xm.fails("list")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("there", [False, True])
def test_not_root(xm, xm_path, tmp_path, there, request):
    if there:
        request.getfixturevalue("xend")
    os.chmod(tmp_path, 0o700)
    # A copy, where everybody can read it.
    copy = subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["cp", xm_path, f"{copy}/xm"], check=True)
    os.chmod(copy, 0o755)
    try:
        done = subprocess.run([f"{copy}/xm", "list"], capture_output=True, text=True, env=xm.env, user=65534, group=65534,
                              cwd="/", timeout=30, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", ROOT)
    finally:
        subprocess.run(["rm", "-r", copy], check=True)


def test_what_xend_says_is_passed_on(xm, xend):
    xend.answers["domain.pause"] = Refusal("no-such-domain", "Domain 'x' does not exist.")
    assert xm.fails("pause", "x") == "Error: Domain 'x' does not exist.\n"


@pytest.mark.parametrize("words", [("list", "x"), ("domid", "x"), ("domname", "77"), ("domstate", "x"), ("uptime", "x"),
                                   ("list", "-l", "x"), ("list", "--json", "x"), ("vcpu-list", "x"), ("uptime", "--json", "x")])
def test_query_of_a_domain_that_is_not_there(xm, xend, words):
    xend.answers["vcpu.list"] = xend.answers["domain.list"]
    assert xm.fails(*words) == f"Error: Domain '{words[-1]}' does not exist.\n"


def test_several_domains_after_one_failed(xm, xend):
    def answer(params):
        if params["domain"] == "x":
            raise Refusal("no-such-domain", "Domain 'x' does not exist.")
        return {}
    xend.answers["domain.destroy"] = answer
    assert xm.fails("destroy", "a", "x", "b") == "Error: Domain 'x' does not exist.\n"
    assert [p["domain"] for _, p in xend.requests] == ["a", "x", "b"]


SEVERAL = ["list", "list -l", "list --json", "uptime", "uptime -s", "uptime --json", "vcpu-list", "vcpu-list --json", "block-list",
           "block-list -l", "network-list", "destroy", "pause", "unpause", "reset", "delete", "shutdown", "shutdown -w", "reboot"]


@pytest.mark.parametrize("words", SEVERAL)
def test_the_other_domains_are_served_when_one_is_not_there(xm, xend, words):
    def served(params):
        if params["domain"] == "nosuch":
            raise Refusal("no-such-domain", "Domain 'nosuch' does not exist.")
        return {"devices": [{"mac": f"of {params['domain']}", "backend_path": f"/of {params['domain']}"}],
                "domains": [{"name": params["domain"], "id": 1, "vcpus": [{"vcpu": 0}]}]}
    xend.answers = dict.fromkeys(["vcpu.list", "device.list", *(f"domain.{name}" for name in SEVERAL)], served)
    xend.answers["domain.list"] = domains(domain("a1", 1), domain("b1", 2))
    done = xm(*words.split(), "a1", "nosuch", "b1")
    assert (done.status, done.err) == (1, "Error: Domain 'nosuch' does not exist.\n")
    # shutdown and reboot have a connection for each, so the order is not theirs.
    assert sorted(p["domain"] for _, p in xend.requests) == ["a1", "b1", "nosuch"]
    if words.split()[0] in ("list", "uptime", "vcpu-list", "block-list", "network-list"):
        assert "a1" in done.out and "b1" in done.out


@pytest.mark.parametrize("words", SEVERAL)
def test_a_xend_that_is_away_is_said_once(xm, words):
    assert xm(*words.split(), "a1", "b1").err == DOWN


def test_connection_is_lost(xm, xend):
    xend.raw["domain.save"] = None
    text = xm.fails("save", "g1", "/tmp/f")
    assert text.startswith("Error: The connection to xend was lost during domain.save (it was closed). ")
    assert "xm list" in text and "xm log" in text


@pytest.mark.parametrize("answer,words", [
    (b"nonsense\n", "is not understood"),
    (b"[]\n", "is not understood"),
    (b'{"id":1}\n', "neither a result nor an error"),
    (b'{"id":1,"error":{"code":"x"}}\n', "is not understood"),
    (b'{"id":1,"error":7}\n', "is not understood"),
    (b'{"id":1,"result":' + 64 * b"[" + 64 * b"]" + b"}\n", "is not understood"),
])
def test_answer_that_makes_no_sense(xm, xend, answer, words):
    xend.raw["domain.list"] = answer
    text = xm.fails("list")
    assert text.startswith("Error: ") and words in text and text.count("\n") == 1


def test_answer_that_never_ends(xm, xend):
    xend.raw["domain.list"] = b"x" * (5 << 20)
    assert "longer than 4194304 bytes" in xm.fails("list")


def test_answer_to_another_request_is_passed_over(xm, xend):
    xend.raw["domain.list"] = b'{"id":99,"result":{}}\n{"id":1,"error":{"code":"failed","message":"No."}}\n'
    assert xm.fails("list") == "Error: No.\n"


def test_refusal_without_an_id(xm, xend):
    """As for the client that is one too many."""
    xend.raw["domain.list"] = b'{"id":null,"error":{"code":"busy","message":"128 clients are too many."}}\n'
    assert xm.fails("list") == "Error: 128 clients are too many.\n"


@pytest.mark.parametrize("result", ["null", "{}", "7", '{"domains":null}', '{"domains":[]}', '{"domains":[{}]}',
                                    '{"domains":[{"id":"x","name":7,"memory_kb":-1,"cpu_ns":1e99}]}', '{"domains":["x",null]}'])
def test_result_of_another_form_is_no_crash(xm, xend, result):
    xend.raw["domain.list"] = b'{"id":1,"result":' + result.encode() + b"}\n"
    for words in (("list",), ("list", "-l"), ("uptime",), ("list", "--json"), ("domid", "g1"), ("domname", "g1")):
        assert xm(*words).status in (0, 1)


def test_no_command(xm):
    assert xm.misused().startswith("Usage: xm COMMAND ")


def test_unknown_command(xm):
    text = xm.misused("quux")
    assert text.startswith("Error: there is no command 'quux'.\n") and "Usage: xm COMMAND " in text


def test_prefix_that_is_not_unique(xm):
    assert xm.misused("re", "g1") == "Error: 're' may be any of: reboot, restore, rename, reset, resume\n"


def test_prefix_that_is_unique(xm, xend):
    assert xm.good("li") == xm.good("list")
    xm.good("unp", "g1")
    assert xend.requests[-1] == ("domain.unpause", {"domain": "g1"})


def test_one_letter_is_no_prefix(xm):
    assert "there is no command 't'" in xm.misused("t")


@pytest.mark.parametrize("old,new,words,method", [
    ("balloon", "mem-set", ("g1", "128"), "memory.set"), ("set-mem", "mem-set", ("g1", "128"), "memory.set"),
    ("maxmem", "mem-max", ("g1", "128"), "memory.max"), ("set-vcpus", "vcpu-set", ("g1", "2"), "vcpu.set"),
    ("pincpu", "vcpu-pin", ("g1", "0", "1"), "vcpu.pin"), ("vif-list", "network-list", ("g1",), "device.list"),
    ("vbd-list", "block-list", ("g1",), "device.list"),
    ("vbd-create", "block-attach", ("g1", "phy:/dev/x", "xvdb", "w"), "device.attach"),
    ("vbd-destroy", "block-detach", ("g1", "xvdb"), "device.detach"),
])
def test_older_names_work_with_a_warning(xm, xend, old, new, words, method):
    done = xm(old, *words)
    assert done.status == 0
    assert done.err == f"Warning: '{old}' is an older name of '{new}'; please use that.\n"
    assert xend.requests[-1][0] == method


MISUSES = [
    ("list", "--state=tired"), ("list", "-z"), ("list", "--nothing"), ("domid",), ("domid", "a", "b"), ("pause",),
    ("save", "g1"), ("restore",), ("rename", "g1"), ("sysrq", "g1"), ("sysrq", "g1", "ab"), ("trigger", "g1", "fire"),
    ("trigger", "g1", "nmi", "x"), ("mem-set", "g1"), ("mem-set", "g1", "much"), ("mem-set", "g1", "0"),
    ("mem-set", "g1", "12x"), ("mem-set", "g1", "-5"), ("mem-set", "g1", "99999999999999999999"), ("vcpu-set", "g1", "0"),
    ("vcpu-set", "g1", "two"), ("vcpu-pin", "g1", "0"), ("vcpu-pin", "g1", "x", "0"), ("vcpu-pin", "g1", "0", "1-"),
    ("vcpu-pin", "g1", "0", ""), ("vcpu-pin", "g1", "0", "3-1"), ("vcpu-pin", "g1", "0", "a"), ("sched-credit", "-w", "5"),
    ("sched-credit", "-d", "g1", "-w", "0"), ("sched-credit", "-d", "g1", "-c", "x"), ("debug-keys",), ("shutdown",),
    ("shutdown", "-a", "g1"), ("reboot",), ("create",), ("new",), ("console",), ("block-attach", "g1", "phy:/dev/x"),
    ("block-detach", "g1"), ("network-detach", "g1"), ("network-attach",), ("top", "-d", "0"), ("top", "-s", "beauty"),
    ("top", "-i", "0"), ("top", "x"), ("log", "-n", "x"), ("info", "x"), ("dmesg", "x"), ("help", "nothing"),
    ("migrate", "g1"), ("dump-core",), ("delete",), ("start",), ("suspend",), ("resume",), ("uptime", "-z"),
]


@pytest.mark.parametrize("words", MISUSES, ids=" ".join)
def test_misuse_says_how_to_use_it(xm, xend, words):
    text = xm.misused(*words)
    first, usage = text.splitlines()
    assert first.startswith("Error: ") and usage.startswith(f"Usage: xm {words[0]}")
    assert not xend.requests


@pytest.mark.parametrize("words", [("pci-attach", "g1", "0:1.0"),
                                   ("pci-detach", "g1", "0:1.0"), ("pci-list", "g1"), ("pci-list-assignable-devices",)])
def test_what_is_not_there_yet_says_so(xm, xend, words):
    text = xm.fails(*words)
    assert "yet" in text and not xend.requests


def test_output_that_cannot_be_written(xm, xend, xm_path):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([xm_path, "list"], stdout=full, stderr=subprocess.PIPE, text=True, env=xm.env, check=False,
                              timeout=30)
    assert done.returncode == 1 and done.stderr == "Error: the output could not be written\n"


def test_no_progress_where_there_is_no_terminal(xm, xend):
    xend.progress["domain.restore"] = [{"stage": "memory", "done": 1, "total": 2}]
    assert xm.good("restore", "/x") == ""


def test_connections_of_a_client_that_vanishes_do_no_harm(xm, xend):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.connect(xend.path)
    assert "Domain-0" in xm.good("list")


def test_a_command_that_is_spelt_wrongly(xm):
    assert xm.misused("lst") == "Error: there is no command 'lst'; did you mean list?\n"
    assert xm.misused("vcpu-pni") == "Error: there is no command 'vcpu-pni'; did you mean vcpu-pin?\n"
    assert xm.misused("frobnicate").startswith("Error: there is no command 'frobnicate'.\n\nUsage: xm ")


def test_a_file_that_is_none(xm, tmp_path):
    (tmp_path / "leads").symlink_to("nowhere")
    assert xm.fails("create", tmp_path) == f"Error: '{tmp_path}' is a directory, and no configuration file.\n"
    assert xm.fails("create", tmp_path / "leads") == f"Error: '{tmp_path}/leads' is a link that leads nowhere, and no configuration file.\n"


def test_a_disk_without_its_prefix(xm, xend):
    assert xm.fails("block-attach", "g", "/srv/d.img", "xvdc", "w") == (
        "Error: Domain 'g', disk xvdc: '/srv/d.img' does not say what it is. Write file:/srv/d.img, or phy:/srv/d.img for a block device.\n")
