"""No platform lives inside a house, a machine, or a cloud's own machinery, in whatever way that is written."""

import pytest

from monitor.accounts.addresses import is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "100.100.100.200", "0.0.0.0",  # noqa: S104
        "0.1.2.3", "255.255.255.255", "224.0.0.1", "239.255.255.250",
        "192.0.0.192", "192.0.2.1", "198.18.0.1", "203.0.113.9", "240.0.0.1", "168.63.129.16",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1",
        "100::1",
        "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:168.63.129.16",
        "::127.0.0.1", "::a9fe:a9fe", "64:ff9b::169.254.169.254", "64:ff9b::10.0.0.1", "2002:a9fe:a9fe::1",
        "2002:7f00:1::", "2001:0:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:5601:5601",
        "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "127.1", "localhost", "", "1.2.3.4.5",
    ],
)  # fmt: skip
def test_it_may_not_be_called(address: str):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "119.147.3.9", "168.63.129.17", "2400:3200::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]
)
def test_it_may(address: str):
    assert is_public(address)
