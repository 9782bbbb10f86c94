# SPDX-License-Identifier: MIT
"""`xm doctor` on systems below a directory: each has one fault, and the command that mends it."""

import json
import socket

import pytest

SERVICES = "etc/systemd/system/multi-user.target.wants"
GOOD = {
    "sys/hypervisor/type": "xen\n", "sys/hypervisor/version/major": "4\n", "sys/hypervisor/version/minor": "17\n",
    "sys/hypervisor/version/extra": ".0-xenolith\n", "sys/hypervisor/properties/changeset": "xenolith 0.1\n",
    "proc/xen/capabilities": "control_d\n", "proc/meminfo": "MemTotal:  2000000 kB\nMemAvailable: 900000 kB\n",
    "dev/xen/evtchn": "", "dev/xen/privcmd": "", "dev/xen/gntdev": "",
    "sys/bus/xen-backend/drivers/vbd/bind": "", "sys/bus/xen-backend/drivers/vif/bind": "",
    "sys/class/net/xenbr0/bridge/bridge_id": "", "sys/class/net/eth0/address": "",
    "etc/init.d/xen": "", "usr/libexec/xen-qemu-system-i386": "",
    "run/systemd/system/x": "", f"{SERVICES}/xend.service": "", f"{SERVICES}/xenolith-guests.service": "",
}
HOST = {"hw_caps": "178bfbff:f6d83203:2e500800:000001f7:0000000f:219c07a9:0040060c:00000100", "virt_caps": "pv",
        "free_memory": 512, "cpu_faults": "none"}
PLAIN_LINUX = ("sys/hypervisor/type", "proc/xen/capabilities")


@pytest.fixture
def doctor(xm, xend, tmp_path):
    """Runs xm doctor on a good system without some of its files and with others; a Doctor of what it found."""
    root = tmp_path / "root"
    xend.answers["host.info"] = dict(HOST)
    (root / "run/xenstored").mkdir(parents=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(root / "run/xenstored/socket"))
    listener.listen()

    def run(*options, without=(), files=None, links=None):
        for name, text in {**GOOD, **(files or {})}.items():
            path = root / name
            if any(name.startswith(gone) for gone in without):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for name, target in (links or {}).items():
            (root / name).symlink_to(target)
        return xm("doctor", "--root", root, *options)

    yield run
    listener.close()


def findings(done):
    answer = json.loads(done.out)
    return {(f["check"], f["level"]): f for f in answer["checks"]}


def test_a_machine_that_lacks_nothing(doctor):
    done = doctor()
    lines = done.out.splitlines()
    assert done.status == 0 and done.err == ""
    assert lines[0] == "ok      hypervisor  Xenolith 0.1, with Xen's interface 4.17; this is its Domain-0."
    assert "ok      memory      Domain-0 has 1953 MiB, and 878 of them to spare; 512 MiB of the host are free for guests." in lines
    assert "ok      processor   it has svm, which this hypervisor does not use: paravirtualized guests run, " \
           "unmodified systems do not." in lines
    assert all(line.startswith("ok ") for line in lines), done.out


def test_json_has_the_same(doctor):
    answer = json.loads(doctor("--json", without=["usr/libexec"]).out)
    assert (answer["faults"], answer["advice"]) == (0, 1)
    assert {"check": "xend", "level": "ok", "text": "it runs"} in answer["checks"]


def test_drivers_that_come_with_the_first_guest(doctor):
    """On a host that has just booted nobody has asked for the drivers of disks and network interfaces: udev loads them then."""
    without = ["sys/bus/xen-backend"]
    modules = {"proc/sys/kernel/osrelease": "6.1.0-9-amd64\n", "run/udev/control": "",
               "lib/modules/6.1.0-9-amd64/modules.dep": "kernel/fs/xfs/xfs.ko: kernel/lib/libcrc32c.ko\n"
               "kernel/drivers/block/xen-blkback/xen-blkback.ko:\nkernel/drivers/net/xen-netback/xen-netback.ko.xz:\n"}
    assert ("drivers", "ok") in findings(doctor("--json", without=without, files=modules))


def test_drivers_that_do_not_come_by_themselves(doctor):
    """There is no udev; the kernel has no such module, but one with a longer name."""
    modules = {"proc/sys/kernel/osrelease": "6.1.0-9-amd64\n",
               "lib/modules/6.1.0-9-amd64/modules.dep": "kernel/my-xen-blkback.ko:\nkernel/xen-netback.ko:\n"}
    without = ["sys/bus/xen-backend"]
    text = "Domain-0's kernel lacks {}, which {} need"
    found = findings(doctor("--json", without=without, files=modules))["drivers", "fault"]
    assert found["text"] == text.format("xen-blkback xen-netback", "disks, network interfaces")
    found = findings(doctor("--json", without=without, files={**modules, "run/udev/control": ""}))["drivers", "fault"]
    assert found["text"] == text.format("xen-blkback", "disks")


