# SPDX-License-Identifier: MIT
"""A Domain-0 that runs xend, and what tests ask of it over its socket.

TOOLSTACK=toolstack-san runs the sanitized programs (make SAN=1 toolstack)."""

import json
import os
import shlex

from dom0 import Dom0, Guest  # noqa: F401  (tests take Guest from here, too)

from lab.machine import MachineError

START = "xend --daemon"


class XendError(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class AnswerLost(MachineError):
    """xend-call ended well, which it does after it has printed an answer, and nothing came: Domain-0's fault, not xend's."""


def config_of(guest):
    """The JSON form of a guest's configuration: what xm makes of the file that Guest.lines() describes."""
    extra = f"console=hvc0 lab={guest.stage} {guest.words}"
    config = {"name": guest.name, "kernel": guest.kernel, "memory": guest.memory, "vcpus": guest.vcpus}
    if guest.ramdisk:
        config["ramdisk"] = guest.ramdisk
    if guest.maxmem:
        config["maxmem"] = guest.maxmem
    if guest.address:
        extra += f" lab.ip={guest.address}/24"
        last = int(guest.address.rsplit(".", 1)[1])
        config["vif"] = [{"mac": f"00:16:3e:00:00:{last:02x}", "bridge": "xenbr0"}]
    config["extra"] = extra
    config["disk"] = [disk(text) for text in guest.disks]
    return config


def disk(text):
    """"file:/data/a.img,xvda,w" as JSON."""
    kind, rest = text.split(":", 1)
    target, vdev, mode = rest.split(",")
    return {"type": kind, "target": target, "vdev": vdev, "mode": mode}


class XendDom0(Dom0):
    def __init__(self, name, **settings):
        toolstack = f"payload-{os.environ.get('TOOLSTACK', 'toolstack')}.cpio"
        settings.setdefault("payloads", ("payload.cpio", "payload-elf.cpio", toolstack))
        super().__init__(name, **settings)

    # -- the daemon

    def start_xend(self):
        self.sh(START, 60)

    def kill_xend(self):
        """As a fault would end it: with everything in the middle."""
        self.run("kill -9 $(cat /run/xend/xend.pid)")

    def xend_log(self):
        return self.sh("tail -n 200 /var/log/xen/xend.log")

    # -- requests

    def ask(self, method, timeout=60, **params):
        """The result of one request; XendError when it is an error."""
        rc, text = self.run(f"xend-call {method} {shlex.quote(json.dumps(params))}", timeout)
        lines = [line for line in text.splitlines() if line.startswith("{")]
        if rc == 0 and not text:
            raise AnswerLost(f"{self.name}: {method}: status 0, and no answer")
        assert lines, f"{method}: status {rc}, {text!r}"
        answer = json.loads(lines[-1])
        if "error" in answer:
            raise XendError(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    def make(self, guest, wait=True, timeout=180, **params):
        """domain.create, and (wait) until the guest's console says that it is up."""
        self.sh(f"rm -f /var/log/xen/console/guest-{guest.name}.log")
        result = self.ask("domain.create", timeout, config=config_of(guest), **params)
        if wait:
            self.wait_guest(guest.name, guest.ready, timeout)
        return result

    def all(self):
        """Name to domain.list's object."""
        return {d["name"]: d for d in self.ask("domain.list")["domains"]}

    def destroy_guests(self):
        for name, domain in self.all().items():
            if name != "Domain-0" and domain["id"] > 0:
                self.ask("domain.destroy", domain=name)

    # -- what a forgotten guest would leave a trace in

    def traces(self):
        return {
            "domains": sorted(self.domains()),
            "loops": self.sh("losetup -a"),
            "interfaces": self.sh("ls /sys/class/net | sort | tr '\\n' ' '"),
            "backends": self.sh("ls /sys/bus/xen-backend/devices"),
            "store": self.sh("xenstore-ls /local/domain | grep '^[0-9]'; xenstore-ls /vm | grep '^[^ ]'; "
                             "xenstore-ls /local/domain/0/backend | grep -v '^ *v[bi][df] = '; true"),
            "records": self.sh("ls /var/lib/xend/domains"),
            "workers": self.sh("ps | grep '[x]end-worker'; true"),
        }
