# SPDX-License-Identifier: MIT
"""Domain-0 alone: numbers of processors, sizes of memory, machines, disks, network cards, the end."""

import subprocess

import pytest

from dom0 import Dom0

from lab import ROOT
from lab.images.cpio import Archive
from lab.pc import Disk, Nic

# processors, Domain-0's vCPUs, pinned or not, MiB, its MiB, machine, disk, network card. The first two have each value once.
SHAPES = [
    pytest.param(1, 1, "", 2048, 768, "pc", "virtio", "virtio", marks=pytest.mark.one_processor),
    (8, 4, "dom0_vcpus_pin", 16384, 2048, "q35", "ahci", "e1000"),
    pytest.param(2, 2, "dom0_vcpus_pin", 4096, 2048, "q35", "ahci", "e1000", marks=pytest.mark.long),
    pytest.param(8, 4, "dom0_vcpus_pin", 2048, 1024, "q35", "virtio", "virtio", marks=pytest.mark.long),
    pytest.param(8, 2, "", 16384, 1024, "pc", "ahci", "e1000", marks=pytest.mark.long),
]


@pytest.fixture(scope="module")
def ioperm(lab, tmp_path_factory):
    """The payload with tools/ioperm.c."""
    program = tmp_path_factory.mktemp("ioperm") / "ioperm"
    subprocess.run(["gcc", "-O2", "-Wall", "-static", "-o", program, ROOT / "tests/system/tools/ioperm.c"], check=True)
    archive = Archive(lab / "payload-ioperm.cpio")
    archive.copy("bin/ioperm", program)
    archive.close()
    return "payload-ioperm.cpio"


@pytest.mark.parametrize("smp,vcpus,pin,mem,dom0_mem,machine,disk,nic", SHAPES)
def test_domain0_runs_with_devices(lab, hv, ioperm, smp, vcpus, pin, mem, dom0_mem, machine, disk, nic):
    name = f"boot-{machine}-{smp}cpu-{mem}"
    with Dom0(name, smp=smp, dom0_vcpus=vcpus, mem=mem, dom0_mem=dom0_mem, machine=machine,
              disks=(Disk(interface=disk, mib=64),), nics=(Nic(nic),), payloads=(ioperm,), kernel=lab / "vmlinuz-stock",
              # Not to touch all of the host's memory.
              hv_append=pin + (" bootscrub=0" if hv == "xen" else "")) as dom0:
        dom0.wait_ready(240)
        assert dom0.sh("nproc") == str(vcpus)
        assert dom0.info("nr_cpus") == smp
        assert abs(dom0.info("total_memory") - mem) < 64
        assert dom0.domains()["Domain-0"][1:3] == (dom0_mem, vcpus)
        # Its tables are made for what it may have, not for all of the host.
        assert dom0.sh(r"dmesg | sed -n 's/.* Memory: [0-9]*K.\([0-9]*\)K avail.*/\1/p'") == str(dom0_mem * 1024 - 4)
        affinities = [line.split()[6] for line in dom0.sh("xl vcpu-list").splitlines()[1:]]
        assert affinities == ([str(cpu) for cpu in range(vcpus)] if pin else ["all"] * vcpus)
        check_wake_ups(dom0, vcpus)
        check_disk(dom0, "/dev/vda" if disk == "virtio" else "/dev/sda")
        check_network(dom0)
        # A process gets the ports that it asks for: the bitmap lies in the kernel's memory, which the process's own page tables
        # do not map.
        dom0.sh("ioperm")
        end, seen = ("reboot -f", "guest-reset") if machine == "q35" else ("poweroff -f", "guest-shutdown")
        assert dom0.finish(end, 60) == seen


def check_wake_ups(dom0, vcpus):
    """Each vCPU blocks and is woken by its timer some hundred times, all of them at once."""
    dom0.sh("ip link set lo up")
    ping = "ping -q -c 300 -i 0.01 127.0.0.1"
    dom0.sh(f"for cpu in $(seq 0 {vcpus - 1}); do taskset -c $cpu {ping} & done; wait", 120)


def check_disk(dom0, device):
    """Write, forget, read back, compare."""
    dom0.sh(f"for i in $(seq 50); do [ -b {device} ] && break; usleep 100000; done; test -b {device}")
    dom0.sh("dd if=/dev/urandom of=/tmp/data bs=1M count=16 2>/dev/null")
    dom0.sh(f"dd if=/tmp/data of={device} bs=1M seek=3 conv=fsync 2>/dev/null", 120)
    dom0.sh(f"blockdev --flushbufs {device}; echo 3 >/proc/sys/vm/drop_caches")
    dom0.sh(f"dd if={device} bs=1M skip=3 count=16 2>/dev/null | cmp - /tmp/data", 120)


def check_network(dom0):
    """The gateway of QEMU's user network answers."""
    dom0.sh("ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up")
    dom0.sh("for i in $(seq 20); do ping -c 1 -W 1 10.0.2.2 && break; done; ping -c 5 10.0.2.2", 60)
    assert " 0% packet loss" in dom0.sh("ping -s 1400 -c 5 10.0.2.2")


@pytest.mark.one_processor
@pytest.mark.parametrize("damage", ["truncated", "garbage", "missing"])
def test_unusable_kernel_gives_one_clear_line(lab, tmp_path, damage):
    """No reset loop, no silence: the hypervisor says it and stays, or ends the machine."""
    kernel = tmp_path / "kernel"
    whole = (lab / "vmlinuz-stock").read_bytes()
    kernel.write_bytes({"truncated": whole[:1 << 20], "garbage": b"\xaa" * (1 << 20),
                        "missing": b""}[damage])
    with Dom0(f"boot-{damage}", smp=1, payloads=(), kernel=kernel, stage="shell0") as dom0:
        dom0.allow_death = True
        dom0.expect(r"(?i)panic|fatal|cannot|could not|no (usable )?(kernel|dom)", 60)
        assert dom0.end_reason() != "triple-fault"
        assert "LAB-INIT-REACHED" not in dom0.text
