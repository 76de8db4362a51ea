"""The records say what the data says, and the data forgets no place, no class of data, and no day."""

import ast
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from commands import records as command
from shared.domain.inventory import Depth, Inventory, Items
from shared.domain.place import Place
from shared.domain.processing import CONTROLLER, DATA_CLASSES, PROCESSOR
from shared.domain.promises import PROMISES, Basis
from shared.domain.recipients import RECIPIENTS
from shared.domain.records import document, stale
from shared.domain.residue import PLACES
from shared.domain.sources import SOURCES
from shared.privacy.stocktaking import CLASSES

ROOT = Path(__file__).parents[2]
SEED = ROOT / "local" / "seed"
STORED = ROOT / "docs" / "records.md"


def constant(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def written_classes() -> set[str]:
    """Every value that some code of the product writes as a document's ``dataClass``, or names ``DATA_CLASS``."""
    found: set[str] = set()
    for file in (ROOT / "shared").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "DATA_CLASS":
                found |= {name for name in (constant(node.value),) if name is not None}
            if isinstance(node, ast.Dict):
                pairs = ((constant(key), constant(value)) for key, value in zip(node.keys, node.values, strict=True))
                found |= {value for key, value in pairs if key == "dataClass" and value is not None}
    return found


def test_the_stored_page_is_what_the_data_gives() -> None:
    assert STORED.read_text() == document(), "python -m commands.records > docs/records.md"


def test_no_fact_is_past_the_day_until_which_it_may_be_relied_on() -> None:
    assert stale(datetime.now(UTC).date()) == ()


def test_a_fact_is_stale_from_its_day_on_and_before_it_was_read() -> None:
    first = min(source.expires_on for source in SOURCES)
    assert stale(first) != ()
    assert set(stale(date(2026, 1, 1))) == set(SOURCES)


def test_every_container_has_a_place() -> None:
    containers = json.loads((SEED / "containers.json").read_text())
    assert frozenset[str]().union(*(place.containers for place in PLACES)) == containers.keys()


def test_every_queue_has_a_place_or_is_the_reply_queue_of_a_policy() -> None:
    queues = json.loads((SEED / "queues.json").read_text()).keys()
    replies = {name for file in (SEED / "policies").iterdir() for name in json.loads(file.read_text())["reply_queues"]}
    assert [place.name for place in PLACES if place.reply_queues] == ["reply queues of a policy"]
    assert frozenset[str]().union(*(place.queues for place in PLACES)) == queues - replies


def test_every_class_of_documents_has_a_place() -> None:
    written = written_classes()
    assert written >= {"receipt", "output", "event", "probe", "stamp_state", "abuse_record", "abuse_alert"}
    assert frozenset[str]().union(*(place.data_classes for place in PLACES)) == written


def test_places_have_one_name_each_and_what_a_vendor_says_has_a_source() -> None:
    assert len({place.name for place in PLACES}) == len(PLACES)
    assert [place.name for place in PLACES if place.basis is Basis.VENDOR and not place.sources] == []


def test_every_place_belongs_to_a_class_of_data_and_no_class_to_a_place_that_is_none() -> None:
    assert {name for data_class in DATA_CLASSES for name in data_class.places} == {place.name for place in PLACES}


def test_every_source_that_is_relied_on_is_listed_and_every_listed_one_is_relied_on() -> None:
    relied_on = [holder.sources for holders in (PROMISES, PLACES, RECIPIENTS) for holder in holders]
    assert {source for sources in relied_on for source in sources} == set(SOURCES)


def test_each_recipient_says_on_whose_word_it_stands() -> None:
    assert [one.service for one in RECIPIENTS if one.basis is Basis.VENDOR and not one.sources] == []


def test_every_point_of_article_30_is_there_once() -> None:
    assert [entry.point for entry in CONTROLLER] == [f"30(1)({letter})" for letter in "abcdefg"]
    assert [entry.point for entry in PROCESSOR] == [f"30(2)({letter})" for letter in "abcd"]


def test_what_only_the_controller_knows_is_marked_and_never_guessed() -> None:
    page = document()
    for entry in (*CONTROLLER, *PROCESSOR):
        assert entry.open
        assert all(f"**[to fill in: {what}]**" in page for what in entry.open)
    assert next(entry for entry in CONTROLLER if entry.point == "30(1)(a)").known == ""


@pytest.mark.parametrize("place", [place for place in PLACES if place.is_counted], ids=lambda place: place.name)
def test_a_place_that_is_counted_reads_an_inventory_and_is_unknown_without_one(place: Place) -> None:
    depth = Depth(active=1, scheduled=2, dead_lettered=3)
    queues = dict.fromkeys(("generation-requests", "generation-rejected", "webhook-deliveries"), depth)
    items = {name: Items(count=4, oldest_seconds=5.0) for name in CLASSES}
    assert place.count(Inventory(items=items, queues=queues))
    assert place.count(Inventory()) is None
    assert place.oldest(Inventory()) is None


def test_the_picture_has_what_may_hold_content_or_can_be_counted_and_no_more() -> None:
    undrawn = [place for place in PLACES if not place.is_drawn]
    assert {"evidence", "metrics", "holds", "policies"} <= {place.name for place in undrawn}
    assert [place.name for place in undrawn if place.holds_content or place.is_counted] == []


def test_the_command_prints_the_page_and_compares_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    printed = capsys.readouterr().out
    assert printed == document()
    file = tmp_path / "records.md"
    file.write_text(printed)
    assert command.main(["--check", str(file)]) == 0
    file.write_text(printed + "\n")
    assert command.main(["--check", str(file)]) == 1
    assert "print it anew" in capsys.readouterr().err
    assert command.main(["--check", str(tmp_path / "none.md")]) == 1
    assert "cannot be read" in capsys.readouterr().err
