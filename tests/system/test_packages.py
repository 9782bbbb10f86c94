# SPDX-License-Identifier: MIT
"""Debian's packages, as an administrator gets them: built in a clean Debian, installed on a bare one, booted by GRUB, replaced
while a guest runs, and taken away again.

Needs root: packages are built and installed in systems of their own.
"""

import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from lab import LAB, ROOT
from lab.bare import BARE, Installed, in_chroot

MACHINE = dict(smp=1)
# Where `apt install` finds the packages on the disk.
PLACE = "/srv"
# Seconds that packages' scripts may take on a busy machine that emulates.
PATIENCE = 900
# Making GRUB's menu takes more than a minute in a machine that emulates. It is made outside, where the packages' scripts do not
# find its program meanwhile.
HIDE_GRUB = f"mv /usr/sbin/update-grub {PLACE}/"
SHOW_GRUB = f"mv {PLACE}/update-grub /usr/sbin/"
OUR_NAMES = ["xenolith", "xenolith-hypervisor", "xenolith-utils"]
GUEST = """\
name = "first"
kernel = "/srv/guest/vmlinuz"
ramdisk = "/srv/guest/initrd"
extra = "console=hvc0 quiet"
memory = 128
disk = ["file:/srv/guest/disk.img,xvda,w"]
"""
# All files but those that belong to dpkg and apt themselves, or to caches that others keep.
SNAPSHOT = r"""find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /srv -o -path /var/cache \
-o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/log/apt -o -path /boot/efi \) -prune -o \
! -path /var/log/dpkg.log ! -path '/var/log/alternatives.log' ! -type d -printf '%p %y %m %u:%g %l\n' -o -type d -printf '%p %y %m %u:%g\n' | sort
find /etc /boot/grub/grub.cfg -type f ! -name ld.so.cache -exec md5sum {} + | sort -k 2"""


@pytest.fixture(scope="module")
def packages(lab):
    subprocess.run([ROOT / "packaging/make-packages", "deb", ROOT / "build/packages"], check=True)
    return ROOT / "build/packages"


@pytest.fixture(scope="module")
def disk(lab, tmp_path_factory):
    """A bare Debian of this module's own."""
    subprocess.run([ROOT / "lab/build", "bare"], check=True)
    path = tmp_path_factory.mktemp("packages") / "disk.img"
    subprocess.run(["cp", "--sparse=always", BARE, path], check=True)
    yield path
    path.unlink()


def repack(deb, version, directory):
    """The same package as if it were of another version."""
    tree = directory / deb.stem
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = (tree / "DEBIAN/control").read_text()
    (tree / "DEBIAN/control").write_text(re.sub(r"\b0\.1\b(?=\)|$)", version, control, flags=re.MULTILINE))
    for file in tree.rglob("boot/xenolith-0.1.*"):
        file.rename(file.with_name(f"xenolith-{version}{file.suffix}"))
    # Its files of configuration differ, too.
    for conffile in (tree / "etc").rglob("*.sxp"):
        conffile.write_text(f"# Of version {version}.\n{conffile.read_text()}")
    sums = tree / "DEBIAN/md5sums"
    if sums.exists():
        sums.unlink()
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, directory / f"{deb.name.split('_')[0]}_{version}_amd64.deb"],
                   check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)


@pytest.fixture(scope="module")
def filled(disk, packages, tmp_path_factory):
    """The disk, with our packages of three versions in its /srv, and a guest to start."""
    share = tmp_path_factory.mktemp("share")
    for name in ("this", "old", "new", "guest"):
        (share / name).mkdir()
    for deb in packages.glob("*.deb"):
        shutil.copy(deb, share / "this")
        repack(deb, "0.0.9", share / "old")
        repack(deb, "0.2", share / "new")
    shutil.copyfile(LAB / "vmlinuz-stock", share / "guest/vmlinuz")
    shutil.copyfile(LAB / "domu.cpio", share / "guest/initrd")
    (share / "guest/first").write_text(GUEST)
    in_chroot(disk, "cp -r /mnt/* /srv; truncate -s 8M /srv/guest/disk.img", share)
    shutil.rmtree(share)
    return disk


def snapshot(disk):
    return in_chroot(disk, SNAPSHOT)[1].splitlines()


def traces(disk):
    return [line for line in snapshot(disk) if re.search(r"xenolith|[/0-9]xend\b|/xm\b", line)]


def difference(before, after):
    return sorted({f"- {line}" for line in before} - {f"- {line}" for line in after}) + \
        sorted({f"+ {line}" for line in after} - {f"+ {line}" for line in before})


