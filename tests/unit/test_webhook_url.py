import re

import pytest

from shared.domain.webhook_url import HOST_PATTERN, Target, check_url
from shared.errors import Refusal, WebhookRefused

HOSTS = ("example.com", "*.hooks.example.org", "127.0.0.1", "localhost")


def refusal(url: str, *, hosts: tuple[str, ...] = HOSTS, allow_loopback: bool = False) -> Refusal:
    with pytest.raises(WebhookRefused) as refused:
        check_url(url, hosts=hosts, allow_loopback=allow_loopback)
    assert str(refused.value) == "The webhook endpoint is refused; see the reason."
    return refused.value.reason


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://example.com/hook", "example.com", "/hook"),
        ("https://example.com", "example.com", "/"),
        ("https://example.com:443/a/b%20c;d=1", "example.com", "/a/b%20c;d=1"),
        ("HTTPS://EXAMPLE.COM/Hook", "example.com", "/Hook"),
        ("https://a.hooks.example.org/", "a.hooks.example.org", "/"),
        ("https://b.a.hooks.example.org/", "b.a.hooks.example.org", "/"),
    ],
)
def test_an_https_url_of_an_allowed_host_is_taken(url: str, host: str, path: str) -> None:
    expected = Target(scheme="https", host=host, port=443, path=path, loopback=False)
    assert check_url(url, hosts=HOSTS, allow_loopback=False) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://evil-example.com/",  # ends in the same letters
        "https://example.com.evil.net/",
        "https://example.com-evil.net/",
        "https://www.example.com/",  # an exact entry covers no subdomain
        "https://hooks.example.org/",  # a wildcard does not cover its own apex
        "https://evilhooks.example.org/",
        "https://xn--exmple-cua.com/",  # exämple.com
        "https://xn--80ak6aa92e.com/",
    ],
)
def test_a_look_alike_is_not_the_host_that_the_policy_allows(url: str) -> None:
    assert refusal(url) is Refusal.URL_HOST_NOT_ALLOWED


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", Refusal.URL_SCHEME),
        ("ftp://example.com/", Refusal.URL_SCHEME),
        ("file:///etc/passwd", Refusal.URL_SCHEME),
        ("https://user@example.com/", Refusal.URL_USERINFO),
        ("https://example.com@evil.net/", Refusal.URL_USERINFO),
        ("https://example.com:pw@evil.net/", Refusal.URL_USERINFO),
        ("https://example.com:443@evil.net/", Refusal.URL_USERINFO),
        ("https://example.com/?q=1", Refusal.URL_QUERY),
        ("https://example.com/?", Refusal.URL_QUERY),
        ("https://evil.net?@example.com/", Refusal.URL_QUERY),
        ("https://example.com/#f", Refusal.URL_FRAGMENT),
        ("https://evil.net#@example.com/", Refusal.URL_FRAGMENT),
        ("https://example.com:8443/", Refusal.URL_PORT),
        ("https://example.com:80/", Refusal.URL_PORT),
        ("https://example.com:/", Refusal.URL_PORT),
        ("https://example.com:0443/", Refusal.URL_PORT),
        ("https://example.com:443:443/", Refusal.URL_PORT),
        ("https://example.com:99999/", Refusal.URL_PORT),
        ("https://example.com./", Refusal.URL_HOST),
        ("https://.example.com/", Refusal.URL_HOST),
        ("https://exa_mple.com/", Refusal.URL_HOST),
        ("https://example%2ecom/", Refusal.URL_HOST),
        ("https://localhost/", Refusal.URL_HOST),
        ("https://127.0.0.1/", Refusal.URL_HOST),
        ("https://127.1/", Refusal.URL_HOST),
        ("https://0x7f000001/", Refusal.URL_HOST),
        ("https://2130706433/", Refusal.URL_HOST),
        ("https://0177.0.0.0x1/", Refusal.URL_HOST),
        ("https://[::1]/", Refusal.URL_HOST),
        ("https:///", Refusal.URL_HOST),
        ("https:///example.com/", Refusal.URL_HOST),
        ("", Refusal.URL_INVALID),
        ("example.com", Refusal.URL_INVALID),
        ("https:example.com", Refusal.URL_INVALID),
        ("https:\\\\example.com/", Refusal.URL_INVALID),
        ("https://example.com\\@evil.net/", Refusal.URL_INVALID),
        ("https://evil.net\\.example.com/", Refusal.URL_INVALID),
        (" https://example.com/", Refusal.URL_INVALID),
        ("https://example.com/\n", Refusal.URL_INVALID),
        ("https://example.com/\r\nX: 1", Refusal.URL_INVALID),
        ("https://exam\tple.com/", Refusal.URL_INVALID),
        ("https://example.com/a b", Refusal.URL_INVALID),
        ("https://example.com/%zz", Refusal.URL_INVALID),
        ("https://\u0435xample.com/", Refusal.URL_INVALID),  # a Cyrillic letter
        ("https://example\u3002com/", Refusal.URL_INVALID),  # a full stop that some parsers take for a dot
        ("https://example.com/" + "a" * 2048, Refusal.URL_INVALID),
    ],
)
def test_whatever_could_be_read_in_two_ways_is_refused(url: str, reason: Refusal) -> None:
    assert refusal(url) is reason


def test_without_an_allowed_host_nothing_is_taken() -> None:
    assert refusal("https://example.com/", hosts=()) is Refusal.URL_HOST_NOT_ALLOWED


def test_loopback_http_is_taken_only_where_the_settings_say_so() -> None:
    url = "http://127.0.0.1:8084/hooks/a"
    assert refusal(url) is Refusal.URL_SCHEME
    target = check_url(url, hosts=HOSTS, allow_loopback=True)
    assert target == Target(scheme="http", host="127.0.0.1", port=8084, path="/hooks/a", loopback=True)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", Refusal.URL_SCHEME),
        ("http://127.0.0.2/", Refusal.URL_SCHEME),
        ("http://localhost.evil.net/", Refusal.URL_SCHEME),
        ("https://localhost/", Refusal.URL_HOST),
    ],
)
def test_the_loopback_setting_opens_the_two_loopback_names_and_nothing_else(url: str, reason: Refusal) -> None:
    assert refusal(url, allow_loopback=True) is reason


def test_loopback_needs_the_policy_too() -> None:
    assert refusal("http://localhost:1/", hosts=("example.com",), allow_loopback=True) is Refusal.URL_HOST_NOT_ALLOWED


@pytest.mark.parametrize("pattern", ["example.com", "*.example.com", "localhost", "127.0.0.1", "xn--exmple-cua.com"])
def test_a_policy_lists_names_and_wildcards(pattern: str) -> None:
    assert re.fullmatch(HOST_PATTERN, pattern)


@pytest.mark.parametrize(
    "pattern", ["*", "*.com", "*.*.com", "a*.example.com", "Example.com", "example.com.", "a/b.c", "", "http://a.b"]
)
def test_a_policy_lists_nothing_wider(pattern: str) -> None:
    assert not re.fullmatch(HOST_PATTERN, pattern)
