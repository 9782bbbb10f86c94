# SPDX-License-Identifier: MIT
"""Help, the manual and completion say what the program can do."""

import os
import re
import shutil
import subprocess

import pytest

from conftest import ROOT, XM

COMMANDS = """create shutdown reboot destroy pause unpause save restore migrate evacuate migrate-cancel trust migrate-keep rename sysrq trigger dump-core reset
new start suspend resume delete list vm-list claims domid domname domstate uptime vcpu-list top console vncviewer log
mem-set mem-max vcpu-set vcpu-pin sched-credit sched-credit2 cpupool-cpu-add cpupool-cpu-remove cpupool-create cpupool-destroy cpupool-list cpupool-migrate cpupool-numa-split cpupool-rename info doctor network-setup dmesg guests debug-keys block-attach block-detach block-list block-configure
network-attach network-detach network-list pci-attach pci-detach pci-list pci-list-assignable-devices help""".split()


def names():
    text = subprocess.run([XM, "help", "--names"], capture_output=True, text=True, check=True).stdout
    return {line.split()[0]: line.split()[1:] for line in text.splitlines()}


def test_every_command_is_there():
    assert sorted(names()) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(xm, command):
    text = xm.good("help", command)
    assert text.startswith(f"Usage: xm {command}")
    assert xm.good(command, "--help") == text == xm.good(command, "-h")
    for option in names()[command]:
        assert option in text
    if "not there yet" not in text:
        assert "\nExamples:\n" in text and re.search(rf"^      xm {command}\b", text, re.M)
    assert max(len(line) for line in text.splitlines()) <= 120


def test_examples_are_understood(xm, xend):
    """Each example of help is taken, up to what the fake xend can answer: no misuse."""
    for command in COMMANDS:
        for example in re.findall(r"^      (xm .*)$", xm.good("help", command), re.M):
            words = re.sub(r" \|.*|[<>].*", "", example).split()[1:]
            if words[0] in ("top", "console") or "-c" in words[:2]:
                continue
            assert xm(*words).status in (0, 1), example


def test_long_help_names_all(xm):
    text = xm.good("help", "--long")
    assert all(re.search(rf"^  {command} ", text, re.M) for command in COMMANDS)


def test_short_help(xm):
    text = xm.good("help")
    assert re.search(r"^  create +\S", text, re.M) and "xm help --long" in text
    assert xm.good("--help") == text
    assert max(len(line) for line in text.splitlines()) <= 110


def page(name):
    path = ROOT / "build/man" / name
    subprocess.run(["make", "-s", "-C", ROOT, "man"], check=True, stdout=subprocess.DEVNULL)
    return path


@pytest.mark.parametrize("name", ["xm.1", "xend.8", "xm.cfg.5", "xend-config.sxp.5"])
def test_page_of_the_manual_is_well_formed(name):
    done = subprocess.run(["groff", "-mandoc", "-Tutf8", "-ww", "-z", page(name)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    if shutil.which("mandoc"):
        subprocess.run(["mandoc", "-T", "lint", "-W", "error", page(name)], check=True)


def rendered(name):
    done = subprocess.run(["groff", "-mandoc", "-Tascii", "-P-cbou", page(name)], capture_output=True, text=True, check=True)
    return done.stdout


def test_manual_explains_every_command():
    text = rendered("xm.1")
    assert all(re.search(rf"^ +{re.escape(command)}( |$)", text, re.M) for command in COMMANDS)


def test_manual_explains_every_key():
    keys = subprocess.run([XM, "help", "--keys"], capture_output=True, text=True, check=True).stdout.split()
    text = rendered("xm.cfg.5")
    assert len(keys) > 30 and all(re.search(rf"^ +{key}( |$)", text, re.M) for key in keys)


def complete(xm, *words):
    """What bash offers for the last word."""
    script = ROOT / "toolstack/etc/xm-completion.bash"
    line = " ".join(words)
    program = (f"source {script}; COMP_WORDS=({' '.join(repr(w) for w in words)}); COMP_CWORD={len(words) - 1}; "
               f"COMP_LINE='{line}'; COMP_POINT={len(line)}; _xm; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    env = {**xm.env, "PATH": f"{os.path.dirname(XM)}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, env=env, cwd=xm.directory, check=True)
    return done.stdout.split("\n")[:-1]


@pytest.mark.skipif(os.path.basename(XM) != "xm", reason="completion runs the program by its name")
def test_completion(xm, xend):
    assert complete(xm, "xm", "cr") == ["create"]
    assert complete(xm, "xm", "vcpu-") == ["vcpu-list", "vcpu-set", "vcpu-pin"]
    assert complete(xm, "xm", "pause", "") == ["Domain-0", "g1"]
    assert complete(xm, "xm", "pause", "g") == ["g1"]
    assert "--state=" in complete(xm, "xm", "list", "--")
    assert complete(xm, "xm", "guests", "st") == ["start", "stop", "status"]
    assert complete(xm, "xm", "help", "unp") == ["unpause"]
    assert complete(xm, "xm", "create", "file", "mem") == ["memory="]
    (xm.directory / "guest7").write_text("")
    assert "guest7" in complete(xm, "xm", "create", "gu")


def test_completion_without_xend_offers_nothing_and_says_nothing(xm):
    assert complete(xm, "xm", "pause", "") in ([], [""])
