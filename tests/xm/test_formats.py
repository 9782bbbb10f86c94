# SPDX-License-Identifier: MIT
"""What xm prints, line by line: other programs read it by columns."""

import json
import re
import time

import pytest

from fake_xend import DOMAIN0, domain, domains

LIST_HEADER = "Name                                      ID   Mem VCPUs      State   Time(s)\n"
INFO_KEYS = """system host release version machine nr_cpus nr_nodes cores_per_socket threads_per_core cpu_mhz hw_caps virt_caps
total_memory free_memory free_cpus xen_major xen_minor xen_extra xen_caps xen_scheduler xen_pagesize platform_params
xen_changeset xen_commandline cc_compiler cc_compile_by cc_compile_domain cc_compile_date xend_config_format""".split()
VCPUS = {"nr_cpus": 2, "domains": [
    {"name": "Domain-0", "id": 0, "vcpus": [
        {"vcpu": 0, "cpu": 0, "state": "r--", "cpu_ns": 9100000000, "affinity": "any cpu"},
        {"vcpu": 1, "cpu": 1, "state": "-b-", "cpu_ns": 3200000000, "affinity": "0-1"}]},
    {"name": "g1", "id": 3, "vcpus": [
        {"vcpu": 0, "cpu": -1, "state": "--p", "cpu_ns": 0, "affinity": "any cpu"}]}]}
SCHED = {"scheduler": "credit", "domains": [{"name": "Domain-0", "id": 0, "weight": 256, "cap": 0},
                                            {"name": "g1", "id": 3, "weight": 512, "cap": 50}]}
DISKS = [{"devid": 51712, "device": "xvda", "backend_id": 0, "handle": 0, "state": 4, "event_channel": 9, "ring_ref": 8,
          "backend_path": "/local/domain/0/backend/vbd/3/51712", "config": {"vdev": "xvda"}}]
CARDS = [{"devid": 0, "device": "0", "backend_id": 0, "handle": 0, "state": 4, "event_channel": 10, "tx_ring_ref": 768,
          "rx_ring_ref": 769, "backend_path": "/local/domain/0/backend/vif/3/0", "mac": "00:16:3e:00:00:02", "config": {}}]
TOP = {"time_ns": 5, "total_kb": 2097152, "free_kb": 1048576, "nr_cpus": 2, "cpu_mhz": 2400, "domains": []}


def test_list(xm, xend):
    assert xm.good("list") == (
        LIST_HEADER +
        "Domain-0                                   0  1024     2     r-----     12.3\n"
        "g1                                         3   256     1     -b----      1.5\n")


def test_list_of_a_xend_that_has_no_tables(xm, xend):
    new = xm.good("list"), xm.good("list", "g1"), xm.good("list", "--state=running")
    xend.old = True
    assert new == (xm.good("list"), xm.good("list", "g1"), xm.good("list", "--state=running"))
    assert "Domain 'x' does not exist." in xm.fails("list", "x")


def test_list_of_a_name_with_blanks(xm, xend):
    xend.answers["domain.list"] = domains(domain("a  b c ", 1))
    assert xm.good("list").splitlines()[1].startswith("a__b_c_                                    1 ")


@pytest.mark.parametrize("row", ["", " ", "1", "1 2 3", 7, None, {}, [], [1, None, "x"]])
def test_list_of_rows_that_are_none(xm, xend, row):
    xend.raw["domain.list"] = json.dumps({"id": 1, "result": {"rows": [row]}}).encode() + b"\n"
    assert len(xm.good("list").splitlines()) == 2


def test_list_of_one_and_of_several(xm, xend):
    assert xm.good("list", "g1") == LIST_HEADER + "g1                                         3   256     1     -b----      1.5\n"
    assert [line.split()[0] for line in xm.good("list", "g1", "0").splitlines()[1:]] == ["g1", "Domain-0"]


@pytest.mark.parametrize("state", ["r-----", "-b----", "--p---", "---s--", "----c-", "-----d", "------"])
def test_list_shows_each_state_in_its_place(xm, xend, state):
    xend.answers["domain.list"] = domains(domain("g", 1, state=state))
    assert xm.good("list").splitlines()[1][57:67] == f"    {state}"


def test_list_by_state(xm, xend):
    states = ["halted", "paused", "running", "suspended", "shutdown", "crashed"]
    xend.answers["domain.list"] = domains(*[domain(name, i if i else -1, status=i) for i, name in enumerate(states)])
    for state in states:
        assert [line.split()[0] for line in xm.good("list", f"--state={state}").splitlines()[1:]] == [state]
    assert len(xm.good("list", "--state=all").splitlines()) == 7


