"""What the contracts of import-linter (pyproject.toml) do not hold: one SDK's place, and the size of a file."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    ROOT / "function_app.py",
    *(
        file
        for folder in ("commands", "functions", "shared", "local", "tests")
        for file in sorted((ROOT / folder).rglob("*.py"))
    ),
]
LONGEST_FILE = 300
PRODUCT = [file for file in FILES if file.relative_to(ROOT).parts[0] in {"function_app.py", "commands", "functions", "shared"}]
HTTP = {"aiohttp", "http.client", "httpcore2", "httpx2", "requests", "socket", "urllib.request.urlopen", "urllib3"}
"""Modules with which a request can be sent."""
SENDERS = {
    "shared/azure/cosmos.py": {"aiohttp"},  # the errors of the transport below the store
    "shared/azure/management.py": {"aiohttp"},  # the same, below Azure Resource Manager's pipeline
    "shared/azure/model.py": {"httpx2"},
    "shared/azure/vault.py": {"aiohttp"},  # the same, below Key Vault's pipeline
    "shared/delivery/guard.py": {"httpcore2", "socket"},  # webhooks, to guarded addresses
    "shared/delivery/sender.py": {"httpcore2", "httpx2"},
    "shared/jwks.py": {"httpx2"},  # the signing keys of trusted issuers
}


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def imports(file: Path) -> set[str]:
    """Every module that a file imports, at any depth of its code."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_the_files_of_the_project_are_found() -> None:
    assert {"function_app.py", "functions/generation.py", "shared/domain/request.py"} <= {name(file) for file in FILES}
    assert "azure.functions" in imports(ROOT / "functions" / "generation.py")


@pytest.mark.parametrize("file", [file for file in FILES if file.is_relative_to(ROOT / "shared")], ids=name)
def test_the_product_knows_no_type_of_azure_functions(file: Path) -> None:
    assert not {module for module in imports(file) if module.startswith("azure.functions")}


def named(file: Path, modules: set[str]) -> set[str]:
    """Which of some modules a file imports, themselves or something of them."""
    found = imports(file)
    return {one for one in modules if any(other == one or other.startswith(f"{one}.") for other in found)}


def test_one_place_builds_model_clients() -> None:
    assert [name(file) for file in PRODUCT if named(file, {"openai"})] == ["shared/azure/model.py"]


def test_nothing_else_of_the_product_sends_requests_of_its_own_but_to_guarded_places() -> None:
    found = {name(file): named(file, HTTP) for file in PRODUCT}
    assert {file: modules for file, modules in found.items() if modules} == SENDERS


def test_no_import_is_hidden_in_a_text() -> None:
    hiding = [name(file) for file in PRODUCT if "importlib" in imports(file) or "__import__" in file.read_text()]
    assert hiding == []


def test_the_product_has_no_api_key_but_the_placeholder_that_the_client_wants() -> None:
    lines = [
        f"{name(file)}: {line.strip()}"
        for file in PRODUCT
        for line in file.read_text().splitlines()
        if re.search(r"api[-_]?key|ocp-apim-subscription-key|sk-", line, re.IGNORECASE)
    ]
    assert len(lines) == 1
    assert lines[0].startswith("shared/azure/model.py: ")
    assert "api_key=_NO_KEY," in lines[0]


def test_every_folder_of_tests_is_run() -> None:
    """They are named one by one for the sake of their order."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    found = {"/".join(file.relative_to(ROOT).parts[:2]) for file in FILES if file.name.startswith("test_")}
    assert sorted(options["testpaths"]) == sorted(found)


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_file_has_at_most_300_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= LONGEST_FILE
