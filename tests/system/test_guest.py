# SPDX-License-Identifier: MIT
"""One guest with two vCPUs and a stock kernel (shared_guest.py): console, disks, and all that xl does to it.

What needs a second processor is in test_smp.py.
"""

import re
import time

import pytest

from dom0 import ESCAPE, Guest
from shared_guest import disk_keeps, g1, wait_until  # noqa: F401  (g1 is a fixture)

from lab.pc import Disk

MACHINE = dict(smp=1, mem=3072, dom0_mem=1536, disks=(Disk(mib=64),))


def test_stock_bzimage_boots_with_two_vcpus(dom0):
    dom0.create(Guest("stock", vcpus=2, kernel="/guest/vmlinuz"), timeout=180)
    assert dom0.guest("stock", "nproc") == "2"
    dom0.sh("xl destroy stock")


def test_guest_sees_processors_and_memory(dom0, g1):
    assert dom0.guest(g1, "cat /sys/devices/system/cpu/online") == "0-1"
    assert dom0.guest(g1, "cat /sys/hypervisor/type") == "xen"
    assert 180000 < int(dom0.guest(g1, "sed -n \"s/MemTotal: *\\([0-9]*\\).*/\\1/p\" /proc/meminfo")) < 262144


def test_console_in_and_out(dom0, g1):
    rc, text = dom0.converse(f"xl console {g1}", [
        ("", ""), ("echo console-$((40 + 2))\r", r"console-42"), (ESCAPE, "")])
    assert rc == 0, text


def test_disk_on_a_file_keeps_its_checksum(dom0, g1):
    disk_keeps(dom0, g1, "xvda", "/data/a.img")


def test_disk_on_a_block_device_keeps_its_checksum(dom0, g1):
    disk_keeps(dom0, g1, "xvdb", "/dev/vda")


def test_readonly_disk_reads_and_refuses_writes(dom0, g1):
    assert dom0.guest(g1, "md5sum </dev/xvdc", 120) == dom0.sh("md5sum </data/c.img", 120)
    assert dom0.guest(g1, "cat /sys/block/xvdc/ro") == "1"
    rc, _ = dom0.run(f"/lab/guest-run {g1} 30 'dd if=/dev/zero of=/dev/xvdc bs=4k count=1'")
    assert rc == 1


def test_rename(dom0, g1):
    dom0.sh("xl rename g1 other")
    assert "other" in dom0.domains() and "g1" not in dom0.domains()
    dom0.sh("xl rename other g1")
    assert "g1" in dom0.domains()


def test_memory_goes_down_and_up(dom0, g1):
    def total():
        return int(dom0.guest(g1, "sed -n \"s/MemTotal: *\\([0-9]*\\).*/\\1/p\" /proc/meminfo"))

    full, free = total(), dom0.settled_free_memory()
    dom0.sh("xl mem-set g1 192")
    wait_until(dom0, lambda d: d["g1"][1] == 192)
    assert full - total() > 60000
    assert dom0.settled_free_memory() - free >= 62
    dom0.sh("xl mem-set g1 256")
    wait_until(dom0, lambda d: d["g1"][1] == 256)
    assert abs(total() - full) < 1024


def test_sched_credit_weight_and_cap(dom0, g1):
    dom0.sh("xl sched-credit -d g1 -w 512 -c 50")
    assert re.search(r"^g1 +\d+ +512 +50", dom0.sh("xl sched-credit"), re.M)
    dom0.sh("xl sched-credit -d g1 -w 256 -c 0")
    assert re.search(r"^g1 +\d+ +256 +0", dom0.sh("xl sched-credit -d g1"), re.M)


def test_block_attach_and_detach(dom0, g1):
    dom0.sh("xl block-attach g1 format=raw,vdev=xvdf,access=rw,target=/data/extra.img")
    dom0.guest(g1, "for i in $(seq 100); do [ -b /dev/xvdf ] && break; usleep 100000; done; test -b /dev/xvdf")
    assert dom0.guest(g1, "md5sum </dev/xvdf", 120) == dom0.sh("md5sum </data/extra.img", 120)
    assert len(dom0.sh("xl block-list g1").splitlines()) == 5
    dom0.sh("xl block-detach g1 xvdf")
    dom0.guest(g1, "for i in $(seq 100); do [ -b /dev/xvdf ] || exit 0; usleep 100000; done; exit 1")
    assert "extra" not in dom0.sh("losetup -a")


def test_network_attach_and_detach(dom0, g1):
    dom0.sh("xl network-attach g1 mac=00:16:3e:00:01:02 bridge=xenbr0")
    dom0.guest(g1, "for i in $(seq 100); do [ -d /sys/class/net/eth1 ] && break; usleep 100000; done; "
               "ip addr add 10.77.0.22/24 dev eth1 && ip link set eth1 up")
    dom0.sh("for i in $(seq 20); do ping -c 1 -W 1 10.77.0.22 && exit_code=0 && break; done; ping -c 1 10.77.0.22")
    assert "00:16:3e:00:01:02" in dom0.sh("xl network-list g1")
    dom0.sh("xl network-detach g1 1")
    dom0.guest(g1, "for i in $(seq 100); do [ -d /sys/class/net/eth1 ] || exit 0; usleep 100000; done; exit 1")


def test_sysrq_arrives(dom0, g1):
    dom0.sh("xl sysrq g1 h")
    dom0.wait_guest(g1, "sysrq: HELP", 20)


def test_dump_core(dom0, g1):
    dom0.sh("xl dump-core g1 /data/core", 120)
    assert dom0.sh("head -c 4 /data/core | xxd -p") == "7f454c46"
    assert int(dom0.sh("stat -c %s /data/core")) > 250 << 20
    dom0.sh("rm /data/core")
    assert dom0.guest(g1, "echo alive") == "alive"