def test_list_long(xm, xend):
    config = {"name": "g1", "uuid": "00000000-0000-4000-8000-000000000003", "kernel": "/boot/vmlinuz", "memory": 256,
              "extra": "console=hvc0", "vif": [{"mac": "00:16:3e:00:00:02", "bridge": "xenbr0"}]}
    xend.answers["domain.list"] = domains(domain("g1", 3, config=config))
    text = xm.good("list", "--long", "g1")
    assert xend.requests[-1] == ("domain.list", {"domain": "g1", "config": True})
    lines = text.splitlines()
    assert lines[0] == "(domain" and lines[-1] == ")"
    for line in ("(domid 3)", "(name g1)", "(memory 256)", "(vcpus 1)", "(status 2)", "(state -b----)", "(maxmem 256)"):
        assert f"    {line}" in lines, text
    assert "(kernel /boot/vmlinuz)" in text and "00:16:3e:00:00:02" in text
    # How Pacemaker looks at it.
    assert [line.split()[:2] for line in lines if "status" in line] == [["(status", "2)"]]
    assert [line.split()[:2] for line in lines if "(state" in line] == [["(state", "-b----)"]]


def test_list_long_of_a_domain_without_configuration(xm, xend):
    """Domain-0, and what xl made."""
    text = xm.good("list", "-l")
    assert text.count("(domain\n") == 2 and "    (domid 0)\n" in text and "    (name Domain-0)\n" in text
    assert "    (memory 1024)\n" in text and "    (status 2)\n" in text and "    (state r-----)\n" in text


def test_rows_split_into_six_fields(xm, xend):
    """Also when a name holds blanks (xl allows them), or numbers are large."""
    xend.answers["domain.list"] = domains(DOMAIN0, domain("two words\there", 4),
                                          domain("x" * 60, 12345, memory_kb=1 << 40, vcpus=4096, cpu_ns=10 ** 17))
    rows = [line.split() for line in xm.good("list").splitlines()[1:]]
    assert [len(row) for row in rows] == [6, 6, 6]
    for row in rows:
        int(row[1]), int(row[2]), int(row[3]), float(row[5])
    assert rows[1][0] == "two_words?here"


def test_a_domain_that_does_not_run_has_neither_id_nor_state(xm, xend):
    """As in the original xm: with -1 and ------ programs take it for one that runs and was just not on a CPU."""
    xend.answers["domain.list"] = domains(domain("halted", -1, status=0, state="------", cpu_ns=0))
    assert xm.good("list").splitlines()[1] == f"{'halted':40} {'':3} {256:5} {1:5} {'':10} {0.0:8.1f}"


def test_vcpu_list(xm, xend):
    xend.answers["vcpu.list"] = VCPUS
    assert xm.good("vcpu-list") == (
        "Name                                ID  VCPU   CPU State   Time(s) CPU Affinity\n"
        "Domain-0                             0     0     0   r--       9.1 any cpu\n"
        "Domain-0                             0     1     1   -b-       3.2 0-1\n"
        "g1                                   3     0     -   --p       0.0 any cpu\n")
    xm.good("vcpu-list", "g1", "0")
    assert [r[1] for r in xend.requests[-2:]] == [{"domain": "g1"}, {"domain": "0"}]


def test_sched_credit(xm, xend):
    xend.answers["sched.get"] = SCHED
    assert xm.good("sched-credit") == (
        "Name                                ID Weight  Cap\n"
        "Domain-0                             0    256    0\n"
        "g1                                   3    512   50\n")


def test_info_names_faults_of_the_processor_last(xm, xend):
    """On Xenolith only: xend sends none where another hypervisor has guards of its own."""
    xend.answers["host.info"] = {"nr_cpus": 2, "cpu_faults": "meltdown l1tf spectre_v2"}
    lines = xm.good("info").splitlines()
    assert [line[:23].rstrip() for line in lines] == INFO_KEYS + ["cpu_faults"]
    assert lines[-1] == "cpu_faults             : meltdown l1tf spectre_v2"


def test_info_has_all_keys_in_their_order(xm, xend):
    answer = {key: f"value of {key}" for key in reversed(INFO_KEYS)}
    answer.update(nr_cpus=2, total_memory=2047, xen_major=4, xend_config_format=4)
    xend.answers["host.info"] = answer
    lines = xm.good("info").splitlines()
    assert [line[:23].rstrip() for line in lines] == INFO_KEYS
    assert all(line[23:25] == ": " for line in lines)
    assert "nr_cpus                : 2" in lines and "xend_config_format     : 4" in lines
    assert "total_memory           : 2047" in lines and "host                   : value of host" in lines


