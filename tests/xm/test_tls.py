# SPDX-License-Identifier: MIT
"""xend-tls, the process that speaks TLS between two xends: who is let through, and what goes through. XEND_TLS names another."""

import array
import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TLS = str(Path(os.environ.get("XEND_TLS", ROOT / "build/xend-tls")).resolve())

# Valid in 2020 only.
EXPIRED = dict(key="""-----BEGIN EC PRIVATE KEY-----
MHgCAQEEIQD6EAwYbI7+xtQgnEFGzbTPGw81SHCTSoHDHxm3YEbe1aAKBggqhkjO
PQMBB6FEA0IABAxV8YSSj4gR5sMe2Q1U15RC0pdLaTJ+XlUXZNWp2YA8+JDmJqsk
pCAqjDcX33mDJQDNhqWFmOmaHmuxWx05G4k=
-----END EC PRIVATE KEY-----
""", certificate="""-----BEGIN CERTIFICATE-----
MIIBDzCBt6ADAgECAgEBMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMTB2V4cGlyZWQw
HhcNMjAwMTAxMDAwMDAwWhcNMjEwMTAxMDAwMDAwWjASMRAwDgYDVQQDEwdleHBp
cmVkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDFXxhJKPiBHmwx7ZDVTXlELS
l0tpMn5eVRdk1anZgDz4kOYmqySkICqMNxffeYMlAM2GpYWY6Zoea7FbHTkbiTAK
BggqhkjOPQQDAgNHADBEAiBaUe/BI2+obPK6CFxvCkmU7oQISymh80WHIaetAf6K
3QIgFc43FoxbbKtb65SR29il/iOrWkidpdAlXDVKyZwq7P4=
-----END CERTIFICATE-----
""")


def tell(what, order):
    done = subprocess.run([TLS, what], input=json.dumps(order), stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def certificates():
    """Of two hosts."""
    return tell("make", {}), tell("make", {})


def fingerprint(certificate):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate["certificate"])).hexdigest()


class End:
    """One xend-tls and xend's end of it."""

    def __init__(self, sock, own, **order):
        self.plain, theirs = socket.socketpair()
        self.process = subprocess.Popen(["/bin/bash", "-c", f'exec 3<&{theirs.fileno()}; exec "{TLS}" carry'], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, pass_fds=[theirs.fileno()], text=True)
        theirs.close()
        self.plain.settimeout(60)
        self.plain.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [sock.fileno()]))])
        sock.close()
        json.dump({**own, "name": "there", **order}, self.process.stdin)
        self.process.stdin.close()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def receive(self, size):
        data = b""
        while len(data) < size:
            piece = self.plain.recv(1 << 16)
            if not piece:
                break
            data += piece
        return data

    def end(self):
        self.plain.close()
        return self.process.wait(60)


def tcp_pair():
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        return one, server.accept()[0]


@pytest.fixture
def connect(certificates):
    """Makes (client, server), each with its certificate and what it trusts."""
    ends = []

    def make(client=None, server=None, client_trusts=(), server_trusts=(), **more):
        a, b = tcp_pair()
        ends[:] = [End(a, client or certificates[0], trusted=list(client_trusts), **more),
                   End(b, server or certificates[1], trusted=list(server_trusts), server=True)]
        return ends

    yield make
    for end in ends:
        end.end()


def trusting(certificates):
    return dict(client_trusts=[fingerprint(certificates[1])], server_trusts=[fingerprint(certificates[0])])


def test_fingerprint_is_that_of_the_certificate(certificates):
    assert tell("fingerprint", certificates[0]) == {"fingerprint": fingerprint(certificates[0])}
    assert "error" in tell("fingerprint", {"certificate": "nonsense"}) and "error" in tell("fingerprint", {})


def test_two_that_know_each_other(connect, certificates):
    client, server = connect(**trusting(certificates))
    assert client.answer() == {"fingerprint": fingerprint(certificates[1])}
    assert server.answer() == {"fingerprint": fingerprint(certificates[0])}
    data = os.urandom(5 << 20)
    for one, other in ((client, server), (server, client)):
        thread = threading.Thread(target=one.plain.sendall, args=(data,))
        thread.start()
        assert other.receive(len(data)) == data
        thread.join()
    # An end of input crosses; the other direction goes on.
    client.plain.shutdown(socket.SHUT_WR)
    assert server.receive(1) == b""
    server.plain.sendall(b"last words")
    assert server.end() == 0
    assert client.receive(1 << 20) == b"last words"
    assert client.end() == 0


