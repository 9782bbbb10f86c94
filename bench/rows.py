# SPDX-License-Identifier: MIT
"""What is measured: the rows of the table, their units, and what each may cost at most."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A row. One of the limits: `most` in the row's unit, or `ratio` of what the other side takes. The sides are two
    hypervisors, or two toolstacks on ours; of some things the second has no like (`alone`)."""

    key: str
    title: str
    unit: str = "instructions"
    most: int | None = None
    ratio: float = 0.0
    sides: tuple = ("xenolith", "xen")
    alone: bool = False


HYPERCALLS = (
    Row("null_hypercall", "null hypercall (xen_version)", most=140),
    Row("sched_yield", "sched_op yield, nobody else runnable", most=700),
    Row("evtchn_send_fresh", "evtchn_send, fresh", most=250),
    Row("evtchn_send_pending", "evtchn_send, already pending", most=200),
    Row("mmu_update", "mmu_update of one L1 entry, another frame", most=600),
    Row("mmu_update_flags", "mmu_update of one L1 entry, another protection", most=600),
    Row("update_va_mapping", "update_va_mapping with INVLPG", most=600),
    Row("pte_write_trapped", "write to a page table, trapped", ratio=0.8),
    Row("grant_copy_4k", "grant copy of 4 KiB", most=1300),
    Row("grant_map_unmap", "grant map and unmap", most=1600),
    Row("ud2_bounced", "fault bounced to the guest (ud2 and back)", most=400),
)

# The same micro-guest, started by xl beside a Domain-0.
GUEST_HYPERCALLS = tuple(Row("guest." + r.key, r.title + ", in a guest", r.unit, r.most, r.ratio) for r in HYPERCALLS)

PROCESSES = (
    Row("syscall", "system call of a process and back", ratio=0.8),
    Row("page_fault", "page fault of a process (a new page)", ratio=0.8),
    Row("context_switch", "context switch of two processes, by pipes", ratio=0.8),
    Row("fork_exit", "fork and exit of a process", ratio=0.8),
    Row("fork_exec", "fork, exec and exit of a process", ratio=0.8),
)

PAIRS = (Row("event_round_trip", "event round trip between two guests on one processor", ratio=0.8),)

NETWORK = (
    Row("net_round_trip", "network round trip to Domain-0 (UDP, 64 bytes)", "ns", ratio=0.8),
    Row("net_send", "network bulk to Domain-0, 16 MiB by TCP", "us", ratio=0.8),
    Row("net_receive", "network bulk from Domain-0, 16 MiB by TCP", "us", ratio=0.8),
)

DISKS = (
    Row("disk_write", "disk write of 64 MiB, direct", "us", ratio=0.8),
    Row("disk_read", "disk read of 64 MiB, direct", "us", ratio=0.8),
)

LIVES = (
    Row("boot", "boot: hypervisor's first instruction to Domain-0's /init", "us", ratio=0.9),
    Row("create", "xl create -p of a 256 MiB guest: building it", "us", ratio=0.9),
    Row("create_to_init", "xl create and unpause of it, to the guest's /init", "us", ratio=0.9),
    Row("destroy", "xl destroy of it", "us", ratio=0.9),
    Row("save", "xl save of it", "us", ratio=0.9),
    Row("restore", "xl restore of it", "us", ratio=0.9),
)

MEMORY = (
    Row("memory_boot", "memory that the hypervisor keeps at boot, of 2 GiB", "KiB", ratio=1.0),
    Row("memory_domain", "memory for an idle domain of 128 MiB, 1 vCPU, beside its own", "KiB", ratio=1.0),
    Row("memory_vcpu", "memory for 1 vCPU more", "KiB", ratio=1.0),
)

TOOLS = ("xm", "xl")
TOOLSTACK = (
    Row("tool_create_cold", "create paused, a kernel compressed by xz, never seen before", "us", ratio=0.5, sides=TOOLS),
    Row("tool_create_warm", "create paused, the same kernel again", "us", ratio=0.15, sides=TOOLS),
    Row("tool_save", "save of a guest of 256 MiB", "us", ratio=0.7, sides=TOOLS),
    Row("tool_restore", "restore of it", "us", ratio=0.7, sides=TOOLS),
    Row("tool_list", "list of 20 guests", "us", ratio=0.5, sides=TOOLS),
    Row("xend_memory", "xend at rest beside 20 guests, resident", "KiB", most=12 * 1024, sides=TOOLS, alone=True),
    Row("xend_wakeups", "wake-ups of xend in 60 s beside 20 idle guests", "times", most=0, sides=TOOLS, alone=True),
)

# 300 guests of 8 MiB with a disk and an interface each, made one after the other.
DENSITY = (
    Row("density_create_10", "create the 10th of 300 small guests", "us", ratio=0.3, sides=TOOLS),
    Row("density_create_last", "create the 300th", "us", ratio=0.3, sides=TOOLS),
    Row("density_growth", "the 300th, of the 10th", "%", most=130, sides=TOOLS),
    Row("density_dom0", "memory of Domain-0 for each of them", "KiB", ratio=1.0, sides=TOOLS),
    Row("density_hypervisor", "memory of the hypervisor for each of them", "KiB", ratio=1.0, sides=TOOLS),
    Row("density_list", "list of 300 guests", "us", ratio=0.5, sides=TOOLS),
    Row("density_destroy_first", "destroy one beside 300", "us", ratio=0.3, sides=TOOLS),
    Row("density_destroy", "destroy each of them", "us", ratio=0.3, sides=TOOLS),
    Row("density_xend", "xend beside 300 guests, resident", "KiB", most=40 * 1024, sides=TOOLS, alone=True),
    Row("density_halted", "list of 1,000 defined and halted guests", "us", most=30_000, sides=TOOLS, alone=True),
)

# Parts that can be asked for alone (make bench ONLY=part). The first and the last have machines of their own; all others are
# done in one boot of Domain-0.
PARTS = {
    "hypercalls": HYPERCALLS,
    "boot": (LIVES[0],),
    "guest": GUEST_HYPERCALLS,
    "processes": PROCESSES,
    "pairs": PAIRS,
    "network": NETWORK,
    "disks": DISKS,
    "lives": LIVES[1:],
    "memory": MEMORY,
    "toolstack": TOOLSTACK,
    "density": DENSITY,
}
# Too long for each run: done only when asked for.
ON_REQUEST = ("density",)
ROWS = {row.key: row for part in PARTS.values() for row in part}
