# SPDX-License-Identifier: MIT
"""What xm says about a running guest and its host, column by column, and what it changes of CPUs and memory.

g1 has two vCPUs. Every value is compared with what xl, the hypervisor or the guest says of the same thing.
Pinning takes two processors and is in test_smp.py.
"""

import base64
import gzip
import json
import re
import textwrap
import time
from pathlib import Path

import pytest

import xm as xm_module
from xm import DOWN, LIST_HEADER, Guest, Xm

MACHINE = xm_module.MACHINE
G1 = Guest("g1", vcpus=2, memory=256, maxmem=320, address="10.77.0.2")
INFO_KEYS = """system host release version machine nr_cpus nr_nodes cores_per_socket threads_per_core cpu_mhz hw_caps virt_caps
total_memory free_memory free_cpus xen_major xen_minor xen_extra xen_caps xen_scheduler xen_pagesize platform_params
xen_changeset xen_commandline cc_compiler cc_compile_by cc_compile_domain cc_compile_date xend_config_format""".split()
MEM_TOTAL = "sed -n \"s/MemTotal: *\\([0-9]*\\).*/\\1/p\" /proc/meminfo"
ONLINE = "for i in $(seq 100); do [ $(cat /sys/devices/system/cpu/online) = %s ] && exit 0; usleep 100000; done; exit 1"


@pytest.fixture
def xm(dom0):
    xm = Xm(dom0)
    xm.start_xend()
    return xm


@pytest.fixture
def g1(xm):
    """Its ID."""
    if "g1" not in xm.domains():
        xm.destroy_all()
        xm.create(G1)
    return xm.domains()["g1"][0]


def test_every_command_needs_xend(dom0):
    xm = Xm(dom0)
    if dom0.run("xm list")[0] == 0:
        xm.stop_xend()
    for words in ("list", "info", "destroy x", "mem-set x 1", "dmesg", "console x", "top -b", "shutdown -a", "log"):
        assert xm.fails(words) == DOWN
    xm.start_xend()
    assert xm.good("list").startswith(LIST_HEADER)


def test_list(dom0, xm, g1):
    text = xm.good("list")
    header, domain0, guest = text.splitlines()
    assert header == LIST_HEADER
    assert re.fullmatch(r"Domain-0 {35}0  1536     1     r-----  +\d+\.\d", domain0)
    assert re.fullmatch(rf"g1 {{38}} {g1:3d}   256     2     [r-][b-]----  +\d+\.\d", guest)
    assert len(domain0) == len(guest) == 40 + 1 + 3 + 1 + 5 + 1 + 5 + 1 + 10 + 1 + 8
    # As xl says of the same domains; the guest may have run in between.
    for name, (number, memory, vcpus, _, seconds) in dom0.domains().items():
        assert xm.domains()[name][:3] == (number, memory, vcpus)
        assert abs(xm.domains()[name][4] - seconds) < 10


def test_list_of_one_domain(xm, g1):
    for name in ("g1", str(g1)):
        header, row = xm.good(f"list {name}").splitlines()
        assert header == LIST_HEADER and row.split()[0] == "g1"
    assert xm.fails("list nobody") == "Error: Domain 'nobody' does not exist."
    assert xm.fails("list 4711") == "Error: Domain '4711' does not exist."


def test_list_by_state(xm, g1):
    xm.good("pause g1")
    assert [line.split()[0] for line in xm.good("list --state=paused").splitlines()[1:]] == ["g1"]
    assert [line.split()[0] for line in xm.good("list --state=running").splitlines()[1:]] == ["Domain-0"]
    xm.good("unpause g1")
    assert xm.good("list --state=paused") == LIST_HEADER


def test_list_long(xm, g1):
    text = xm.good("list --long g1")
    lines = [line.strip() for line in text.splitlines()]
    assert text.startswith("(domain\n") and text.count("(") == text.count(")")
    for line in (f"(domid {g1})", "(name g1)", "(vcpus 2)", "(memory 256)", "(maxmem 320)", "(status 2)",
                 "(kernel /guest/vmlinux)", "(ramdisk /guest/initrd)", "(bridge xenbr0)", "(mac 00:16:3e:00:00:02)"):
        assert line in lines, text
    assert any(re.fullmatch(r"\(state [r-][b-]----\)", line) for line in lines)
    assert all((len(line) - len(line.lstrip())) % 4 == 0 for line in text.splitlines())
    assert xm.good("list -l").count("(domain\n") == 2