def test_lintian_has_nothing_to_say(packages):
    changes = next((packages / "deb-build").glob("*.changes"))
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", changes], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_packages_come_and_go_without_a_trace(filled):
    """Install on a bare Debian, remove, purge, install again over the older version, purge: piuparts' way, with GRUB's menu."""
    install = "apt-get install -y -q --no-install-recommends"
    _, said = in_chroot(filled, f"""
        {install} xen-hypervisor-4.17-amd64 xen-hypervisor-common
        echo 'MemTotal: 500000 kB' >/tmp/meminfo
        mount --bind /tmp/meminfo /proc/meminfo
        {install} {PLACE}/this/xenolith*.deb
        umount /proc/meminfo
        test "$(xenolith default)" = off
        xenolith check
        apt-get purge -y -q 'xenolith*'
    """)
    assert "xenolith: There is too little memory: 488 MiB." in said and "This machine can run Xenolith." in said
    before = snapshot(filled)
    assert traces(filled) == []

    in_chroot(filled, f"""
        {install} {PLACE}/old/xenolith*.deb
        test -x /usr/sbin/service.distrib
        test "$(xenolith default)" = on
        test "$(dpkg-query -W -f '${{Version}}' xenolith-hypervisor)" = 0.0.9
        {install} {PLACE}/this/xenolith*.deb
        test ! -e /boot/xenolith-0.0.9.gz
        test -e /boot/xenolith-0.1.gz
        apt-get remove -y -q 'xenolith*'
        test ! -e /usr/sbin/service.distrib
        ! grep '/xenolith-' /boot/grub/grub.cfg || exit 1
        {install} {PLACE}/this/xenolith*.deb
        systemd-analyze verify --man=no xend.service xenolith-guests.service
        systemd-analyze verify --man=no --generators=yes multi-user.target 2>&1 | tee /tmp/units
        ! grep -q 'ordering cycle' /tmp/units || exit 1
        apt-get purge -y -q 'xenolith*'

        init=$(readlink /sbin/init)
        ln -sf /usr/lib/another-init /sbin/init
        {install} {PLACE}/this/xenolith*.deb
        ls /etc/rc2.d/S*xenolith-guests
        ! ls /etc/rc2.d/S*xendomains || exit 1
        ln -sf "$init" /sbin/init
        apt-get remove -y -q 'xenolith*'
        ls /etc/rc2.d/S*xendomains
        apt-get purge -y -q 'xenolith*'
    """)
    assert difference(before, snapshot(filled)) == []


def test_an_upgrade_keeps_what_the_administrator_has_changed(filled):
    """What nobody touched becomes the new version's. A purge takes both, and what dpkg has put beside them."""
    install = "apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"
    before = snapshot(filled)
    in_chroot(filled, f"""
        config=/etc/xen/xend-config.sxp
        {install} {PLACE}/old/xenolith*.deb
        grep '# Of version 0.0.9' $config
        {install} {PLACE}/this/xenolith*.deb
        ! grep '# Of version' $config || exit 1
        echo '(guests-parallel 2)' >>$config
        sed -i 's/dom0_mem=[^ "]*/dom0_mem=900M/' /etc/default/grub.d/xenolith.cfg
        {install} {PLACE}/new/xenolith*.deb
        grep '(guests-parallel 2)' $config
        ! grep '# Of version' $config || exit 1
        grep '# Of version 0.2' $config.dpkg-*
        update-grub
        grep 'xenolith-0.2.gz.* dom0_mem=900M' /boot/grub/grub.cfg
        {install} --reinstall {PLACE}/new/xenolith*.deb
        grep '(guests-parallel 2)' $config
        apt-get remove -y -q 'xenolith*'
        grep '(guests-parallel 2)' $config
        apt-get purge -y -q 'xenolith*'
    """)
    assert difference(before, snapshot(filled)) == []


def described(debs):
    """{name: (fields, files)} of packages; the sizes, which their documents change, are left out."""
    found = {}
    for deb in debs.glob("*.deb"):
        fields = subprocess.run(["dpkg-deb", "-f", deb], check=True, stdout=subprocess.PIPE, text=True).stdout
        files = subprocess.run(["dpkg-deb", "-c", deb], check=True, stdout=subprocess.PIPE, text=True).stdout
        found[deb.name] = (re.sub(r"^Installed-Size: .*\n", "", fields, flags=re.MULTILINE),
                           sorted((line.split()[0], line.split(maxsplit=5)[5]) for line in files.splitlines()))
    return found


