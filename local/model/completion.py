"""What the simulated model says: the same request always gets the same words."""

import json
from dataclasses import dataclass
from itertools import cycle, islice

from local.model.directives import Directives
from local.model.filters import Noticed
from local.model.prompt import Json, Prompt

ECHOED_WORDS = 12
NOTHING_TO_ECHO = "Done."
CHARACTERS_PER_TOKEN = 4
"""A rule of thumb in place of a tokenizer: usage must be plausible and repeatable, not exact."""


@dataclass(frozen=True, kw_only=True)
class Completion:
    """A text, or the arguments of a call where ``call`` names a function; ``cut`` when a token limit ended it."""

    text: str
    call: str | None
    cut: bool
    prompt_characters: int
    blocked: str | None
    unfiltered: bool
    noticed: Noticed

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the prompt, for usage."""
        return tokens(self.prompt_characters)

    @property
    def tokens(self) -> int:
        """Tokens of the completion, for usage."""
        return tokens(len(self.text))


def complete(body: Json, prompt: Prompt, asked: Directives) -> Completion:
    """Generate for a checked request."""
    call = asked.call if asked.call in _functions(body) else None
    text = prompt.last_words(ECHOED_WORDS) or NOTHING_TO_ECHO
    if asked.length is not None:
        text = "".join(islice(cycle(f"{text} "), asked.length))
    if call or _wants_json(body):
        text = json.dumps({"echo": text}, ensure_ascii=False)
    limit = _limit(body)
    cut = limit is not None and tokens(len(text)) > limit
    if limit is not None and cut:
        text = text[: limit * CHARACTERS_PER_TOKEN]
    return Completion(
        text=text,
        call=call,
        cut=cut,
        prompt_characters=prompt.characters,
        blocked=asked.block_completion,
        unfiltered=asked.unfiltered,
        noticed=asked.noticed,
    )


def tokens(characters: int) -> int:
    """Count tokens by the rule of thumb, rounded up."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def _limit(body: Json) -> int | None:
    for name in ("max_output_tokens", "max_completion_tokens", "max_tokens"):
        limit = body.get(name)
        if isinstance(limit, int) and limit > 0:
            return limit
    return None


def _functions(body: Json) -> set[str]:
    """Names of the functions on offer; the Responses API has them flat, chat one level down."""
    tools = body.get("tools")
    offered = tools if isinstance(tools, list) else []
    return {str((tool.get("function") or tool).get("name")) for tool in offered}


def _wants_json(body: Json) -> bool:
    text = body.get("text")
    wanted = text.get("format") if isinstance(text, dict) else body.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema")