def test_list_json(xm, g1):
    domains = {d["name"]: d for d in json.loads(xm.good("list --json"))}
    assert domains["g1"]["id"] == g1 and domains["g1"]["memory_kb"] // 1024 == 256 and domains["g1"]["vcpus"] == 2
    assert domains["Domain-0"]["id"] == 0


def test_domid_domname_domstate(xm, g1):
    assert xm.good("domid g1") == str(g1)
    assert xm.good(f"domname {g1}") == "g1"
    assert xm.good("domstate g1") in ("idle", "running")
    xm.good("pause g1")
    assert xm.good("domstate g1") == "paused"
    xm.good("unpause g1")
    assert xm.fails("domid nobody") == "Error: Domain 'nobody' does not exist."
    assert xm.fails("domname 4711") == "Error: Domain '4711' does not exist."


def test_uptime(dom0, xm, g1):
    header, domain0, guest = xm.good("uptime").splitlines()
    assert header == "Name                                ID Uptime"
    assert re.fullmatch(r"Domain-0 {29}0 0:\d\d:\d\d", domain0)
    minutes, seconds = re.fullmatch(rf"g1 {{31}} {g1:4d} 0:(\d\d):(\d\d)", guest).groups()
    inside = float(dom0.guest("g1", "cut -d. -f1 /proc/uptime"))
    assert abs(int(minutes) * 60 + int(seconds) - inside) < 60


def test_info(dom0, xm, hv):
    lines = xm.good("info").splitlines()
    keys = [line[:23].rstrip() for line in lines]
    assert keys == INFO_KEYS + (["cpu_faults"] if hv.startswith("xenolith") else [])
    assert all(line[23:25] == ": " for line in lines)
    info = {line[:23].rstrip(): line[25:] for line in lines}
    assert info["system"] == "Linux" and info["machine"] == "x86_64" and info["nr_cpus"] == "1"
    assert info["host"] == dom0.sh("uname -n") and info["release"] == dom0.sh("uname -r")
    assert info["xend_config_format"] == "4" and "xen-3.0-x86_64" in info["xen_caps"]
    # As many as the hypervisor itself has warned of, by the same rules.
    assert len(info.get("cpu_faults", "").split()) == dom0.text.count("(HV) processors of this kind have ")
    # The rest as xl says it.
    others = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in dom0.sh("xl info").splitlines())}
    for key in ("nr_nodes", "cores_per_socket", "threads_per_core", "hw_caps", "total_memory", "xen_major", "xen_minor",
                "xen_extra", "xen_caps", "xen_pagesize", "xen_changeset", "xen_commandline", "cc_compiler", "cc_compile_by",
                "cc_compile_domain", "cc_compile_date", "xen_scheduler"):
        assert info[key].strip() == others[key], key
    assert abs(int(info["free_memory"]) - int(others["free_memory"])) <= 2
    assert abs(int(info["cpu_mhz"]) - float(others["cpu_mhz"])) <= 1


def test_vcpu_list(xm, g1):
    header, *rows = xm.good("vcpu-list").splitlines()
    assert header == "Name                                ID  VCPU   CPU State   Time(s) CPU Affinity"
    assert len(rows) == 3
    for vcpu, row in enumerate(rows[1:]):
        assert re.fullmatch(rf"g1 {{30}} {g1:5d} {vcpu:5d}  +0   [r-][b-]-  +\d+\.\d any cpu", row), row
    assert xm.good("vcpu-list g1").splitlines()[1:][0].split()[:3] == ["g1", str(g1), "0"]


def test_vcpu_set(dom0, xm, g1):
    xm.good("vcpu-set g1 1")
    dom0.guest("g1", ONLINE % "0")
    xm.wait(lambda d: d["g1"][2] == 1)
    row = xm.good("vcpu-list g1").splitlines()[2].split()
    assert row[:5] == ["g1", str(g1), "1", "-", "--p"]
    xm.good("vcpu-set g1 2")
    dom0.guest("g1", "for i in $(seq 50); do echo 1 >/sys/devices/system/cpu/cpu1/online && break; usleep 100000; done")
    dom0.guest("g1", ONLINE % "0-1")
    xm.wait(lambda d: d["g1"][2] == 2)
    assert xm.fails("vcpu-set g1 3").count("\n") == 0