def test_what_was_said_before_the_end_arrives(connect, certificates):
    client, server = connect(**trusting(certificates))
    client.answer()
    client.plain.sendall(b"x" * 300000)
    client.plain.close()
    assert len(server.receive(1 << 20)) == 300000
    assert client.process.wait(60) == 0


def test_unknown_certificates_are_refused(connect, certificates):
    good, bad = trusting(certificates), "0" * 64
    client, server = connect(**{**good, "client_trusts": []})
    assert re.search("not known here.*xm trust there", client.answer()["error"])
    client, server = connect(**{**good, "client_trusts": [bad]})
    assert "another certificate than the one that is trusted" in client.answer()["error"]
    client, server = connect(**{**good, "server_trusts": [bad]})
    assert "not known here" in server.answer()["error"]
    client.answer()
    said = json.loads(client.receive(1 << 16))
    assert said["say"] == "error" and fingerprint(certificates[0]) in said["message"] and "xm trust" in said["message"]
    assert server.end() == 1


@pytest.mark.parametrize("which", ("client", "server"))
def test_an_expired_certificate_is_refused(connect, certificates, which):
    good = trusting(certificates)
    good["server_trusts" if which == "client" else "client_trusts"] = [fingerprint(EXPIRED)]
    client, server = connect(**{which: EXPIRED}, **good)
    if which == "server":
        assert "has expired" in client.answer()["error"]
    else:
        assert "has expired" in server.answer()["error"]
        client.answer()
        assert "has expired" in json.loads(client.receive(1 << 16))["message"]


def test_look_finds_out_the_fingerprint_and_no_more(connect, certificates):
    client, server = connect(server_trusts=[fingerprint(certificates[0])], look=True)
    assert client.answer() == {"fingerprint": fingerprint(certificates[1])}
    assert client.receive(1) == b"" and client.end() == 0


def raw_server(certificates):
    a, b = tcp_pair()
    return a, End(b, certificates[1], trusted=[fingerprint(certificates[0])], server=True)


def python_client(sock, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    return context.wrap_socket(sock)


def test_a_client_without_a_certificate_is_refused(certificates):
    sock, server = raw_server(certificates)
    with python_client(sock, ssl.TLSVersion.TLSv1_3) as client:
        assert "no certificate" in server.answer()["error"]
        assert json.loads(client.recv(1 << 16))["say"] == "error"
    assert server.receive(1) == b"" and server.end() == 1


def test_an_old_version_is_refused(certificates):
    sock, server = raw_server(certificates)
    with pytest.raises(ssl.SSLError):
        python_client(sock, ssl.TLSVersion.TLSv1_2)
    assert "error" in server.answer()
    sock.close()
    server.end()


@pytest.mark.parametrize("data", (b"", b"{\"say\":\"offer\"}\n", b"\x16\x03\x01\xff\xff" + b"x" * 70000, bytes(100)))
def test_nonsense_is_an_error(certificates, data):
    sock, server = raw_server(certificates)
    try:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
    except OSError:  # it has had enough
        pass
    assert "error" in server.answer()
    sock.close()
    assert server.receive(1) == b"" and server.end() == 1


def test_a_connection_that_is_cut_ends(connect, certificates):
    """TLS says when a side has nothing more to say; a wire that is cut does not."""
    client, server = connect(**trusting(certificates))
    client.answer()
    server.answer()
    client.process.kill()
    assert server.receive(1) == b""
    assert server.process.wait(60) == 0


def test_the_process_can_do_nothing_else(connect, certificates):
    client, server = connect(**trusting(certificates))
    client.answer()
    server.answer()
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M) and re.search(r"^Seccomp:\s+2$", status, re.M)
    if os.geteuid() == 0:
        assert re.search(r"^Uid:\s+2147352560\s+2147352560\s+2147352560", status, re.M), status
        assert re.search(r"^CapEff:\s+0+$", status, re.M) and re.search(r"^Groups:\s*$", status, re.M)
    # It sleeps while nothing comes.
    before = times(server)
    time.sleep(0.5)
    assert times(server) - before < 20


def times(end):
    """Ticks of processor time."""
    return sum(map(int, Path(f"/proc/{end.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
