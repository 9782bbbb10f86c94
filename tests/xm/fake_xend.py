# SPDX-License-Identifier: MIT
"""A xend that knows nothing: it answers as a test tells it to, and remembers what it was asked.

It speaks the envelope of docs/reference/xend-protocol.md, so that xm's formats, errors and exit
statuses can be tested where no hypervisor runs. Nothing of the project uses it but these tests.
"""

import json
import socket
import threading


class Refusal(Exception):
    """An answer with an error."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


class FakeXend:
    """answers: method to a result, a Refusal, or a function of the parameters that returns or raises one.

    progress: method to a list of progress objects that come before the answer. A method that is in `raw` gets that text
    in place of any answer; None closes the connection. What is set for domain.list is set for domain.table, too. `old`: it
    does not know that method."""

    def __init__(self, path):
        self.path = str(path)
        self.answers, self.progress, self.raw = {}, {}, {}
        self.old = False
        self.requests = []          # (method, params) in the order in which they came
        self.console = None         # a function of the connected socket, after console.open
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(self.path)
        self.socket.listen(200)
        self.threads = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """The socket's file stays, as after a crash."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, client):
        with client, client.makefile("rb") as lines:
            try:
                for line in lines:
                    if not self._answer(client, json.loads(line)):
                        return
            except (BrokenPipeError, ConnectionResetError):
                pass

    def _answer(self, client, request):
        assert request["version"] == 1 and set(request) <= {"version", "id", "method", "params"}
        method, params = request["method"], request.get("params", {})
        self.requests.append((method, params))

        is_table = method == "domain.table"
        if is_table:
            method = "domain.list"

        def say(**fields):
            client.sendall(json.dumps({"id": request["id"], **fields}).encode() + b"\n")

        if method in self.raw:
            if self.raw[method] is None:
                return False
            client.sendall(self.raw[method])
            return True
        for progress in self.progress.get(method, ()):
            say(progress=progress)
        try:
            if is_table and self.old:
                raise Refusal("unknown-method", "There is no method domain.table.")
            answer = self.answers.get(method, {})
            if callable(answer):
                answer = answer(params)
            if isinstance(answer, Refusal):
                raise answer
            if is_table and "domains" in answer:
                answer = {"rows": [" ".join("-" if value is None else str(value) for value in row) for row in answer["domains"]]}
            say(result=answer)
        except Refusal as refusal:
            say(error={"code": refusal.code, "message": refusal.message})
        if method == "console.open" and self.console:
            self.console(client)
            return False
        return True


def domain(name, number, **more):
    """A domain of domain.list."""
    facts = {"id": number, "name": name, "uuid": f"00000000-0000-4000-8000-{max(number, 0):012x}",
             "memory_kb": 262144, "maxmem_kb": 262144, "vcpus": 1, "max_vcpus": 1, "state": "-b----", "status": 2,
             "cpu_ns": 1500000000, "start_time": 0, "managed": False, "ours": True}
    return {**facts, **more}


DOMAIN0 = domain("Domain-0", 0, memory_kb=1048576, vcpus=2, state="r-----", cpu_ns=12345000000, ours=False)


def domains(*known):
    """domain.list's answer for these domains, and its error for others."""
    def form(found, columns):
        return {"domains": [[d.get(c) for c in columns] for d in found] if columns else found}

    def answer(params):
        columns = params.get("columns")
        if "domain" not in params:
            return form(list(known), columns)
        wanted = str(params["domain"])
        found = [d for d in known if wanted in (d["name"], str(d["id"]), d["uuid"])]
        if not found:
            raise Refusal("no-such-domain", f"Domain '{wanted}' does not exist.")
        return form(found, columns)
    return answer
