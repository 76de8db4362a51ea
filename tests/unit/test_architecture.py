"""What the contracts of import-linter (pyproject.toml) do not hold: one SDK's place, and the size of a file."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    ROOT / "function_app.py",
    *(file for folder in ("functions", "shared", "local", "tests") for file in sorted((ROOT / folder).rglob("*.py"))),
]
LONGEST_FILE = 300


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


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_file_has_at_most_300_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= LONGEST_FILE