# What is taken away; what is found then, and the first command that mends it.
@pytest.mark.parametrize("without, check, level, text, mend", [
    (PLAIN_LINUX, "hypervisor", "fault", "no hypervisor: this Linux has the machine to itself, and Xenolith's hypervisor is not "
     "installed. No archive has its packages; 'make deb' in its sources builds them", "apt-get install ./xenolith*.deb\nreboot"),
    (["proc/xen"], "hypervisor", "fault", "/proc/xen is not mounted, so programs do not see the hypervisor",
     "mount -t xenfs xenfs /proc/xen"),
    (["dev/xen/gntdev", "sys/bus/xen-backend/drivers/vif"], "drivers", "fault",
     "Domain-0's kernel lacks xen-gntdev xen-netback, which consoles and QEMU, network interfaces need",
     "modprobe -a xen-gntdev xen-netback\nprintf '%s\\n' xen-gntdev xen-netback >>/etc/modules-load.d/xenolith.conf"),
    (["sys/class/net/xenbr0"], "bridge", "advice", "there is no bridge, so guests have no network", "xm network-setup"),
    (["usr/libexec"], "qemu", "advice", "QEMU for Xen is not installed: no qcow2 and vhd images, no screens",
     "apt-get install qemu-system-xen"),
    (["etc/init.d/xen", *PLAIN_LINUX], "xenstored", "fault", "it is not installed; xend and guests' drivers talk through it",
     "apt-get install xen-utils-4.17"),
    ([f"{SERVICES}/xend"], "xend", "advice", "it runs, but does not start with the host", "systemctl enable --now xend"),
    (["run/systemd"], "xend", "advice", "it runs, but does not start with the host", "update-rc.d xend defaults"),
    ([f"{SERVICES}/xenolith"], "guests", "advice", "nothing starts guests with the host, or ends them properly",
     "systemctl enable --now xenolith-guests"),
])
def test_what_is_missing(doctor, without, check, level, text, mend):
    done = doctor("--json", without=without)
    found = findings(done)[check, level]
    assert (found["text"], found["mend"]) == (text, mend)
    assert done.status == (level == "fault")


@pytest.mark.parametrize("files, check, level, text", [
    ({"boot/xenolith-0.1.gz": "", "sys/hypervisor/type": ""}, "hypervisor", "fault",
     "no hypervisor: this Linux has the machine to itself; xenolith-0.1.gz is installed, and runs from the next boot if "
     "the boot menu chooses it"),
    ({"sys/hypervisor/properties/changeset": "\n", "sys/hypervisor/version/extra": ".5\n"}, "hypervisor", "advice",
     "this is the Domain-0 of Xen 4.17.5, and Xenolith's hypervisor is not installed. No archive has its "
     "packages; 'make deb' in its sources builds them"),
    ({"proc/xen/capabilities": "\n"}, "hypervisor", "fault",
     "this is a guest: guests are managed in Domain-0, the host's own system"),
    ({"proc/meminfo": "MemTotal: 300000 kB\nMemAvailable: 200000 kB\n"}, "memory", "advice",
     "Domain-0 has only 292 MiB; 512 MiB of the host are free for guests; dom0_mem should be 512M at least"),
    ({"proc/meminfo": "MemTotal: 300000 kB\nMemAvailable: 20000 kB\n"}, "memory", "fault",
     "Domain-0 has only 19 of its 292 MiB left; 512 MiB of the host are free for guests; dom0_mem in "
     "/etc/default/grub.d/xenolith.cfg, then update-grub and a reboot, give it more"),
    ({"etc/init.d/xendomains": ""}, "guests", "advice",
     "xendomains starts and ends the guests of /etc/xen/auto by xl, beside xenolith-guests"),
    ({"usr/sbin/libvirtd": ""}, "libvirt", "advice", "its driver for Xen is missing, so it sees no guests"),
    ({"etc/xen/xend-config.sxp": "(default-bridge lan)\n"}, "bridge", "advice",
     "lan, which interfaces use that name no bridge, does not exist; there is xenbr0, which vif = [ \"bridge=NAME\" ] or "
     "default-bridge in /etc/xen/xend-config.sxp may name"),
])
def test_what_is_not_as_it_should_be(doctor, files, check, level, text):
    assert findings(doctor("--json", files=files))[check, level]["text"] == text