def test_sched_credit(dom0, xm, g1):
    header, domain0, guest = xm.good("sched-credit").splitlines()
    assert header == "Name                                ID Weight  Cap"
    assert domain0 == "Domain-0                             0    256    0"
    assert guest == f"g1                               {g1:5d}    256    0"
    xm.good("sched-credit -d g1 -w 512")
    xm.good("sched-credit -d g1 -c 150")
    assert xm.good("sched-credit -d g1").splitlines()[1] == f"g1                               {g1:5d}    512  150"
    assert re.search(r"^g1 +\d+ +512 +150$", dom0.sh("xl sched-credit"), re.M)
    xm.good("sched-credit -d g1 -w 256 -c 0")
    xm.fails("sched-credit -d g1 -c 100000")


def test_mem_set(dom0, xm, g1):
    full = int(dom0.guest("g1", MEM_TOTAL))
    xm.good("mem-set g1 192")
    xm.wait(lambda d: d["g1"][1] == 192)
    assert full - int(dom0.guest("g1", MEM_TOTAL)) > 60000
    xm.good("mem-set g1 262144k")
    xm.wait(lambda d: d["g1"][1] == 256)
    assert abs(int(dom0.guest("g1", MEM_TOTAL)) - full) < 1024
    assert xm.fails("mem-set g1 1g")


def test_mem_max(xm, g1):
    def maximum():
        return json.loads(xm.good("list --json g1"))[0]["maxmem_kb"] // 1024

    xm.good("mem-max g1 288")
    assert maximum() == 288
    assert xm.fails("mem-set g1 320")
    xm.good("mem-max g1 320m")
    assert maximum() == 320
    xm.good("mem-set g1 256")


def test_top_in_batch(xm, g1):
    lines = xm.good("top -b -i 2 -d 1 -v").splitlines()
    titles = lines[0].split()
    assert titles[:5] == ["NAME", "ID", "STATE", "CPU(sec)", "CPU(%)"] and len(lines) == 12
    rows = [line.split() for line in lines if not line.startswith(("NAME", "  VCPU"))]
    assert sorted(row[0] for row in rows) == ["Domain-0", "Domain-0", "g1", "g1"]
    assert all(len(row) == len(titles) and 0 <= float(row[4]) <= 205 for row in rows)
    guest = next(row for row in rows if row[0] == "g1")
    assert guest[1] == str(g1) and guest[5] == "256" and guest[8:10] == ["2", "1"]


def test_top_sees_who_works(dom0, xm, g1):
    dom0.guest("g1", "while :; do :; done & echo $! >/tmp/spin")
    rows = [line.split() for line in xm.good("top -b -i 1 -d 2").splitlines()[1:]]
    dom0.guest("g1", "kill $(cat /tmp/spin)")
    assert rows[0][0] == "g1" and float(rows[0][4]) > 40


def test_dmesg(dom0, xm):
    assert int(dom0.sh("xm dmesg | grep -c 'Command line\\|Domain-0\\|Xen version\\|Xenolith'")) > 0
    assert dom0.sh("xm dmesg | sed 's/^/| /' >/tmp/xm.d; xl dmesg | sed 's/^/| /' >/tmp/xl.d; head -5 /tmp/xm.d | cmp - /tmp/xl.d "
                   "2>&1 | grep -c differ; true") == "0"


def test_debug_keys_and_clearing(dom0, xm):
    xm.good("dmesg -c >/dev/null")
    xm.good("debug-keys h")
    time.sleep(1)
    # Without the prefix by which the test's machine tells the hypervisor's own lines.
    text = dom0.sh("xm dmesg | sed 's/^([A-Z]*)/|/'")
    assert re.search(r"key|'h'", text) and "Command line" not in text


def test_log(xm, g1):
    assert "g1" in xm.good("log")
    assert len(xm.good("log -n 1").splitlines()) == 1


def test_console_both_ways(dom0, xm, g1):
    status, text = dom0.converse("xm console g1", [
        ("", r"Ctrl-\] leaves it"), ("echo console-$((40 + 2))\r", r"console-42"), (xm_module.ESCAPE, "")])
    assert status == 0, text
    # The terminal is as it was: what follows is a line.
    assert dom0.sh("stty </dev/hvc0 | grep -c -- '-icanon\\|-isig'; true") == "0"


SEEN = "for i in $(seq 600); do grep -q {0} /tmp/second && break; usleep 100000; done; grep -q {0} /tmp/second"


def test_console_is_not_disturbed_by_a_second_one(dom0, xm, g1):
    # The second one stays until it has seen what the first one had the guest say.
    dom0.sh(f"(echo 'echo second-$((2 + 2))'; {SEEN.format('seen-by-2')}) | xm console -q g1 >/tmp/second 2>&1 & true")
    dom0.sh(SEEN.format("second-4"))
    status, text = dom0.converse("xm console g1", [("", r"leaves it"), ("echo seen-by-$((1 + 1))\r", r"seen-by-2"),
                                                  (xm_module.ESCAPE, "")])
    assert status == 0, text
    dom0.sh(SEEN.format("seen-by-2"))