@pytest.mark.long
def test_upgrade_from_packages_that_were_built_as_an_older_version(filled, packages, tmp_path):
    """The other tests take this version's packages under another name. That is what such a build makes, so they show the same."""
    built, repacked = tmp_path / "built", tmp_path / "repacked"
    subprocess.run([ROOT / "packaging/make-packages", "deb", built, "--version", "0.0.9"], check=True)
    repacked.mkdir()
    for deb in packages.glob("*.deb"):
        repack(deb, "0.0.9", repacked)
    assert described(built) == described(repacked)
    shutil.rmtree(built / "deb-build")

    install = "apt-get install -y -q --no-install-recommends"
    in_chroot(filled, f"""
        mkdir /tmp/built
        cp /mnt/*.deb /tmp/built/
        {install} /tmp/built/xenolith*.deb
        test -e /boot/xenolith-0.0.9.gz
        zgrep -q '0\\.0\\.9' /boot/xenolith-0.0.9.gz
        grep 'xenolith-0.0.9.gz' /boot/grub/grub.cfg
        {install} {PLACE}/this/xenolith*.deb
        test ! -e /boot/xenolith-0.0.9.gz
        ! grep 'xenolith-0.0.9' /boot/grub/grub.cfg || exit 1
        grep 'xenolith-0.1.gz' /boot/grub/grub.cfg
        test "$(dpkg-query -W -f '${{Version}} ' xenolith xenolith-hypervisor xenolith-utils)" = '0.1 0.1 0.1 '
        apt-get purge -y -q 'xenolith*'
    """, built)
    assert traces(filled) == []


def test_service_does_not_call_itself():
    """Where the system's own is missing, as after half of a removal, it ends with an error."""
    service = ROOT / "toolstack/etc/service"
    script = f"mount --bind {service} /usr/sbin/service && exec /usr/sbin/service cron status"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=20, check=False)
    assert done.returncode == 1 and "Cannot find the system's own program service" in done.stdout


def deb_contents(packages):
    """{path: (mode, target of a link)} of the files that files.tbl has."""
    found = {}
    for deb in packages.glob("*.deb"):
        listing = subprocess.run(["dpkg-deb", "-c", deb], check=True, stdout=subprocess.PIPE, text=True).stdout
        for line in listing.splitlines():
            mode, path = line.split()[0], line.split(maxsplit=5)[5]
            path, _, target = path.removeprefix(".").partition(" -> ")
            if not path.endswith("/") or path == "/etc/xen/auto/":
                path = re.sub("^/lib/", "/usr/lib/", path.rstrip("/"))
                found[re.sub(r"(/man/.*)\.gz$", r"\1", path)] = mode, target
    return {path: what for path, what in found.items()
            if not path.startswith(("/usr/share/doc/", "/usr/share/lintian/")) and path != "/usr/sbin/service"}


