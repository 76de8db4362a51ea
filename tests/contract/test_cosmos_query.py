"""Queries: the SQL subset, undefined, order, pages, and which partitions a query sees."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosHttpResponseError

from local import clock
from tests.contract.cosmos import Endpoint, document, fresh_endpoint, key

ITEMS: list[dict[str, Any]] = [
    document("one", "a", n=1, kind="output", tags=["x", "y"], deep={"er": {"est": 7}}, expires_at=30),
    document("one", "b", n=2.5, kind="receipt", tags=[{"k": 1, "v": 2}], expires_at=10),
    document("one", "c", n="2", kind="receipt", flag=True, empty=None),
    document("two", "d", n=-3, kind="event", flag=False, expires_at=20, text='it\'s "so"\nlong'),
    {"id": "e", "tenantId": "fabrikam", "jobId": "one", "n": 4, "kind": "output", "expires_at": 40},
]


@pytest.fixture(scope="module")
async def container(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ContainerProxy]:
    with fresh_endpoint(tmp_path_factory.mktemp("query")) as endpoint:
        async with endpoint.container() as opened:
            for item in ITEMS:
                await opened.create_item(item)
            yield opened


@pytest.fixture
def own_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with fresh_endpoint(tmp_path_factory.mktemp("own")) as endpoint:
        yield endpoint


async def ask(
    container: ContainerProxy, text: str, *, within: list[Any] | None = None, values: Mapping[str, object] | None = None
) -> list[Any]:
    given = (values or {}).items()
    parameters: list[dict[str, object]] = [{"name": f"@{name}", "value": value} for name, value in given]
    where: dict[str, Any] = {} if within is None else {"partition_key": within}
    return [each async for each in container.query_items(text, parameters=parameters, **where)]


async def ids(container: ContainerProxy, condition: str, **values: object) -> str:
    return "".join(sorted(await ask(container, f"SELECT VALUE c.id FROM c WHERE {condition}", values=values)))  # noqa: S608


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("c.n = 1", "a"),
        ("1 = c.n", "a"),
        ("c.n = '2'", "c"),
        ("c.n != 1", "bde"),
        ("c.n <> 1", "bde"),
        ("c.n < 2.5", "ad"),
        ("c.n <= 2.5 AND c.n > -3", "ab"),
        ("c.n >= 2.5", "be"),
        ("2.5 <= c.n", "be"),
        ("c.n > '1'", "c"),
        ("c.n BETWEEN 1 AND 3", "ab"),
        ("c.n NOT IN (1, '2')", "bde"),
        ("c.kind IN ('output', \"event\")", "ade"),
        ("c.flag = true", "c"),
        ("c.flag = false OR c.n = 4", "de"),
        ("NOT c.flag", "d"),
        ("NOT (c.flag OR c.n = 1)", "d"),
        ("c.empty = null", "c"),
        ("IS_NULL(c.empty)", "c"),
        ("IS_DEFINED(c.empty) AND IS_NULL(c.empty)", "c"),
        ("NOT IS_DEFINED(c.expires_at)", "c"),
        ("IS_DEFINED(c.deep.er)", "a"),
        ("c.deep.er.est = 7", "a"),
        ('c["deep"]["er"].est = 7', "a"),
        ("c.tags[1] = 'y'", "a"),
        ("c.tags = ['x', 'y']", "a"),
        ("ARRAY_CONTAINS(c.tags, 'x')", "a"),
        ("ARRAY_CONTAINS(c.tags, {}, true)".replace("{}", "@partial"), "b"),
        ("ARRAY_CONTAINS(@letters, c.id)", "ad"),
        ("STARTSWITH(c.kind, 'out')", "ae"),
        ("STARTSWITH(c.kind, 'OUT', true)", "ae"),
        ("c.text = 'it\\'s \"so\"\\nlong'", "d"),
        ("c.absent = 1 OR c.n = 1", "a"),
        ("c.absent != 1", ""),
        ("NOT (c.absent = 1)", ""),
        ("c.absent = c.absent", ""),
        ("c._ts > 1 AND c.id = 'a'", "a"),
        ("c.expires_at <= 20", "bd"),
        ("(c.n = 1 OR c.n = 4) AND c.tenantId = 'fabrikam'", "e"),
    ],
)
async def test_a_filter_selects_what_it_says(container: ContainerProxy, condition: str, expected: str) -> None:
    values = {"partial": {"k": 1}, "letters": ["a", "d"]}
    used = {name: value for name, value in values.items() if f"@{name}" in condition}
    assert await ids(container, condition, **used) == expected


async def test_parameters_stand_for_values(container: ContainerProxy) -> None:
    assert await ids(container, "c.n = @n AND c.kind = @kind", n=1, kind="output") == "a"
    assert await ids(container, "c.empty = @nothing", nothing=None) == "c"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT c.n, c.kind AS what, c.absent FROM c WHERE c.id = 'a'", [{"n": 1, "what": "output"}]),
        ('SELECT x["n"] FROM root AS x WHERE x.id = "a"', [{"n": 1}]),
        ("SELECT VALUE c.deep FROM c WHERE c.id = 'a'", [{"er": {"est": 7}}]),
        ("SELECT VALUE c.absent FROM c", []),
        ("SELECT VALUE COUNT(1) FROM c", [5]),
        ("SELECT VALUE COUNT(c.flag) FROM c", [2]),
        ("SELECT VALUE MIN(c.expires_at) FROM c", [10]),
        ("SELECT VALUE MAX(c.expires_at) FROM c WHERE c.expires_at < 40", [30]),
        ("SELECT VALUE SUM(c.expires_at) FROM c", [100]),
        ("SELECT VALUE AVG(c.expires_at) FROM c", [25]),
        ("select value c.id from c where c.n < 3 order by c.n desc", ["b", "a", "d"]),
        ("SELECT VALUE c.id FROM c WHERE c.expires_at <= 40 ORDER BY c.expires_at", ["b", "d", "a", "e"]),
        ("SELECT TOP 2 VALUE c.id FROM c ORDER BY c.expires_at DESC", ["e", "a"]),
        ("SELECT VALUE c.id FROM c ORDER BY c.expires_at OFFSET 1 LIMIT 2", ["b", "d"]),
        ("SELECT VALUE c.id FROM c ORDER BY c.n", ["d", "a", "b", "e", "c"]),
        ("SELECT VALUE c.id FROM c ORDER BY c._ts OFFSET 5 LIMIT 1", []),
    ],
)
async def test_a_query_has_the_shape_and_the_order_that_it_asks_for(
    container: ContainerProxy, text: str, expected: list[Any]
) -> None:
    assert await ask(container, text) == expected


async def test_a_query_sees_one_partition_a_prefix_of_partitions_or_all(container: ContainerProxy) -> None:
    text = "SELECT VALUE c.id FROM c"
    assert sorted(await ask(container, text, within=key("one"))) == ["a", "b", "c"]
    assert sorted(await ask(container, text, within=["contoso"])) == ["a", "b", "c", "d"]
    assert sorted(await ask(container, text, within=["fabrikam"])) == ["e"]
    assert await ask(container, text, within=["nobody"]) == []
    assert sorted(await ask(container, text)) == ["a", "b", "c", "d", "e"]
    assert await ask(container, "SELECT VALUE COUNT(1) FROM c", within=["contoso"]) == [4]


async def test_all_items_can_be_listed(container: ContainerProxy) -> None:
    assert sorted([item["id"] async for item in container.read_all_items(max_item_count=2)]) == list("abcde")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("SELECT DISTINCT c.kind FROM c", "DISTINCT"),
        ("SELECT COUNT(1) FROM c", "VALUE"),
        ("SELECT VALUE c.id FROM c GROUP BY c.kind", "GROUP"),
        ("SELECT VALUE t FROM c JOIN t IN c.tags", "JOIN"),
        ("SELECT * FROM c ORDER BY c.a, c.b", "ORDER BY"),
        ("SELECT * FROM c WHERE c.kind LIKE 'CANARY%'", "LIKE"),
        ("SELECT * FROM c WHERE REGEXMATCH(c.kind, 'CANARY')", "REGEXMATCH"),
        ("SELECT * FROM c WHERE c.n + 1 = 2", "+"),
        ("SELECT * FROM c WHERE c.kind = 'CANARY' !", "Syntax"),
        ("SELECT * FROM c WHERE c.kind = @absent", "parameter"),
        ("SELECT * FROM c WHERE (c.kind = 'CANARY'", "Syntax"),
        ("SELECT * FROM c WHERE d.kind = 'CANARY'", "alias"),
    ],
)
async def test_what_is_not_supported_is_refused_by_name_and_without_quoting_values(
    container: ContainerProxy, text: str, named: str
) -> None:
    with pytest.raises(CosmosHttpResponseError) as refused:
        await ask(container, text, within=key("one"))
    assert refused.value.status_code == 400
    assert named in str(refused.value)
    assert "CANARY" not in str(refused.value)


async def test_pages_hold_what_is_asked_for_and_continue_where_they_ended(own_endpoint: Endpoint) -> None:
    async with own_endpoint.container() as container:
        for number in range(25):
            await container.create_item(document("pages", f"i{number}", n=number % 7, expires_at=number // 2))
        for order in ("", "ORDER BY c.n", "ORDER BY c.n DESC", "ORDER BY c.expires_at"):
            text = f"SELECT VALUE c.id FROM c WHERE c.n >= 0 {order}"  # noqa: S608
            whole = await ask(container, text, within=key("pages"))
            paged: list[Any] = []
            sizes: list[int] = []
            token: str | None = None
            while not sizes or token:
                pages = container.query_items(text, partition_key=key("pages"), max_item_count=10).by_page(token)
                page: list[Any] = [each async for each in await anext(pages)]
                token = getattr(pages, "continuation_token", None)
                paged += page
                sizes.append(len(page))
            assert paged == whole
            assert sizes == [10, 10, 5]


async def test_deleting_the_items_of_a_page_skips_nothing_on_the_next(own_endpoint: Endpoint) -> None:
    async with own_endpoint.container() as container:
        for number in range(30):
            await container.create_item(document(f"job{number}", expires_at=number))
        deleted = []
        text = "SELECT c.jobId FROM c WHERE c.expires_at <= @now ORDER BY c.expires_at"
        found = container.query_items(text, parameters=[{"name": "@now", "value": 20}], max_item_count=4)
        async for page in found.by_page():
            async for item in page:
                await container.delete_item("receipt", key(item["jobId"]))
                deleted.append(item["jobId"])
        assert deleted == [f"job{number}" for number in range(21)]


async def test_expired_items_are_in_no_query(own_endpoint: Endpoint) -> None:
    async with own_endpoint.container() as container:
        await container.create_item(document("short", ttl=60))
        await container.create_item(document("long", ttl=6000))
        clock.advance(61)
        assert await ask(container, "SELECT VALUE c.jobId FROM c") == ["long"]
        assert await ask(container, "SELECT VALUE COUNT(1) FROM c", within=["contoso"]) == [1]
