# SPDX-License-Identifier: MIT
"""xend-worker alone, without xend: kernels of every kind, hostile ones, and images that go to xl and back."""

import re

import pytest

from dom0 import Guest
from worker import WorkerDom0

from lab.machine import MachineError

MACHINE = dict(smp=1, mem=2560, dom0_mem=1280,
               payloads=("payload.cpio", "payload-elf.cpio", "payload-cloud.cpio", "payload-grub.cpio",
                         "payload-toolstack.cpio"))
CACHE = "/var/cache/xenolith/kernels"


KIND = WorkerDom0


@pytest.fixture
def host(dom0):
    yield dom0
    dom0.destroy_all()
    dom0.run("umount /small; rm -f /data/*")


def expect_alive(host, name):
    assert host.guest(name, "cat /tmp/mark; nproc").split() == ["marked", "2"]


def mark(host, name):
    host.guest(name, "echo marked >/tmp/mark")


# -- kernels


def test_a_bzimage_is_unpacked_once(host):
    host.sh(f"rm -rf {CACHE}")
    _, result = host.boot("cold", kernel="/guest/vmlinuz")
    assert not result["cached"] and result["guest_os"] == "linux"
    host.sh("xl destroy cold")
    _, result = host.boot("warm", kernel="/guest/vmlinuz", wait=False)
    assert result["cached"]
    host.sh("cp /guest/vmlinuz /data/copy")
    _, result = host.boot("copy", kernel="/data/copy")
    assert result["cached"]


def test_a_full_cache_costs_time_only(host):
    host.sh(f"rm -rf {CACHE}; mkdir -p -m 700 {CACHE} && mount -t tmpfs -o size=8M,mode=700 cache {CACHE}")
    _, result = host.boot("full", kernel="/guest/vmlinuz")
    left = host.sh(f"ls {CACHE}; umount {CACHE}")
    assert not result["cached"] and left == ""


def test_other_kernels_run(host):
    host.boot("elf")
    host.boot("cloud", kernel="/guest/vmlinuz-cloud")


def test_grub_as_kernel_runs(host):
    host.boot("grub", kernel="/guest/grub-xen", ramdisk=None, extra=None, wait=False)
    host.wait_guest("grub", "grub", 60)


def test_a_hostile_kernel_costs_an_error_message(host):
    host.sh("dd if=/dev/urandom of=/data/noise bs=1M count=1 2>/dev/null")
    assert "neither a bzImage nor an ELF file" in host.fails(f"create bad 1 {host.configure('bad', kernel='/data/noise')}")
    # The stock kernel with its compressed part overwritten in the middle, and one that ends there.
    host.sh("cp /guest/vmlinuz /data/broken; "
            "dd if=/data/noise of=/data/broken bs=1k seek=3000 count=8 conv=notrunc 2>/dev/null")
    assert "damaged" in host.fails(f"create bad 1 {host.configure('bad', kernel='/data/broken')}")
    host.sh("head -c 4000000 /guest/vmlinuz >/data/short")
    assert "cut off" in host.fails(f"create bad 1 {host.configure('bad', kernel='/data/short')}")
    assert "No such file" in host.fails(f"create bad 1 {host.configure('bad', kernel='/none')}")
    assert list(host.domains()) == ["Domain-0"]
    assert "xend-worker" not in host.sh("ps")


def test_too_little_memory_says_how_much_it_takes(host):
    assert re.search(r"give it at least \d+ MiB", host.fails(f"create small 2 {host.configure('small', memory=40)}"))
    free = host.settled_free_memory()
    assert re.search(r"needs 100000 MiB, .*\d+ MiB are free",
                     host.fails(f"create large 2 {host.configure('large', memory=100000)}"))
    assert host.settled_free_memory(free) == free


# -- images


def test_save_and_restore(host):
    domid, _ = host.boot("g")
    mark(host, "g")
    host.drive(f"checkpoint {domid} /data/ck")
    expect_alive(host, "g")
    host.drive(f"save {domid} /data/img")
    assert "g" not in host.domains()
    host.drive("restore g 2 /data/img /root/g.json")
    expect_alive(host, "g")
    # And once more: what was restored can be saved.
    domid = host.domains()["g"][0]
    host.drive(f"save {domid} /data/img")
    host.drive("restore g 2 /data/img /root/g.json")
    expect_alive(host, "g")


def test_a_guest_that_gave_memory_back_is_restored_without_it(host):
    domid, _ = host.boot("g")
    mark(host, "g")
    host.sh("xenstore-write /local/domain/%d/memory/target %d" % (domid, 128 * 1024))
    host.sh("for i in $(seq 100); do [ $(xl list g | awk 'NR==2 {print $3}') -le 130 ] && break; usleep 100000; done")
    pages = host.domains()["g"][1]
    host.drive(f"save {domid} /data/img")
    host.drive("restore g 2 /data/img /root/g.json")
    expect_alive(host, "g")
    assert abs(host.domains()["g"][1] - pages) <= 1


def test_a_full_disk_leaves_the_guest_running(host):
    domid, _ = host.boot("g")
    mark(host, "g")
    host.sh("mkdir -p /small && mount -t tmpfs -o size=8M small /small")
    assert "no space left" in host.fails(f"checkpoint {domid} /small/img")
    expect_alive(host, "g")


def test_the_worker_is_limited_and_the_first_to_go(host):
    domid, _ = host.boot("g")
    mark(host, "g")
    # One that nobody reads: the worker stands still in the middle of its work.
    host.sh("mkfifo /data/fifo; (exec sleep 600 </data/fifo) & echo $! >/tmp/reader; "
            f"worker-driver checkpoint {domid} /data/fifo >/dev/null 2>/tmp/said & sleep 5")
    assert host.sh("cat /proc/$(pidof xend-worker)/oom_score_adj") == "1000"
    limit = host.sh("sed -n 's/^Max address space *\\([0-9a-z]*\\) .*/\\1/p' /proc/$(pidof xend-worker)/limits")
    assert int(limit) < 200 << 20
    host.sh("kill $(cat /tmp/reader); for i in $(seq 50); do pidof xend-worker >/dev/null || break; usleep 200000; done")
    expect_alive(host, "g")


def test_a_damaged_image_is_refused(host):
    domid, _ = host.boot("g")
    host.drive(f"save {domid} /data/img")
    host.sh("head -c 1000000 /data/img >/data/cut")
    assert "it ends too early" in host.fails("restore g 2 /data/cut /root/g.json")
    host.sh("head -c 40 /data/img >/data/noise; dd if=/dev/urandom bs=1k count=64 2>/dev/null >>/data/noise")
    assert "cannot be restored" in host.fails("restore g 2 /data/noise /root/g.json")
    host.drive("restore g 2 /data/img /root/g.json")
    host.guest("g", "echo alive")


def test_images_go_to_xl_and_come_from_it(host):
    host.create(Guest("x", vcpus=2))
    mark(host, "x")
    host.sh("xl save x /data/xl", 120)
    host.configure("x")
    host.drive("restore x 2 /data/xl /root/x.json")
    expect_alive(host, "x")
    domid = host.domains()["x"][0]
    host.drive(f"save {domid} /data/ours")
    host.sh("worker-driver splice /data/xl /data/ours /data/both; rm /data/xl /data/ours")
    host.sh("xl restore /data/both", 120)
    try:
        expect_alive(host, "x")
    except MachineError:
        print(host.console("x"))
        raise
