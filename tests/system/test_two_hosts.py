# SPDX-License-Identifier: MIT
"""Two machines with a cable between them and a disk that both have, as hosts of a cluster do."""

import pytest

from dom0 import Dom0

from lab.pc import Disk, cable


@pytest.mark.one_processor
def test_two_hosts_reach_each_other_and_one_disk(lab, hv, tmp_path):
    disk = Disk(tmp_path / "shared.img", shared=True)
    disk.path.write_bytes(bytes(8 << 20))
    settings = dict(smp=1, mem=1024, dom0_mem=512, payloads=())
    hosts = [Dom0(f"host{number}-{hv}", disks=(disk,), nics=(nic,), **settings) for number, nic in enumerate(cable(tmp_path))]
    with hosts[0], hosts[1]:  # both boot at once
        for number, host in enumerate(hosts):
            host.wait_ready(180)
            host.sh(f"ip addr add 10.0.0.{number + 1}/24 dev eth0 && ip link set eth0 up")
        assert " 0% packet loss" in hosts[0].sh("ping -s 8000 -c 5 10.0.0.2")
        assert " 0% packet loss" in hosts[1].sh("ping -c 5 10.0.0.1")
        hosts[0].sh("echo from-host0 | dd of=/dev/vda bs=512 conv=sync,fsync")
        assert hosts[1].sh("head -n 1 /dev/vda") == "from-host0"
