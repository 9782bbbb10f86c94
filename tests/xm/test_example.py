# SPDX-License-Identifier: MIT
"""`xm create --example` writes the file of a first guest; that it starts, tests/system shows."""

import os
import subprocess

import pytest

from conftest import XM, Done

RELEASE = os.uname().release


@pytest.fixture
def example(xm, tmp_path):
    """xm on a machine that has these files in /boot."""
    def run(*words, boot=(f"vmlinuz-{RELEASE}", f"initrd.img-{RELEASE}")):
        (tmp_path / "boot").mkdir(exist_ok=True)
        for name in boot:
            (tmp_path / "boot" / name).touch()
        done = subprocess.run(["unshare", "--mount", "sh", "-c", f'mount --bind {tmp_path}/boot /boot && exec {XM} create --example "$@"', "sh",
                               *map(str, words)], capture_output=True, text=True, env=xm.env, cwd=xm.directory, timeout=30, check=False)
        return Done(done.returncode, done.stdout, done.stderr)
    return run


def test_its_file_is_a_configuration(xm, example, tmp_path):
    done = example(tmp_path / "first")
    assert (done.status, done.err) == (0, ""), done
    assert f"xm create -c {tmp_path}/first " in done.out and "xm destroy first " in done.out
    said = xm.good("create", "-n", tmp_path / "first")
    for part in ("(name first)", f"(kernel /boot/vmlinuz-{RELEASE})", f"(ramdisk /boot/initrd.img-{RELEASE})", "break=premount", "(memory 512)"):
        assert part in said, said


def test_no_file_is_written_over(example, tmp_path):
    (tmp_path / "mine").write_text("precious")
    done = example(tmp_path / "mine")
    assert done.status == 1 and f"{tmp_path}/mine exists" in done.err
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.mark.parametrize("boot, lacks", [((), "vmlinuz"), ((f"vmlinuz-{RELEASE}",), "initrd.img")])
def test_a_host_without_its_kernels_files(example, tmp_path, boot, lacks):
    done = example(tmp_path / "first", boot=boot)
    assert done.status == 1 and f"there is no /boot/{lacks}-{RELEASE}" in done.err, done
    assert not (tmp_path / "first").exists()


def test_a_directory_that_is_not_there(example, tmp_path):
    done = example(tmp_path / "nowhere/first")
    assert done.status == 1 and f"Cannot write {tmp_path}/nowhere/first: No such file or directory." in done.err


@pytest.mark.parametrize("name", ["a b", 'a"b', "memory=512", "-x/", "sub/.hidden", ""])
def test_names_that_would_not_do(example, name):
    done = example(name)
    assert done.status == 2 and done.err.startswith("Error: "), done


def test_one_name(example, tmp_path):
    assert example(tmp_path / "a", tmp_path / "b").status == 2
