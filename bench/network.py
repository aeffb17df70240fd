"""Hosts with addresses of their own: network namespaces on one switch. Each may be cut off, and its way made slow.

    with network(("worker-1", "web")) as net:
        net.serve(5432, to=socket_of_postgres)      # on the servers' host, from which all others reach it
        subprocess.run(net["web"].command("curl", …))
        net["web"].cut()

Nothing of it can be reached from the machine's own network, and nothing of that from it. It needs root and `ip`.
"""

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from core.base.errors import Refused

IP = "ip"
SERVERS = "servers"
SWITCH = "switch"
NETWORK = "10.77.0"
SERVERS_AT = f"{NETWORK}.1"
LOOPBACK = "127.0.0.1"
PIECE = 64 * 1024

type Connect = Callable[[], socket.socket]


class NoNetwork(Refused):
    """This machine makes no network namespaces."""

    code = "no_network"


class Namespace:
    """A host.

    Attributes:
        name: short, and without the part that tells it from those of other runs.
        address: its own; those on one switch reach each other.
        is_cut: nothing comes in or goes out.
        delay_s: each piece of data from and to it takes so much longer.
    """

    def __init__(self, name: str, *, number: int) -> None:
        self.name = name
        self.address = f"{NETWORK}.{number}"
        self.is_cut = False
        self.delay_s = 0.0
        self._port = f"port{number}"
        self._called = f"runsheet-{os.getpid()}-{name}"

    def command(self, *command: str) -> tuple[str, ...]:
        """What runs the command on this host."""
        return (IP, "netns", "exec", self._called, *command)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets that this thread makes in the body are this host's, also afterwards."""
        here_is = Path("/run/netns") / self._called
        with Path("/proc/thread-self/ns/net").open("rb") as before, here_is.open("rb") as here:
            os.setns(here.fileno(), os.CLONE_NEWNET)
            try:
                yield
            finally:
                os.setns(before.fileno(), os.CLONE_NEWNET)

    def connect(self, address: str, port: int, *, timeout_s: float | None = None) -> socket.socket:
        """From this host to another.

        Raises:
            OSError: nobody answers there.
        """
        with self.entered():
            made = socket.socket()
        made.settimeout(timeout_s)
        made.connect((address, port))
        return made

    def cut(self) -> None:
        """From now on nothing comes in or goes out, and nobody is told."""
        _ip("-n", _servers(), "link", "set", self._port, "nomaster")
        self.is_cut = True

    def heal(self) -> None:
        _ip("-n", _servers(), "link", "set", self._port, "master", SWITCH)
        self.is_cut = False

    def make(self) -> None:
        _ip("netns", "add", self._called)
        _ip("-n", self._called, "link", "set", "lo", "up")

    def plug_in(self) -> None:
        """Raises: NoNetwork: there is no such thing as a pair of virtual devices."""
        _ip("-n", _servers(), "link", "add", self._port, "type", "veth", "peer", "name", "eth0", "netns", self._called)
        _ip("-n", _servers(), "link", "set", self._port, "master", SWITCH, "up")
        _ip("-n", self._called, "address", "add", f"{self.address}/24", "dev", "eth0")
        _ip("-n", self._called, "link", "set", "eth0", "up")

    def remove(self) -> None:
        _ip("netns", "delete", self._called)


class Network:
    """The hosts by their names, and the one of the servers, whose processes may run elsewhere: what listens there hands on to them."""

    def __init__(self, servers: Namespace, hosts: Sequence[Namespace], ending: ExitStack) -> None:
        self.servers = servers
        self._hosts = {each.name: each for each in hosts}
        self._ending = ending

    def __getitem__(self, name: str) -> Namespace:
        return self._hosts[name]

    def serve(self, port: int, *, to: Path | int) -> None:
        """Let whoever connects to the servers' host at this port reach a Unix socket, or a port of the machine's own loopback."""
        with self.servers.entered():
            listener = socket.create_server((SERVERS_AT, port), backlog=100)
        self._hand_on(listener, lambda: _connected(to))

    def at_loopback(self, host: Namespace, port: int) -> None:
        """Let the servers' port be reached at the same one of the host's loopback, by way of the switch."""
        with host.entered():
            listener = socket.create_server((LOOPBACK, port), backlog=100)
        self._hand_on(listener, lambda: host.connect(SERVERS_AT, port))

    def _hand_on(self, listener: socket.socket, connect: Connect) -> None:
        self._ending.callback(listener.close)
        self._ending.callback(listener.shutdown, socket.SHUT_RDWR)  # or `accept` would wait for ever
        threading.Thread(target=self._accept, args=(listener, connect), daemon=True).start()

    def _accept(self, listener: socket.socket, connect: Connect) -> None:
        while True:
            try:
                asker, (address, _port) = listener.accept()
            except OSError:
                return
            host = next((each for each in self._hosts.values() if each.address == address), self.servers)
            threading.Thread(target=_meet, args=(asker, connect, host), daemon=True).start()


def _meet(asker: socket.socket, connect: Connect, host: Namespace) -> None:
    try:
        answerer = connect()
    except OSError:
        asker.close()
        return
    threading.Thread(target=_pass_on, args=(asker, answerer, host), daemon=True).start()
    _pass_on(answerer, asker, host)


def _pass_on(source: socket.socket, target: socket.socket, host: Namespace) -> None:
    with suppress(OSError):
        while data := source.recv(PIECE):
            time.sleep(host.delay_s)
            target.sendall(data)
    for each in (source, target):  # the other direction ends, too: nobody here speaks on after the other has hung up
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


def _connected(to: Path | int) -> socket.socket:
    if isinstance(to, int):
        return socket.create_connection((LOOPBACK, to))
    made = socket.socket(socket.AF_UNIX)
    made.connect(str(to))
    return made


@contextmanager
def network(names: Sequence[str]) -> Iterator[Network]:
    """Hosts of these names, each reached by all others.

    Raises:
        NoNetwork: it cannot be had here; nothing of it is left.
    """
    _clear_remains()
    servers = Namespace(SERVERS, number=1)
    hosts = [Namespace(name, number=number) for number, name in enumerate(names, start=11)]
    with ExitStack() as ending:
        for each in (servers, *hosts):
            each.make()
            ending.callback(each.remove)
        _ip("-n", _servers(), "link", "add", SWITCH, "type", "bridge")
        _ip("-n", _servers(), "address", "add", f"{SERVERS_AT}/24", "dev", SWITCH)
        _ip("-n", _servers(), "link", "set", SWITCH, "up")
        for each in hosts:
            each.plug_in()
        yield Network(servers, hosts, ending)


def _clear_remains() -> None:
    """Of runs that were killed."""
    for name in _ip("netns", "list").split():
        found = re.fullmatch(r"runsheet-(\d+)-[\w-]+", name)
        if found and not Path(f"/proc/{found[1]}").exists():
            _ip("netns", "delete", name)


def _servers() -> str:
    return f"runsheet-{os.getpid()}-{SERVERS}"


def _ip(*given: str) -> str:
    try:
        return subprocess.run([IP, *given], check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise NoNetwork("there is no program “ip” (Debian: iproute2)") from None
    except subprocess.CalledProcessError as error:
        raise NoNetwork(f"ip {' '.join(given)}: {error.stderr.strip()}") from error
