# SPDX-License-Identifier: MIT
"""xm network-setup: makes the bridge on which guests' network interfaces lie, for good.

The program that runs the host's network (ifupdown, systemd-networkd or NetworkManager) gets the bridge as its own
configuration, so nothing of ours runs later. If the host does not get its network back within a minute, all is undone.
"""
import argparse
import signal
import sys

import host
import ifupdown
import networkd
import networkmanager
from change import Change, Failure

NAT_ADDRESS = "10.55.0.1/24"
MANAGERS = {"NetworkManager": networkmanager, "systemd-networkd": networkd, "ifupdown": ifupdown}


def arguments(words):
    parser = argparse.ArgumentParser(prog="xm network-setup", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bridge", default="xenbr0", metavar="NAME", help="the bridge's name (xenbr0)")
    parser.add_argument("--interface", metavar="NAME", help="the host's card that joins it; the default is the one with "
                        "the default route")
    parser.add_argument("--nat", action="store_true",
                        help="join no card: guests get a network of their own, and reach others by the host's address")
    parser.add_argument("--address", metavar="ADDRESS/LENGTH", help="with --nat: the host's address there (10.55.0.1/24)")
    parser.add_argument("-n", "--dry-run", action="store_true", help="show what would be done")
    parser.add_argument("--undo", action="store_true", help="take the bridge back")
    return parser.parse_args(words)


def which_manager(interface):
    """The program that runs the network: the one that has the interface, or that runs at all."""
    found = [name for name, module in MANAGERS.items() if module.runs(interface)]
    if not found:
        raise Failure(f"Cannot tell which program runs the host's network{f' on {interface}' if interface else ''}: neither "
                      "NetworkManager nor systemd-networkd nor ifupdown does. The guide shows how to make a bridge by hand.")
    return found[0]


def be_steadfast():
    """The person may sit at the other end of the connection that goes away for a moment, and press Ctrl-C for it."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def make(options):
    """Makes the bridge that the options ask for; returns what the person reads."""
    host.check_name(options.bridge)
    if host.is_bridge(options.bridge):
        raise Failure(f"The bridge {options.bridge} exists already.")
    if options.address and not options.nat:
        raise Failure("--address belongs to --nat: a bridge with a card has the card's addresses.")
    if options.interface and options.nat:
        raise Failure("--nat joins no card, so --interface does not go with it.")
    interface = None if options.nat else options.interface or host.default_interface()
    if interface:
        host.check_can_join(interface)
    manager = which_manager(interface)
    change = Change(manager, options.bridge, interface)
    if options.nat:
        MANAGERS[manager].plan_nat(change, host.network(options.address or NAT_ADDRESS))
    else:
        MANAGERS[manager].plan_bridge(change)
    if options.dry_run:
        return change.text()
    host.check_root()
    be_steadfast()
    wanted = host.Reach(interface)
    change.apply()
    try:
        wanted.wait(options.bridge)
    except BaseException as failure:
        raise Failure(f"{failure} {change.undo_all()}") from None
    joined = "guests reach others by the host's address" if options.nat else f"{interface} has joined it"
    return f"The bridge {options.bridge} is there, by {manager}; {joined}. `xm network-setup --undo' takes it back."


def take_back(options):
    """Undoes the change of this host; returns what the person reads."""
    if not options.dry_run:
        host.check_root()
    change = Change.load()
    guests = host.ports(change.bridge) - {change.interface}
    if guests:
        raise Failure(f"Cannot take the bridge {change.bridge} back: {', '.join(sorted(guests))} lie on it, the interfaces of "
                      "guests. Shut those guests down first, or `xm network-detach' them.")
    if not options.dry_run:
        be_steadfast()
    return change.undo(options.dry_run)


def main():
    """Runs the program; its exit status."""
    options = arguments(sys.argv[1:])
    try:
        if options.undo:
            print(take_back(options))
        else:
            print(make(options))
    except Failure as failure:
        print(f"Error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