@pytest.mark.parametrize("directory", ["etc", "lib", "usr/lib"])
def test_xendomains_may_be_masked(doctor, directory):
    done = doctor("--json", files={"etc/init.d/xendomains": "", f"{directory}/systemd/system/x": ""},
                  links={f"{directory}/systemd/system/xendomains.service": "/dev/null"})
    assert ("guests", "ok") in findings(done)


@pytest.mark.parametrize("host, level, text", [
    ({"virt_caps": "pv hvm hap"}, "ok", "svm is in use: paravirtualized guests and unmodified systems run"),
    ({"hw_caps": "bfebfbff:77faf3ff:2c100800:00000121"}, "ok",
     "it has vmx, which this hypervisor does not use: paravirtualized guests run, unmodified systems do not"),
    ({"hw_caps": "178bfbff:f6d83203:2e500800:00000001"}, "ok",
     "neither svm nor vmx (or the firmware has it switched off): paravirtualized guests run, unmodified systems do not"),
    ({"hw_caps": ""}, "ok",
     "neither svm nor vmx (or the firmware has it switched off): paravirtualized guests run, unmodified systems do not"),
    ({"cpu_faults": "meltdown l1tf"}, "advice",
     "nothing guards against these faults of it: meltdown l1tf; run no strangers' guests"),
])
def test_processors(doctor, xend, host, level, text):
    xend.answers["host.info"] = {**HOST, **host}
    assert findings(doctor("--json"))["processor", level]["text"] == text


@pytest.mark.parametrize("flags, text", [
    ("fpu vmx sse", "it has vmx"), ("fpu svm", "it has svm"),
    ("fpu vmxx asvm svm_lock", "neither svm nor vmx (or the firmware has it switched off): paravirtualized guests run, "
                               "unmodified systems do not"),
])
def test_processors_before_the_first_boot(doctor, flags, text):
    done = doctor("--json", without=PLAIN_LINUX, files={"proc/cpuinfo": f"processor : 0\nflags\t\t: {flags}\n"})
    assert findings(done)["processor", "ok"]["text"] == text


def test_xend_that_does_not_run(doctor, xm):
    xm.env["XEND_SOCKET"] = str(xm.directory / "nobody")
    found = findings(doctor("--json"))
    assert found["xend", "fault"]["mend"] == "service xend start"
    assert found["processor", "ok"]["text"] == "what it can do is not known until xend runs"


def test_xend_that_hangs_does_not_hang_the_doctor(doctor, xm, tmp_path):
    path = tmp_path / "deaf"
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(path))
        deaf.listen()
        xm.env["XEND_SOCKET"] = str(path)
        found = findings(doctor("--json"))
    assert found["xend", "fault"]["text"] == "it runs, but has not answered for 5 seconds; a restart touches no guest"


def test_xenstored_that_does_not_run(doctor, tmp_path):
    (tmp_path / "root/run/xenstored/socket").unlink()
    assert findings(doctor("--json"))["xenstored", "fault"]["mend"] == "service xen start"


def test_a_login_sees_a_line_only_if_something_is_wrong(doctor):
    done = doctor("--brief", without=["dev/xen/gntdev", "usr/libexec"])
    assert done.out == "Xenolith: something is wrong with drivers; `xm doctor' says how to mend it.\n"


def test_a_login_sees_nothing_for_advice(doctor):
    done = doctor("--brief", without=["usr/libexec"])
    assert (done.status, done.out, done.err) == (0, "", "")


def test_commands_stand_below_what_they_mend(doctor):
    lines = doctor(without=["usr/libexec"]).out.splitlines()
    at = lines.index("advice  qemu        QEMU for Xen is not installed: no qcow2 and vhd images, no screens.")
    assert lines[at + 1].strip() == "# apt-get install qemu-system-xen"


def test_links_of_system_v_start_services_without_systemd(doctor):
    done = doctor("--json", without=["run/systemd", SERVICES], links={"etc/rc2.d/S02xend": "../init.d/xend"},
                  files={"etc/rc2.d/S01x": "", "etc/init.d/xend": ""})
    assert ("xend", "ok") in findings(done) and ("guests", "advice") in findings(done)


def test_xendomains_beside_ours_without_systemd(doctor):
    done = doctor("--json", without=["run/systemd", SERVICES], files={"etc/rc2.d/S01x": "", "etc/init.d/xend": "", "etc/init.d/xendomains": ""},
                  links={"etc/rc2.d/S02xendomains": "../init.d/xendomains"})
    assert findings(done)["guests", "advice"]["mend"] == "update-rc.d xendomains disable"
