import pytest

from wagtail_member_reset.member.networks import network_of

SAID = "6.6.6.6, 192.0.2.7, 10.0.0.1"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_visitors_of_one_connection_count_as_one(rf, address, network):
    assert network_of(rf.get("/", REMOTE_ADDR=address)) == network


@pytest.mark.parametrize(
    ("proxies", "said", "network"),
    [
        (0, SAID, "10.9.9.9"),
        (1, SAID, "10.0.0.1"),
        (2, SAID, "192.0.2.7"),
        (2, "192.0.2.7", "10.9.9.9"),
        (2, "junk, 10.0.0.1", "10.9.9.9"),
        (1, "", "10.9.9.9"),
        (1, "6.6.6.6," * 100_000 + "192.0.2.7", "192.0.2.7"),
        (4, SAID, "10.9.9.9"),
        (1, "1" * 4_000, "10.9.9.9"),
        (1, "192.0.2.7:49152", "192.0.2.7"),
        (1, "[2001:db8:1:2::9]:49152", "2001:db8:1:2::/64"),
    ],
)
def test_only_what_our_own_proxies_said_is_believed(rf, settings, proxies, said, network):
    settings.WAGTAIL_MEMBER_RESET_TRUSTED_PROXIES = proxies

    assert network_of(rf.get("/", REMOTE_ADDR="10.9.9.9", headers={"x-forwarded-for": said})) == network