def test_reboot_makes_a_new_domain(dom0, g1):
    before = dom0.domains()[g1][0]
    ready = int(dom0.sh("grep -c LAB-AGENT /var/log/xen/console/guest-g1.log"))
    dom0.sh("xl reboot g1")
    dom0.wait_guest(g1, "LAB-AGENT", 120, ready + 1)
    assert dom0.domains()[g1][0] > before
    assert dom0.guest(g1, "nproc") == "2"


@pytest.mark.parametrize("cpuid", ['cpuid="host,avx=0"', 'cpuid=["0x1:ecx=xxx0xxxxxxxxxxxxxxxxxxxxxxxxxxxx"]'],
                         ids=["libxl", "xend"])
def test_features_that_a_guest_is_not_shown_are_gone_with_what_needs_them(dom0, cpuid):
    dom0.create(Guest("less", more=(cpuid,)))
    flags = dom0.guest("less", "grep -m1 ^flags /proc/cpuinfo").split()
    assert "xsave" in flags and not {"avx", "avx2", "fma", "f16c", "vaes"} & set(flags)
    assert "Enabled xstate features 0x3," in dom0.guest("less", "dmesg | grep xstate")
    dom0.sh("xl destroy less")


def test_save_checkpoint_leaves_the_guest_running(dom0, g1):
    """The xl that waits for the guest's end takes the suspension for it and exits (on Debian's Xen, too): from
    then on a shutdown or reboot has nobody to act on it. So this guest is not kept for other tests."""
    dom0.sh("xl save -c g1 /data/g1.save", 180)
    assert dom0.guest(g1, "echo alive") == "alive"
    dom0.sh("rm /data/g1.save; xl destroy g1")


def test_kernel_panic_stays_in_the_guest(dom0, g1):
    dom0.create(Guest("bad", vcpus=2, more=('on_crash="preserve"',)))
    dom0.run("/lab/guest-run bad 2 'echo c >/proc/sysrq-trigger'")
    dom0.sh("for i in $(seq 60); do xl list bad | grep -q -- 'c--\\|c-' && break; usleep 500000; done")
    state = dom0.domains()["bad"][3]
    assert "c" in state, state
    dom0.sh("xl destroy bad")
    assert dom0.guest(g1, "echo alive") == "alive"


def test_corrupt_kernel_is_refused(dom0):
    """A file that is no kernel, and a kernel cut short: xl says so, and nothing is left."""
    free = dom0.settled_free_memory()
    dom0.sh("head -c 100000 /dev/urandom >/data/noise; head -c 3000000 /guest/vmlinux >/data/short")
    for path in ("/data/noise", "/data/short"):
        dom0.write("/root/bad.cfg", Guest("bad", kernel=path).lines())
        rc, output = dom0.run("xl create -q /root/bad.cfg")
        assert rc and "libxl" in output
        assert "bad" not in dom0.domains()
    assert dom0.settled_free_memory(free) == free


def test_vcpu_list_and_top(dom0, g1):
    assert len(re.findall(r"^g1 +\d+ +[01] ", dom0.sh("xl vcpu-list"), re.M)) == 2
    top = dom0.sh("xentop -b -i 2 -d 1")
    rows = [line.split() for line in top.splitlines() if line.strip().startswith("g1 ")]
    assert len(rows) == 2 and float(rows[1][2]) > 0, top
    assert "Domain-0" in top


def test_dmesg_and_debug_keys(dom0, g1):
    assert int(dom0.sh("xl dmesg | wc -l")) > 20
    start = len(dom0.text)
    dom0.sh("xl debug-keys h")
    time.sleep(1)
    dom0.sh("true")
    assert len(dom0.text) - start > 150, "a debug key prints something on the console"


def test_dmesg_is_the_hypervisors_own(dom0):
    """Domain-0's output is in no log of the hypervisor's, so the lines of boot are still there."""
    dom0.sh("echo said-$((41 + 1))")
    assert dom0.sh("xl dmesg | grep -c said-42; true") == "0"
    assert int(dom0.sh("xl dmesg | head -30 | grep -c 'Xenolith\\|Xen version'")) > 0


def test_guests_write_to_a_log_of_their_own(dom0):
    """What a guest's kernel says by earlyprintk=xen. Debian's Xen refuses it that; on ours a debug key shows it."""
    dom0.create(Guest("early", words="earlyprintk=xen"), timeout=180)
    dom0.sh("xl destroy early")
    lines = "xl dmesg | grep -c 'd[0-9]*: \\[ .*[0-9]\\] '; true"
    assert dom0.sh(lines) == "0"
    if dom0.pc.hv != "xen":
        dom0.sh("xl debug-keys G")
        assert int(dom0.sh(lines)) > 20


def test_uptime_and_info(dom0, g1):
    assert "g1" in dom0.sh("xl uptime")
    assert re.search(r"^xen_caps +: xen-3.0-x86_64", dom0.sh("xl info"), re.M)
    assert "nr_cpus                : 1" in dom0.sh("xl info")


def test_shutdown_frees_everything(dom0, g1):
    dom0.sh("xl shutdown -w g1", 120)
    wait_until(dom0, lambda d: list(d) == ["Domain-0"])
    assert dom0.sh("losetup -a") == ""
    assert "vif" not in dom0.sh("ls /sys/class/net")


def test_destroy_frees_memory(dom0, g1):
    before = dom0.settled_free_memory()
    dom0.sh("xl destroy g1")
    assert "g1" not in dom0.domains()
    assert dom0.settled_free_memory(before + 256) >= before + 255
