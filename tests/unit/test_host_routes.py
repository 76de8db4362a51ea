import pytest

from local.host.errors import StartError
from local.host.routes import compile_route

GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("prefix", "template", "path", "expected"),
    [
        ("", "items", "/items", {}),
        ("", "items", "/ITEMS/", {}),
        ("", "items", "/items/1", None),
        ("api", "items", "/api/items", {}),
        ("api", "items", "/items", None),
        ("openai/v1", "responses/{id}", "/openai/v1/responses/resp_1", {"id": "resp_1"}),
        ("", "items/{id}", "/items/", None),
        ("", "items/{id}", "/items/a/b", None),
        ("", "items/{id}", "/items/a%20b", {"id": "a b"}),
        ("", "items/{id}", "/items/a%2Fb", {"id": "a%2Fb"}),
        ("", "items/{id}", "/items/%C3%A4", {"id": "ä"}),
        ("", "items/{id:guid}", f"/items/{GUID}", {"id": GUID}),
        ("", "items/{id:guid}", "/items/x", None),
        ("", "items/{n:int}", "/items/-12", {"n": "-12"}),
        ("", "items/{n:int}", "/items/1.5", None),
        ("", "items/{id?}", "/items", {}),
        ("", "items/{id?}", "/items/1", {"id": "1"}),
        ("", "files/{*path}", "/files/a/b/c", {"path": "a/b/c"}),
        ("", "files/{*path}", "/files", {}),
        ("", "{id}.json", "/7.json", {"id": "7"}),
        ("", "v1.0", "/v1x0", None),
    ],
)
def test_a_path_matches_its_template(prefix: str, template: str, path: str, expected: dict[str, str] | None) -> None:
    assert compile_route(template, prefix=prefix).match(path) == expected


def test_the_more_specific_template_sorts_first() -> None:
    templates = ["{*all}", "items/{id}", "items/{id:int}", "items/lookup"]
    ordered = sorted(templates, key=lambda template: compile_route(template, prefix="").precedence)
    assert ordered == ["items/lookup", "items/{id:int}", "items/{id}", "{*all}"]


@pytest.mark.parametrize("template", ["items/{id:regex(^a)}", "items/{id:color}", "items/{id", "items/{id=5}"])
def test_a_template_that_is_not_understood_is_refused(template: str) -> None:
    with pytest.raises(StartError):
        compile_route(template, prefix="")
