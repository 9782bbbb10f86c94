# SPDX-License-Identifier: MIT
"""A Domain-0 whose tests run xend-worker by itself, without xend (tests/system/tools/worker-driver.c)."""

import json

from dom0 import Dom0


class WorkerDom0(Dom0):
    def configure(self, name, **config):
        """Writes a configuration as xend hands it to the worker; returns its path."""
        settings = {"name": name, "kernel": "/guest/vmlinux", "ramdisk": "/guest/initrd", "memory": 192,
                    "vcpus": 2, "extra": "console=hvc0 lab=agent quiet"}
        settings.update(config)
        self.sh(f"rm -f /var/log/xen/console/guest-{name}.log")
        self.write(f"/root/{name}.json", [json.dumps({k: v for k, v in settings.items() if v is not None})])
        return f"/root/{name}.json"

    def drive(self, command, timeout=120):
        """worker-driver's standard output, and the worker's result."""
        output = self.sh(f"worker-driver {command} 2>/tmp/said || {{ tail -3 /tmp/said; false; }}", timeout)
        said = self.sh("grep '^{' /tmp/said | tail -1")
        return output.strip(), json.loads(said)["result"]

    def fails(self, command, timeout=120):
        """The worker's error."""
        rc, _ = self.run(f"worker-driver {command} >/dev/null 2>/tmp/said", timeout)
        assert rc != 0
        return json.loads(self.sh("grep '^{\"error' /tmp/said"))["error"]

    def boot(self, name, wait=True, **config):
        """The id of a running guest, and the worker's result."""
        path = self.configure(name, **config)
        domid, result = self.drive(f"create {name} 2 {path}", 180)
        if wait:
            self.wait_guest(name)
        return int(domid), result
