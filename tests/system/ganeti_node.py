# SPDX-License-Identifier: MIT
"""Run as a program: a node of Ganeti 3.0, as far as it calls xm. Debian's unmodified classes for Xen, in Debian's own directories.

Its arguments are the root of the unpacked packages, and a directory for what Ganeti writes. Each line that it reads is a JSON list:
a step of this file and its arguments. It answers each with a line: [true, result] or [false, what Ganeti says]."""

import json
import sys
from pathlib import Path

ROOT, OWN = map(Path, sys.argv[1:])
# The directory of this file has another module of that name.
sys.path[:1] = [str(ROOT / "usr/share/ganeti/3.0"), str(ROOT / "usr/lib/python3/dist-packages")]
from ganeti import constants, errors, objects, pathutils  # noqa: E402
from ganeti.hypervisor import hv_xen  # noqa: E402

PARAMS = {**constants.HVC_DEFAULTS[constants.HT_XEN_PVM], "xen_cmd": "xm", "kernel_path": "/boot/vmlinuz", "initrd_path": "", "cpu_mask": "0-1"}
pathutils.LOG_XEN_DIR = str(OWN)
for kind in (hv_xen.XenHypervisor, hv_xen.XenPvmHypervisor):
    kind._NICS_DIR = str(OWN / "nic")
    kind._DIRS = [str(OWN / "nic")]
    kind.REBOOT_RETRY_INTERVAL, kind.REBOOT_RETRY_COUNT = 0.1, 5
node = hv_xen.XenPvmHypervisor(_cfgdir=str(OWN))


def instance(name):
    nic = objects.NIC(mac="aa:00:00:11:22:33", name=None, uuid="n", ip="192.0.2.7", netinfo=None,
                      nicparams={"mode": "bridged", "link": "xenbr0", "vlan": ""})
    return objects.Instance(name=name, hypervisor=constants.HT_XEN_PVM, hvparams=PARAMS, nics=[nic], tags=[],
                            beparams={"maxmem": 512, "minmem": 256, "vcpus": 2, "memory": 512})


def start(name, path):
    disk = objects.Disk(mode="rw", dev_type=constants.DT_FILE, logical_id=("loop", path), size=1024)
    node.StartInstance(instance(name), [(disk, path, None)], False)


STEPS = {
    "verify": lambda: node.Verify(hvparams=PARAMS),
    "node": lambda: node.GetNodeInfo(hvparams=PARAMS),
    "list": lambda: [[name, number, mib, vcpus, str(state), seconds]
                     for name, number, mib, vcpus, state, seconds in node.GetAllInstancesInfo(hvparams=PARAMS)],
    "running": lambda: node.ListInstances(hvparams=PARAMS),
    "start": start,
    "stop": lambda name: node.StopInstance(instance(name)),
    "reboot": lambda name: node.RebootInstance(instance(name)),
    "memory": lambda name, mib: node.BalloonInstanceMemory(instance(name), mib),
}


def main():
    for line in sys.stdin:
        step, *words = json.loads(line)
        try:
            answer = [True, STEPS[step](*words)]
        except errors.GenericError as error:
            answer = [False, str(error)]
        print(json.dumps(answer), flush=True)


main()
