from ipaddress import ip_address

import pytest

from shared.delivery.guard import is_allowed


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "20.50.2.1", "100.63.255.255", "172.15.0.1", "2606:4700::1111", "2a01:111::1", "::ffff:8.8.8.8"],
)
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_allowed(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - unspecified
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",  # shared address space of carriers
        "100.100.100.200",  # metadata of Alibaba
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",  # Azure's platform service
        "169.254.169.254",  # metadata
        "169.254.0.1",
        "172.16.0.1",
        "192.0.0.1",
        "192.0.0.9",  # called global by Python
        "192.0.0.192",  # metadata of Oracle
        "192.0.2.1",
        "192.88.99.1",  # 6to4 relays, called global by Python
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",  # IPv4-compatible 127.0.0.1
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:168.63.129.16",
        "::ffff:0:7f00:1",  # IPv4-translated
        "64:ff9b::7f00:1",  # NAT64
        "64:ff9b::a83f:8110",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",  # Teredo
        "2001:0:a9fe:a9fe::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "2002:a9fe:a9fe::1",
        "2002:808:808::1",
        "3fff::1",  # documentation, called global by Python
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",  # metadata of AWS
        "fe80::1",
        "fe80::1%1",
        "fec0::1",  # site-local, called global by Python
        "ff02::1",
        "ff0e::1",
    ],
)
def test_everything_else_is_refused(address: str) -> None:
    assert not is_allowed(ip_address(address))