def rpm_contents(rpms):
    found = {}
    for rpm in rpms.glob("*.rpm"):
        listing = subprocess.run(["rpm", "-qp", "--qf", r"[%{FILENAMES}|%{FILEMODES:perms}|%{FILELINKTOS}\n]", rpm], check=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        for line in listing.splitlines():
            path, mode, target = line.split("|")
            found[path] = mode, target
    # rpm's own links to the programs, by their build id.
    return {path: what for path, what in found.items() if path.startswith("/") and "/.build-id" not in path}


def test_rpms_hold_what_the_packages_hold(packages, tmp_path):
    subprocess.run([ROOT / "packaging/make-packages", "rpm", packages], check=True)
    assert sorted(file.name.split("-0.1")[0] for file in packages.glob("*.rpm")) == OUR_NAMES
    debs, rpms = deb_contents(packages), rpm_contents(packages)
    assert "/usr/sbin/xm" in debs and debs == rpms


def test_group_names_packages_that_there_are():
    group = ElementTree.parse(ROOT / "packaging/rpm/comps.xml").getroot().find("group")
    assert group.find("name").text == "Virtualization"
    wanted = {row.text for row in group.iter("packagereq") if row.get("type") == "mandatory"}
    assert wanted == set(OUR_NAMES)


@pytest.mark.long
def test_another_build_is_the_same(packages, tmp_path):
    """In another directory; and every file that a build leaves, but the report that names it."""
    subprocess.run([ROOT / "packaging/make-packages", "deb", tmp_path, "--directory", "/var/tmp/somewhere/else"], check=True)
    files = sorted(file for file in (packages / "deb-build").iterdir() if file.suffix in (".deb", ".dsc", ".xz"))
    assert len(files) >= 6
    for file in files:
        assert file.read_bytes() == (tmp_path / "deb-build" / file.name).read_bytes(), file.name


def wait_until(machine, command, seconds=300):
    machine.sh(f"for i in $(seq {seconds}); do {command} >/dev/null 2>&1 && break; sleep 1; done; {command}", seconds + 60)


def assert_no_failed_unit(machine):
    assert machine.sh("systemctl list-units --failed --plain --no-legend | cat") == ""


def check_libvirt(machine):
    """libvirtd has found xenstored, and nothing was cancelled to start it beside ours: Debian's xendomains would be, since
    libvirtd conflicts with that."""
    wait_until(machine, "systemctl is-system-running | grep running")
    assert re.search(r"^ 0 +Domain-0 +running$", machine.sh("virsh list", PATIENCE), re.MULTILINE)
    assert machine.sh("journalctl -b -o cat _PID=1 | grep -Ei 'cycle|cancel|deleted to break' | cat") == ""
    assert machine.sh("systemctl is-active xend.service xenolith-guests.service libvirtd.socket | sort -u") == "active"
    # libvirtd ends when nobody has asked it for two minutes, and then starts again: the first time counts.
    order = machine.sh("journalctl -b -o cat _PID=1 | grep -oE '^(Started xen|Starting libvirtd)\\.service'").splitlines()
    assert order[:2] == ["Started xen.service", "Starting libvirtd.service"], order


def test_grub_boots_it_and_it_goes_while_nothing_is_lost(filled):
    """The first boot is the hypervisor's; tools are replaced under a running guest; what runs is not taken away; then Linux alone."""
    in_chroot(filled, f"""
        apt-get install -y -q --no-install-recommends xen-hypervisor-4.17-amd64 xen-hypervisor-common {PLACE}/this/xenolith*.deb
        sed -i 's/dom0_mem=[^ "]*/dom0_mem=768M,max:768M/' /etc/default/grub.d/xenolith.cfg
        update-grub
        grub-script-check /boot/grub/grub.cfg
        cp {PLACE}/guest/first /etc/xen/first
        {HIDE_GRUB}
    """)
    with Installed("packages-uefi", filled, uefi=True, **MACHINE) as machine:
        check_menu(machine.boot())
        machine.sh("test -d /sys/firmware/efi")
        check_host(machine)
        assert machine.finish("poweroff", 300) == "guest-shutdown"
    with Installed("packages", filled, **MACHINE) as machine:
        check_menu(machine.boot())
        check_host(machine)
        check_libvirt(machine)
        assert machine.sh("xenolith status; service xend status").splitlines() == ["Xenolith runs.", "xend is running"]
        assert machine.sh("systemctl is-enabled xendomains.service xend.service xenolith-guests.service || true").split() == \
            ["masked", "enabled", "enabled"]
        make_an_example(machine)
        replace_under_a_guest(machine)
        refuse_to_leave_a_guest(machine)
        assert machine.finish("poweroff", 300) == "guest-shutdown"
    in_chroot(filled, f"{SHOW_GRUB}; apt-get purge -y -q xen-hypervisor-4.17-amd64 xen-hypervisor-common")
    with Installed("packages-purged", filled, uefi=True, **MACHINE) as machine:
        menu = machine.boot()
        assert "Xen" not in menu and "*Debian GNU/Linux" in menu
        machine.sh("test ! -e /sys/hypervisor/type && test -f /srv/guest/disk.img && test -f /etc/xen/first && ! command -v xm")
        assert_no_failed_unit(machine)


def check_menu(menu):
    for title in (r"Debian GNU/Linux +", "Debian GNU/Linux, with Xen hypervisor", r"\*Debian GNU/Linux, with Xenolith 0\.1"):
        assert re.search(title, menu), title


def check_host(machine):
    wait_until(machine, "xm list")
    assert re.search(r"^Domain-0 +0 +76\d ", machine.sh("xm list"), re.MULTILINE)
    assert_no_failed_unit(machine)


def make_an_example(machine):
    """The kernel and the initrd that Domain-0 has can be a guest."""
    assert "Wrote /etc/xen/example." in machine.sh("xm create --example")
    assert "Started domain example" in machine.sh("xm create -p example", 300)
    machine.sh("xm destroy example")


def replace_under_a_guest(machine):
    assert "Started domain first" in machine.sh("xm create first", 300)
    before = machine.sh("xm domid first; cat /run/xend/xend.pid").split()
    said = machine.sh(f"dpkg -i {PLACE}/new/*.deb", PATIENCE)
    assert "waits for a reboot" in said
    assert "xenolith-hypervisor" in machine.sh("cat /run/reboot-required.pkgs")
    assert "waits for a reboot" in machine.sh("xenolith status")
    wait_until(machine, "xm list first")
    after = machine.sh("xm domid first; cat /run/xend/xend.pid").split()
    assert after[0] == before[0] and after[1] != before[1]
    assert machine.sh("xm domstate first") in ("running", "idle", "blocked")
    assert_no_failed_unit(machine)


def refuse_to_leave_a_guest(machine):
    status, said = machine.run("dpkg --purge xenolith xenolith-utils", 300)
    assert status and "guests run here (1)" in said, said
    assert "first" in machine.sh("xm list")
    machine.sh("xm destroy first")
    said = machine.sh("apt-get purge -y -q 'xenolith*'", PATIENCE)
    assert "This machine runs under the hypervisor that is being removed." in said
    assert_no_failed_unit(machine)
    assert machine.sh("systemctl is-enabled xendomains.service 2>/dev/null") == "enabled"
