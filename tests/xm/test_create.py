# SPDX-License-Identifier: MIT
"""xm create and xm new: finding the file, overriding its keys, saying what is wrong with it."""

import os
import xml.etree.ElementTree as ElementTree

import pytest

from fake_xend import Refusal

GOOD = 'name = "g1"\nkernel = "/boot/vmlinuz"\nmemory = 128\n'


@pytest.fixture(autouse=True)
def created(xend):
    xend.answers["domain.create"] = {"id": 7, "name": "g1", "uuid": "u"}
    xend.answers["domain.new"] = {"name": "g1", "uuid": "u"}


@pytest.fixture
def file(xm):
    path = xm.directory / "g1"
    path.write_text(GOOD)
    return path


def config_of(xend):
    assert len(xend.requests) == 1
    return xend.requests[0][1]["config"]


def test_create(xm, xend, file):
    assert xm.good("create", file) == f'Using config file "{file}".\nStarted domain g1 (id=7)\n'
    method, params = xend.requests[0]
    assert method == "domain.create" and params["paused"] is False
    assert {k: params["config"][k] for k in ("name", "kernel", "memory")} == {"name": "g1", "kernel": "/boot/vmlinuz", "memory": 128}


@pytest.mark.parametrize("words", [("-q",), ("--quiet",)])
def test_quiet(xm, xend, file, words):
    assert xm.good("create", *words, file) == ""


def test_paused(xm, xend, file):
    xm.good("create", "-p", file)
    assert xend.requests[0][1]["paused"] is True


@pytest.mark.parametrize("words", [("g1",), ("-f", "g1"), ("--defconfig=g1",)])
def test_file_is_found_here(xm, file, words):
    assert xm.good("create", *words).startswith('Using config file "g1".\n')


def test_suffix_may_be_left_out(xm, file):
    os.rename(file, f"{file}.cfg")
    assert xm.good("create", "g1").startswith('Using config file "g1.cfg".\n')


def test_file_is_found_in_etc_xen(xm):
    path = f"/etc/xen/xm-test-{os.getpid()}"
    made = not os.path.isdir("/etc/xen")
    if not os.access("/etc", os.W_OK):
        pytest.skip("only root can put a file into /etc/xen")
    os.makedirs("/etc/xen", exist_ok=True)
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(GOOD)
        assert xm.good("create", os.path.basename(path)).startswith(f'Using config file "{path}".\n')
    finally:
        os.remove(path)
        if made:
            os.rmdir("/etc/xen")


def test_file_that_is_nowhere(xm, xend):
    assert xm.fails("create", "nobody") == \
        "Error: There is no configuration file 'nobody', neither here nor in /etc/xen.\n"
    assert xm.fails("create", "/no/body") == "Error: There is no configuration file '/no/body'.\n"
    assert not xend.requests


def test_path_says_where_to_look(xm, xend, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "b" / "web.cfg").write_text(GOOD)
    assert f'"{tmp_path}/b/web.cfg"' in xm.good("create", f"--path={tmp_path}/a:{tmp_path}/b", "web")
    assert f"no configuration file 'web' in {tmp_path}/a:." in xm.fails("create", f"--path={tmp_path}/a:.", "web")


def test_overrides(xm, xend, file):
    xm.good("create", "g1", "memory=512", 'name="other"', "vcpus=2", "extra=a b=c")
    config = config_of(xend)
    assert (config["memory"], config["name"], config["vcpus"], config["extra"]) == (512, "other", 2, "a b=c")


def test_bare_words_as_pacemaker_gives_them(xm, xend, file):
    xm.good("create", file, "name=web-1")
    assert config_of(xend)["name"] == "web-1"


def test_no_file_but_words(xm, xend):
    assert xm.good("create", "name=x", "kernel=/k") == "Started domain g1 (id=7)\n"
    assert config_of(xend)["kernel"] == "/k"


def test_two_files(xm, xend, file):
    text = xm.fails("create", "g1", "g2")
    assert text == "Error: 'g2' is neither KEY=VALUE nor the file, which is 'g1'.\n" and not xend.requests


def test_all_errors_with_their_places(xm, xend, file):
    file.write_text('name = "g1"\nkernel = "/k"\nmemory = "much"\nvcpu = 2\nvcpus = -1\n')
    text = xm.fails("create", file)
    lines = text.splitlines()
    assert any(line.startswith(f"{file}:3:") and "error" in line for line in lines), text
    assert any(line.startswith(f"{file}:4:") and "vcpus" in line for line in lines), text
    assert any(line.startswith(f"{file}:5:") for line in lines), text
    assert lines[-1].startswith(f"Error: Configuration file {file}: ")
    assert not xend.requests


def test_warning_is_said_and_the_domain_created(xm, xend, file):
    file.write_text(GOOD + "localtime = 1\n")
    done = xm("create", file)
    assert done.status == 0 and "Started domain g1" in done.out
    assert f"{file}:4:" in done.err and "warning" in done.err and "localtime" in done.err