def test_block_list(xm, xend):
    xend.answers["device.list"] = {"devices": DISKS}
    assert xm.good("block-list", "g1") == (
        "Vdev  BE  handle state evt-ch ring-ref BE-path\n"
        "51712 0   0      4     9      8        /local/domain/0/backend/vbd/3/51712\n")


def test_network_list(xm, xend):
    xend.answers["device.list"] = {"devices": CARDS}
    assert xm.good("network-list", "g1") == (
        "Idx BE  Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path\n"
        "0   0   00:16:3e:00:00:02 0      4     10       768/769         /local/domain/0/backend/vif/3/0\n")


def test_uptime(xm, xend):
    xend.answers["domain.list"] = domains(DOMAIN0, domain("g1", 3, start_time=int(time.time()) - 93784), domain("xl", 4),
                                          domain("off", -1))
    header, dom0, g1, other = xm.good("uptime").splitlines()
    assert header == "Name                                ID Uptime"
    # As long as the host runs.
    assert re.fullmatch(r"Domain-0                             0 (\d+ days?, )?\d+:\d\d:\d\d", dom0)
    assert other == "xl                                   4 -"
    assert g1.startswith("g1                                   3 1 day, 2:03:0")


def test_uptime_in_short(xm, xend):
    xend.answers["domain.list"] = domains(domain("g1", 3, start_time=int(time.time()) - 93784), domain("off", -1))
    assert re.fullmatch(r" \d\d:\d\d:\d\d up 1 day, 2:03:0\d, g1 \(3\)\n", xm.good("uptime", "-s"))


def test_the_long_form_of_device_lists(xm, xend):
    xend.answers["device.list"] = {"devices": DISKS}
    text = xm.good("block-list", "-l", "g1")
    assert text.startswith("(vbd\n") and "    (devid 51712)\n" in text and "    (vdev xvda)\n" in text and "Vdev" not in text
    xend.answers["device.list"] = {"devices": CARDS}
    assert "    (mac 00:16:3e:00:00:02)\n" in xm.good("network-list", "--long", "g1")


TOPOLOGY = {"cpus": [{"cpu": 0, "core": 0, "socket": 0, "node": 0}, {"cpu": 1, "core": 1, "socket": 0, "node": 0}],
            "nodes": [{"node": 0, "memsize": 2048, "memfree": 900, "distances": [10, 20]}]}


def test_topology(xm, xend):
    xend.answers.update({"host.info": {}, "host.topology": TOPOLOGY})
    assert xm.good("info", "-n").split("xend_config_format     : \n")[1] == (
        "cpu_topology           :\ncpu:    core    socket     node\n"
        "  0:       0        0        0\n  1:       1        0        0\n"
        "numa_info              :\nnode:    memsize    memfree    distances\n"
        "   0:      2048        900      10,20\n")
    assert "cpu_topology" not in xm.good("info")


def test_cpupool_list(xm, xend):
    xend.answers["host.cpupools"] = {"pools": [{"id": 0, "name": "Pool-0", "cpus": [0, 1, 5], "scheduler": "credit", "domains": 12}]}
    assert xm.good("cpupool-list") == ("Name               CPUs   Sched     Active   Domain count\n"
                                       "Pool-0               3    credit       y         12\n")
    assert xm.good("cpupool-list", "-c", "Pool-0") == "Name               CPU list\nPool-0             0,1,5\n"
    assert "no pool of processors 'Pool-1'" in xm.fails("cpupool-list", "Pool-1")


def test_sched_credit2_says_which_scheduler_there_is(xm, xend):
    shares = [{"name": "g1", "id": 3, "weight": 256, "cap": 0}]
    xend.answers["sched.get"] = {"scheduler": "credit", "domains": shares}
    assert "This host's scheduler is credit, not credit2." in xm.fails("sched-credit2")
    assert "not credit2" in xm.fails("sched-credit2", "-d", "g1", "-w", "5")
    assert not any(method == "sched.set" for method, _ in xend.requests)
    xend.answers["sched.get"]["scheduler"] = "credit2"
    assert xm.good("sched-credit2").splitlines()[1].split() == ["g1", "3", "256", "0"]
    xend.answers["sched.set"] = {}
    xm.good("sched-credit2", "-d", "g1", "-w", "5")
    assert xend.requests[-1] == ("sched.set", {"domain": "g1", "weight": 5})


def test_only_triggers_that_work_are_offered(xm, xend):
    assert "s3resume" not in xm.good("help", "trigger")
    assert "'s3resume' is not a trigger" in xm.misused("trigger", "g1", "s3resume")