def test_sysrq(dom0, xm, g1):
    dom0.guest("g1", "echo 1 >/proc/sys/kernel/sysrq; echo 8 >/proc/sys/kernel/printk")
    before = int(dom0.sh("grep -c 'sysrq: ' /var/log/xen/console/guest-g1.log; true"))
    xm.good("sysrq g1 h")
    dom0.sh("(for i in $(seq 100); do [ $(grep -c 'sysrq: ' /var/log/xen/console/guest-g1.log) -gt %d ] && exit 0; "
            "usleep 100000; done; exit 1)" % before)
    assert xm("sysrq g1 ab")[0] == 2


def test_help_and_prefixes(xm):
    assert xm.good("help create").startswith("Usage: xm create ")
    assert xm.good("li") == xm.good("list") or xm.good("li").splitlines()[0] == LIST_HEADER
    assert xm("mem g1")[0] == 2 and xm("nonsense")[0] == 2


def test_what_is_not_there_yet(xm, g1):
    assert "The host 'other' is not known" in xm.fails("migrate --live g1 other")
    assert "yet" in xm.fails("pci-list g1")
    assert xm.domains()["g1"][0] == g1


def test_sixty_four_clients_at_once(dom0, xm):
    dom0.sh("for i in $(seq 64); do (xm list >/tmp/c.$i 2>&1; echo $? >>/tmp/c.$i) & done; wait", 180)
    assert dom0.sh("cat /tmp/c.* | grep -c '^0$'") == "64"
    assert dom0.sh("cat /tmp/c.* | grep -c '^Domain-0 '") == "64"
    dom0.sh("rm -f /tmp/c.*")


# -- xm beside xl


def rows(text, skip=1):
    return [line.split() for line in text.splitlines()[skip:]]


def both(dom0, xm, words):
    """What xm and xl print for the same words, a moment apart."""
    return xm.good(words), dom0.sh(f"xl {words}", 60)


def seconds(uptime):
    """Of "1 day, 2:03:04" or "0:12:34"."""
    days, clock = re.fullmatch(r"(?:(\d+) days?, +)?(\d+:\d+:\d+)", uptime).groups()
    hours, minutes, rest = map(int, clock.split(":"))
    return int(days or 0) * 86400 + hours * 3600 + minutes * 60 + rest


@pytest.fixture
def theirs(dom0, xm, g1):
    """A guest that xl made, with a disk and a card: each tool shows devices of its own guests and of this one."""
    if "theirs" not in xm.domains():
        dom0.sh("dd if=/dev/zero of=/data/theirs.img bs=1M count=4 2>/dev/null")
        dom0.create(Guest("theirs", memory=96, address="10.77.0.3", disks=("format=raw,vdev=xvda,access=rw,target=/data/theirs.img",)))
    yield "theirs"
    dom0.sh("xl destroy theirs")


