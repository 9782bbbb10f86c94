# SPDX-License-Identifier: MIT
"""How Ganeti 3.0 reads `xm list` and `xm info`: its rules in our words. What it cannot read is an error for the whole node."""

RUNNING = {f"{flags}{end}" for flags in ("r--", "rb-", "-b-", "---") for end in ("---", "ss-", "sr-")} | {"-----d"}
SHUTDOWN = {"---s--", "---s-d"}


def state(letters):
    """"running", "shutdown" or "crashed"; other letters are an error. A p counts for nothing: it pauses no instance itself."""
    letters = letters.replace("p", "-")
    if "c" in letters:
        return "crashed"
    if letters in RUNNING:
        return "running"
    if letters in SHUTDOWN:
        return "shutdown"
    raise ValueError(f"unknown state {letters!r}")


def read_list(text):
    """Name to (ID, MiB, vCPUs, state, seconds). The first line is passed over; a row must split into exactly 6 words. A guest that
    has crashed is left out."""
    found = {}
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) != 6:
            raise ValueError(f"not 6 words: {line!r}")
        name, number, memory, vcpus, letters, seconds = words
        row = (int(number), int(memory), int(vcpus), state(letters), float(seconds))
        if row[3] != "crashed":
            found[name] = row
    return found


def read_info(text):
    """The numbers that it takes from `xm info`; each key is what stands before the first colon."""
    wanted = {"memory_total": "total_memory", "memory_free": "free_memory", "cpu_total": "nr_cpus", "cpu_nodes": "nr_nodes",
              "major": "xen_major", "minor": "xen_minor", "cores": "cores_per_socket", "threads": "threads_per_core"}
    fields = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            fields[key.strip()] = value.strip()
    found = {name: int(fields[key]) for name, key in wanted.items()}
    found["cpu_sockets"] = found["cpu_total"] // (found["cores"] * found["threads"])
    return found