def test_names_ids_states(xm, xend):
    assert xm.good("domid", "g1") == "3\n"
    assert xm.good("domname", "3") == "g1\n"
    assert xm.good("domstate", "g1") == "idle\n"
    assert xm.good("domstate", "0") == "running\n"


@pytest.mark.parametrize("status,word", enumerate(["halted", "paused", None, "suspended", "shutdown", "crashed"]))
def test_domstate_of_others(xm, xend, status, word):
    xend.answers["domain.list"] = domains(domain("g", 1, status=status, state="------"))
    assert xm.good("domstate", "g") == (word or "running") + "\n"


def test_domid_of_a_domain_that_does_not_run(xm, xend):
    xend.answers["domain.list"] = domains(domain("g", -1, status=0))
    assert xm.fails("domid", "g") == "Error: Domain 'g' does not run: it has no ID.\n"


def test_texts_are_printed_as_they_are(xm, xend):
    xend.answers["host.dmesg"] = {"text": "(HV) line 1\n(HV) 100% line 2\n"}
    xend.answers["xend.log"] = {"text": "log\n"}
    assert xm.good("dmesg") == "(HV) line 1\n(HV) 100% line 2\n"
    assert xm.good("log") == "log\n"


JSON = {
    ("list",): ("domain.list", None), ("list", "-l"): ("domain.list", None), ("uptime",): ("domain.list", None),
    ("vcpu-list",): ("vcpu.list", VCPUS), ("sched-credit",): ("sched.get", SCHED), ("info",): ("host.info", {"nr_cpus": 2}),
    ("dmesg",): ("host.dmesg", {"text": "a\n/b"}), ("log",): ("xend.log", {"text": "x"}), ("top",): ("top.sample", TOP),
    ("block-list", "g1"): ("device.list", {"devices": DISKS}), ("network-list", "g1"): ("device.list", {"devices": CARDS}),
    ("domid", "g1"): ("domain.list", None), ("domname", "3"): ("domain.list", None), ("domstate", "g1"): ("domain.list", None),
}


@pytest.mark.parametrize("words", JSON, ids=" ".join)
def test_every_query_speaks_json(xm, xend, words):
    method, answer = JSON[words]
    if answer:
        xend.answers[method] = answer
    value = json.loads(xm.good(*words, "--json"))
    expected = {"domid": 3, "domname": "g1", "domstate": "idle"}.get(words[0], answer)
    if method == "device.list":
        expected = answer["devices"]
    if words[0] in ("list", "uptime"):
        expected = [DOMAIN0, domain("g1", 3)]
    assert value == expected


def test_devices_of_several_domains_are_one_document(xm, xend):
    xend.answers["device.list"] = {"devices": DISKS}
    value = json.loads(xm.good("block-list", "--json", "g1", "g2"))
    assert value == [{**disk, "domain": name} for name in ("g1", "g2") for disk in DISKS]


def test_top_in_batch(xm, xend):
    looks = iter(range(10))

    def sample(_params):
        n = next(looks)
        return {**TOP, "time_ns": n * 10 ** 9, "domains": [
            {"id": 0, "name": "Domain-0", "state": "r-----", "cpu_ns": n * 25 * 10 ** 7, "memory_kb": 1048576, "maxmem_kb": 2097152,
             "vcpus": [n * 25 * 10 ** 7], "net": [], "disk": []},
            {"id": 3, "name": "g 1", "state": "-b----", "cpu_ns": n * 10 ** 9, "memory_kb": 262144, "maxmem_kb": 262144,
             "vcpus": [n * 10 ** 9], "net": [{"devid": 0, "rx_bytes": n * 2048, "tx_bytes": n * 1024}],
             "disk": [{"devid": 51712, "read_sectors": n * 4, "write_sectors": n * 2}]}]}

    xend.answers["top.sample"] = sample
    lines = xm.good("top", "-b", "-i", "2", "-d", "0.1", "-v").splitlines()
    assert len(lines) == 10 and lines[:5] != lines[5:] and lines[0] == lines[5]
    assert lines[0].split()[:3] == ["NAME", "ID", "STATE"] and len(lines[0].split()) == 15
    assert lines[1].split() == ["g_1", "3", "-b----", "1.0", "100.0", "256", "12.5", "256", "1", "1", "2.0", "1.0", "1", "2.0", "1.0"]
    assert lines[2].split() == ["VCPU", "0", "1.0", "100.0"]
    assert lines[3].split()[4] == "25.0"
    by_name = xm.good("top", "-b", "-i", "1", "-d", "0.1", "-s", "name").splitlines()
    assert [line.split()[0] for line in by_name[1:]] == ["Domain-0", "g_1"]


def test_top_needs_a_terminal_unless_in_batch(xm, xend):
    assert "--batch" in xm.fails("top")
