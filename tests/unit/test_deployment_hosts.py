"""Which base URLs ``LETHE_DEPLOYMENTS`` may list: those of Azure OpenAI resources, and of loopback for the embedded stack."""

import json

import httpx2
import pytest

from shared.domain.residency import Geography
from shared.errors import InvalidSettings
from shared.setting_values import Reader

DEPLOYMENT = {
    "name": "gpt-small-eu",
    "resource_id": "/subscriptions/11e7be00/resourceGroups/lethe/providers/Microsoft.CognitiveServices/accounts/lethe",
    "region": "swedencentral",
    "geography": "eu",
    "sku": "DataZoneStandard",
    "model": "gpt-small",
}


def read(endpoint: str) -> str:
    """List one deployment at an endpoint; return the endpoint that the settings have."""
    listed = json.dumps([DEPLOYMENT | {"endpoint": endpoint}])
    (deployment,) = Reader({"LETHE_DEPLOYMENTS": listed}).deployments("LETHE_DEPLOYMENTS", Geography.EU).values()
    return deployment.endpoint


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://lethe.openai.azure.com/openai/v1/", "lethe.openai.azure.com"),
        ("https://lethe.openai.azure.com/openai/v1", "lethe.openai.azure.com"),
        ("https://lethe.openai.azure.com:443/openai/v1/", "lethe.openai.azure.com"),
        ("https://LETHE-1.OpenAI.Azure.com/openai/v1/", "lethe-1.openai.azure.com"),
        ("https://lethe.openai.azure.us/openai/v1/", "lethe.openai.azure.us"),
        ("https://lethe.openai.azure.cn/openai/v1/", "lethe.openai.azure.cn"),
        ("https://lethe.cognitiveservices.azure.com/openai/v1/", "lethe.cognitiveservices.azure.com"),
        ("https://lethe.services.ai.azure.com/api/projects/a-1_b/openai/v1/", "lethe.services.ai.azure.com"),
        ("http://127.0.0.1:9000/openai/v1/", "127.0.0.1"),
        ("http://localhost:9000/openai/v1/", "localhost"),
        ("http://[::1]:9000/openai/v1/", "::1"),
    ],
)
def test_a_resource_is_listed_and_the_connection_reads_the_same_host(url: str, host: str) -> None:
    assert read(url) == url
    assert httpx2.URL(url).raw_host.decode() == host


@pytest.mark.parametrize(
    "url",
    [
        # another service
        "https://api.openai.com/v1",
        "https://eu.api.openai.com/v1",
        "https://openai.azure.com/openai/v1/",
        "https://lethe.azure.com/openai/v1/",
        "https://lethe.openai.azure.evil/openai/v1/",
        "https://20.61.99.1/openai/v1/",
        "https://[2603:1020::1]/openai/v1/",
        # the name with something before it, behind it, or in another part of the URL
        "https://lethe.openai.azure.com.evil.example/openai/v1/",
        "https://openai.azure.com.evil/openai/v1/",
        "https://lethe-openai.azure.com/openai/v1/",
        "https://a.lethe.openai.azure.com/openai/v1/",
        "https://.openai.azure.com/openai/v1/",
        "https://-.openai.azure.com/openai/v1/",
        "https://lethe.openai.azure.com./openai/v1/",
        "https://lethe.openai.azure.com@evil.example/openai/v1/",
        "https://evil.example@lethe.openai.azure.com/openai/v1/",
        "https://@lethe.openai.azure.com/openai/v1/",
        "https://:@lethe.openai.azure.com/openai/v1/",
        "https://evil.example/lethe.openai.azure.com",
        "https://evil.example/#.openai.azure.com",
        "https://evil.example?.openai.azure.com",
        "https:lethe.openai.azure.com/openai/v1/",
        "https:///lethe.openai.azure.com/openai/v1/",
        "//lethe.openai.azure.com/openai/v1/",
        # what one parser takes for a part of the name and another for its end
        "https://evil.example\\.openai.azure.com/openai/v1/",
        "https://evil.example%2f.openai.azure.com/openai/v1/",
        "https://evil.example%23.openai.azure.com/openai/v1/",
        "https://evil.example%00.openai.azure.com/openai/v1/",
        "https://evil.example\x00.openai.azure.com/openai/v1/",
        "https://evil.example .openai.azure.com/openai/v1/",
        "https://evil.example,.openai.azure.com/openai/v1/",
        "https://evil.example;.openai.azure.com/openai/v1/",
        "https://evil.example:443\\.openai.azure.com/openai/v1/",
        "https://lethe.openai.azure.com\n/openai/v1/",
        "https://lethe.openai.azure.com/openai/v1/\n",
        "\x01https://lethe.openai.azure.com/openai/v1/",
        " https://lethe.openai.azure.com/openai/v1/",
        # letters that look the same, and what the rules of names fold into a dot or a letter
        "https://l\u0435the.openai.azure.com/openai/v1/",
        "https://xn--lthe-v4d.openai.azure.com/openai/v1/",
        "https://evil.example\u3002.openai.azure.com/openai/v1/",
        "https://evil.example\uff0f.openai.azure.com/openai/v1/",
        "https://lethe\uff0eopenai.azure.com/openai/v1/",
        "https://\u212a.openai.azure.com/openai/v1/",
        "https://lethe\u200b.openai.azure.com/openai/v1/",
        "https://lethe\u00ad.openai.azure.com/openai/v1/",
        # ports and paths
        "https://lethe.openai.azure.com:8443/openai/v1/",
        "https://lethe.openai.azure.com:0/openai/v1/",
        "https://lethe.openai.azure.com:99999/openai/v1/",
        "https://lethe.openai.azure.com:evil/openai/v1/",
        "https://lethe.openai.azure.com:/openai/v1/",
        "https://lethe.openai.azure.com//evil.example/",
        "https://lethe.openai.azure.com/openai/v1/?api-key=evil",
        "https://lethe.openai.azure.com/openai/v1/?",
        "https://lethe.openai.azure.com/openai/v1/#",
        "https://lethe.openai.azure.com/a b/",
        "https://lethe.openai.azure.com/%2e%2e/",
        # loopback in other spellings, and what only begins like it
        "http://127.0.0.2:9000/openai/v1/",
        "http://127.1:9000/openai/v1/",
        "http://2130706433/openai/v1/",
        "http://localhost.:9000/openai/v1/",
        "http://localhost.evil.example/openai/v1/",
        "http://127.0.0.1.evil.example/openai/v1/",
        "http://127.0.0.1\\@evil.example/openai/v1/",
        "http://127.0.0.1@evil.example/openai/v1/",
        "http://[::1]evil.example/openai/v1/",
        "http://[::ffff:127.0.0.1]:9000/openai/v1/",
        # schemes
        "http://lethe.openai.azure.com/openai/v1/",
        "https://127.0.0.1:9000/openai/v1/",
        "ftp://lethe.openai.azure.com/openai/v1/",
        "file:///lethe.openai.azure.com",
        "javascript://lethe.openai.azure.com/%0a",
        "wss://lethe.openai.azure.com/openai/v1/",
        "",
    ],
)
def test_nothing_that_looks_like_a_resource_is_listed(url: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        read(url)
    assert refused.value.setting == "LETHE_DEPLOYMENTS"
    assert not url or url not in str(refused.value)
