"""The address guard: webhooks go to public addresses only, and to the very address that was checked.

A host name is resolved once. If any of its addresses is not allowed, none is called: a name that answers with a public and a
private address is misconfigured or hostile, and picking the public one would let its owner try again. The connection is
opened to a checked address, while TLS goes on verifying the host name; there is no second lookup to rebind.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import httpcore2

from shared.domain.webhook_url import LOOPBACK_HOSTS

type Address = IPv4Address | IPv6Address
type Resolver = Callable[[str, int], Awaitable[list[Address]]]
"""All addresses of a host and port; raises `OSError`."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA gives out of IPv6 today. Outside are loopback, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), IPv4-compatible, unique
local (fd00:ec2::254, the metadata of AWS), link-local, site-local fec0::/10, which Python calls global, and multicast."""

_REFUSED = tuple(
    ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's platform service, which Python calls global
        "169.254.0.0/16",  # link-local: instance metadata of most clouds
        "192.0.0.0/24",  # IETF protocol assignments, two of which Python calls global
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # IETF protocol assignments, Teredo (2001::/32) among them
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation, which Python 3.13 calls global
    )
)


def is_allowed(address: Address) -> bool:
    """Whether an address is public unicast; an IPv4-mapped one is judged by the IPv4 address inside."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _REFUSED)


async def resolve(host: str, port: int) -> list[Address]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(address[0])) for *_, address in found))


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections for httpcore2; whatever is not allowed is refused as `httpcore2.ConnectError`.

    ``allow_loopback`` opens the loopback names of the embedded stack, and nothing else, to loopback addresses. ``network``
    dials the address that was checked; it is given literal addresses only.
    """

    def __init__(
        self,
        *,
        allow_loopback: bool,
        resolver: Resolver = resolve,
        network: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._resolve = resolver
        self._allow_loopback = allow_loopback
        self._network = network or httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface has it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve once, check every address, connect to the first that answers."""
        try:
            addresses = await self._resolve(host, port)
        except (OSError, ValueError):
            addresses = []
        if not addresses or not all(self._may_call(host, address) for address in addresses):
            raise httpcore2.ConnectError
        for address in addresses[:-1]:
            try:
                return await self._connect(address, port, timeout, local_address, socket_options)
            except httpcore2.ConnectError:
                continue
        return await self._connect(addresses[-1], port, timeout, local_address, socket_options)

    def _may_call(self, host: str, address: Address) -> bool:
        if self._allow_loopback and host in LOOPBACK_HOSTS:
            return address.is_loopback
        return is_allowed(address)

    async def _connect(
        self,
        address: Address,
        port: int,
        timeout: float | None,  # noqa: ASYNC109 - passed on
        local_address: str | None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
    ) -> httpcore2.AsyncNetworkStream:
        return await self._network.connect_tcp(
            str(address), port, timeout=timeout, local_address=local_address, socket_options=socket_options
        )