def test_xm_and_xl_claim_the_same(dom0, xm, g1, theirs):
    # What changes from moment to moment is left out, or may differ by a little.
    ours, xls = both(dom0, xm, "list")
    assert rows(ours, 0)[0] == rows(xls, 0)[0]
    for one, other in zip(rows(ours), rows(xls), strict=True):
        assert one[:4] == other[:4] and one[4][2:] == other[4][2:] and abs(float(one[5]) - float(other[5])) < 3, (one, other)
    for line in (rows(ours)[1], rows(ours)[2]):
        assert both(dom0, xm, f"domid {line[0]}") == (line[1], line[1])
        assert both(dom0, xm, f"domname {line[1]}") == (line[0], line[0])

    for one, other in zip(*map(rows, both(dom0, xm, "vcpu-list")), strict=True):
        # Name, ID, vCPU; the CPU it ran on (there is one), or that it is offline; any CPU is "all / all" of xl.
        assert one[:4] == other[:4] and (one[4] == "--p") == (other[4] == "--p"), (one, other)
        assert (one[6:] == ["any", "cpu"]) == (other[6:] == ["all", "/", "all"]), (one, other)

    ours, xls = (dict(re.findall(r"^(\w+) *: (.*)$", text, re.M)) for text in both(dom0, xm, "info"))
    common = set(ours) & set(xls) - {"free_memory", "cpu_mhz", "xend_config_format"}
    assert len(common) > 20
    assert {key: ours[key].strip() for key in common} == {key: xls[key].strip() for key in common}
    assert abs(int(ours["free_memory"]) - int(xls["free_memory"])) <= 1
    assert int(ours["cpu_mhz"]) == int(float(xls["cpu_mhz"]))
    ours, xls = both(dom0, xm, "info -n")
    for part in (r"cpu_topology +:\n(?:.*\n)+?(?= *numa_info|device topology)", r"(numa_info +:\nnode: .*\n +0: +\d+)"):
        assert re.search(part, ours).group().strip() == re.search(part, xls).group().strip()

    ours, xls = both(dom0, xm, "uptime")
    for one, other in zip(ours.splitlines()[1:], xls.splitlines()[1:], strict=True):
        (name, number, uptime), (xls_name, xls_number, xls_uptime) = one.split(None, 2), other.split(None, 2)
        assert (name, number) == (xls_name, xls_number)
        # xl knows no start of a guest that it did not make.
        if name != "g1":
            assert abs(seconds(uptime) - seconds(xls_uptime)) <= 3, (one, other)
    assert re.fullmatch(r"\d\d:\d\d:\d\d up [\d:]+, theirs \(\d+\)", xm.good("uptime -s theirs").strip())

    ours, xls = both(dom0, xm, "sched-credit")
    assert rows(ours, 0) == rows(xls[xls.index("Name"):], 0)
    ours, xls = both(dom0, xm, "cpupool-list")
    assert rows(ours, 0) == rows(xls, 0)
    ours, xls = both(dom0, xm, "cpupool-list -c")
    assert rows(ours, 0) == rows(xls, 0)
    assert "scheduler is credit, not credit2" in xm.fails("sched-credit2")

    for words in ("network-list theirs", "block-list theirs"):
        ours, xls = both(dom0, xm, words)
        # Under "handle" xl's list of disks has the number of the domain.
        left_out = 2 if words.startswith("block") else -1
        for one, other in zip(rows(ours), rows(xls), strict=True):
            assert [c for i, c in enumerate(one) if i != left_out] == [c for i, c in enumerate(other) if i != left_out], words
        assert len(rows(ours)) == 1 and len(xm.good(f"{words} -l").splitlines()) > 6
    ours, xls = both(dom0, xm, "dmesg")
    assert ours.splitlines()[:20] == xls.splitlines()[:20]


# Files of tests/config/good that xl 4.17 refuses, and why.
XL_REFUSES = {
    "counted": "a UUID without dashes",
    "diskless": "a long number of Python 2",
    "early": "a number below zero",
    "editor": "a byte order mark",
    "images": "a string that goes on in the next line",
    "manager": "a key in capitals",
    "nodes": "a set that leaves none of the CPUs of this machine",
    "old-example": "builder = linux",
    "other-line-ends": "a carriage return",
    "prefixes": "untrusted, for a disk",
    "rescue": "a number below zero",
    "scripts": "iscsi: with a target that has commas",
}


def test_files_that_people_have(dom0, xm):
    """xm takes each of tests/config/good, with its warnings; what xl makes of it is said above."""
    files = sorted((Path(__file__).parents[1] / "config/good").iterdir())
    whole = "".join(f"@@{file.name}\n{file.read_bytes().decode()}" for file in files)
    packed = base64.b64encode(gzip.compress(whole.encode())).decode()
    dom0.sh("rm -f /root/good.gz")
    for piece in textwrap.wrap(packed, 3000):
        dom0.sh(f"echo {piece} >>/root/good.gz")
    text = dom0.sh("mkdir -p /root/good; base64 -d /root/good.gz | gunzip | awk '/^@@/ {f=\"/root/good/\" substr($0, 3); next} {print >f}';"
                   " cd /root/good; for f in *; do"
                   " xm create -n -q ./$f >/dev/null 2>/tmp/said; a=$?; b=$(grep -c ': warning: ' /tmp/said);"
                   " xl -N create ./$f >/dev/null 2>&1; echo RESULT $f $a $b $?; done", 120)
    results = {name: rest for name, *rest in (line.split()[1:] for line in text.splitlines() if line.startswith("RESULT "))}
    warnings = {file.name: file.read_text().count("#-> ") for file in files}
    assert {name: (int(status), int(count)) for name, (status, count, _) in results.items()} == \
           {name: (0, count) for name, count in warnings.items()}
    assert {name for name, rest in results.items() if rest[2] != "0"} == set(XL_REFUSES)