def test_error_in_an_override(xm, xend, file):
    text = xm.fails("create", file, "memory=none")
    assert "memory=none" in text or "memory" in text
    assert not xend.requests


def test_dry_run_asks_nobody(xm, xend, file):
    out = xm.good("create", "-n", file)
    assert out.startswith(f'Using config file "{file}".\n(domain\n') and "    (name g1)\n" in out and "/boot/vmlinuz" in out
    assert not xend.requests


def test_dry_run_without_xend(xm, xend, file):
    xend.close()
    os.remove(xend.path)
    assert "(name g1)" in xm.good("create", "-n", file)


def test_file_that_is_too_large(xm, xend, file):
    file.write_text("#" * (2 << 20))
    assert xm.fails("create", file).startswith("Error: ")


def test_file_that_is_not_text(xm, xend, file):
    file.write_bytes(bytes(range(256)) * 16)
    text = xm.fails("create", file)
    assert f"{file}:1:" in text and not xend.requests


def test_refusal(xm, xend, file):
    xend.answers["domain.create"] = Refusal("no-memory", "There is not enough memory: 128 MiB are needed, 5 are free.")
    done = xm("create", file)
    assert done.status == 1
    assert done.err == "Error: There is not enough memory: 128 MiB are needed, 5 are free.\n"


def test_new(xm, xend, file):
    assert xm.good("new", file) == f'Using config file "{file}".\nDomain g1 is known to xend now\n'
    assert xend.requests[0][0] == "domain.new" and config_of(xend)["name"] == "g1"


def test_foreground(xm, xend, file):
    """It stays over a reboot, which changes the id, and over a xend that is busy; and says how it ended."""
    lives = [[{"id": 7}], [{"id": -1, "operation": "restart"}], Refusal("busy", "Later."), [{"id": 8}], []]

    def lists(params):
        life = lives.pop(0)
        if isinstance(life, Refusal):
            raise life
        return {"domains": [{"name": "g1", "uuid": "u", **domain} for domain in life]}

    xend.answers["domain.create"] = {"id": 7, "name": "g1", "uuid": "u"}
    xend.answers["domain.list"] = lists
    assert xm.good("create", "-F", file).endswith("Started domain g1 (id=7)\nDomain g1 has ended.\n")
    assert not lives
    lives[:] = [[{"id": -1, "reason": "it crashed twice within a minute."}]]
    done = xm("create", "-F", file)
    assert done.status == 1 and "Domain 'g1' has ended and stays down: it crashed twice" in done.err


def test_xml(xm, xend, file):
    """Well-formed, with the elements that xm's -x had, whatever a path has in it."""
    file.write_text('name = "g1"\nkernel = "/boot/<k>&"\nextra = \'a="b"\'\nmemory = 64\nmaxmem = 128\nvcpus = 2\n'
                    'disk = ["phy:/dev/vg/a,xvda,w", "file:/i.iso,xvdb:cdrom,r"]\nvif = ["mac=00:16:3e:00:00:01,bridge=br0"]\nvfb = ["vnc=1"]\n')
    out = xm.good("create", "-x", "-q", file)
    vm = ElementTree.fromstring(out).find("vm")
    assert vm.find("name/label").text == "g1" and vm.get("vcpus_max") == "2" and vm.get("actions_after_reboot") == "restart"
    assert vm.find("pv").attrib == {"kernel": "/boot/<k>&", "ramdisk": "", "args": 'a="b"', "bootloader": "", "bootloader_args": ""}
    assert vm.find("memory").get("static_max") == str(128 << 20) and vm.find("memory").get("dynamic_max") == str(64 << 20)
    assert [(disk.get("device"), disk.get("mode"), disk.get("type")) for disk in vm.findall("vbd")] == [("xvda", "RW", "disk"), ("xvdb", "RO", "CD")]
    assert [disk.get("src") for disk in ElementTree.fromstring(out).findall("vdi")] == ["phy:/dev/vg/a", "file:/i.iso"]
    assert vm.find("vif").get("mac") == "00:16:3e:00:00:01" and vm.find("console").get("protocol") == "rfb"
    assert not xend.requests


@pytest.mark.parametrize("words", ("create name=fast", "destroy fast", "rename Pool-0 all", "cpu-add Pool-0 1", "cpu-remove Pool-0 1", "numa-split"))
def test_pools_cannot_be_changed(xm, xend, words):
    said = xm.fails(*f"cpupool-{words}".split())
    assert "There is one pool of processors, Pool-0" in said and "xm vcpu-pin" in said
    assert not xend.requests


def test_every_domain_is_in_the_pool(xm, xend):
    xend.answers["domain.list"] = {"domains": [{"name": "g1", "id": 3, "uuid": "u"}]}
    assert xm.good("cpupool-migrate", "g1", "Pool-0") == "Domain g1 is in Pool-0.\n"
    assert xend.requests == [("domain.list", {"domain": "g1"})]
    assert "no pool of processors 'fast' for domain 'g1'" in xm.fails("cpupool-migrate", "g1", "fast")
