"""The demo's part over HTTP: what a system does with the official OpenAI client, each step with what must come of it."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from openai import APIStatusError, OpenAI, OpenAIError
from openai.types.responses import Response

from local.demo.steps import Row, TookTooLongError, awaited

KEY = "order-17"
PROMPT = "Which river is the other one?"


def run(endpoints: dict[str, Any]) -> list[Row]:
    """Do all steps in their order, each whatever became of the ones before it."""
    with _client(endpoints, "contoso") as openai, _client(endpoints, "fabrikam") as stranger:
        caller = _Caller(openai=openai, stranger=stranger, receiver=endpoints["webhook_receiver"])
        return [Row(step=step, means=name, expected=end, found=_found(act)) for step, name, end, act in caller.steps()]


@dataclass(kw_only=True)
class _Caller:
    """A system of one tenant, and a stranger from another."""

    openai: OpenAI
    stranger: OpenAI
    receiver: str
    _secret: str = ""
    _ids: list[str] = field(default_factory=list)
    """Of the responses in the order of their submission."""

    def steps(self) -> list[tuple[str, str, str, Callable[[], str]]]:
        """All steps: what is done, by which method of the client, what must come of it, and how it is done."""
        return [
            ("register a webhook endpoint", "webhooks.create", "a secret", self.register),
            ("submit a request", "responses.create(background=True)", "queued", self.submit),
            ("ask until it has ended", "responses.retrieve", "completed", self.poll),
            ("be called back, and verify it", "webhooks.unwrap", "response.completed of this id", self.unwrap),
            ("submit it again under its key", "responses.create", "the same id", self.submit_again),
            ("other content under this key", "responses.create", "409 conflict", self.submit_other),
            ("ask without background", "responses.create", "400 missing_field", self.stay_on_the_line),
            ("cancel a running request", "responses.cancel", "cancelled", self.cancel),
            ("be called back about that, too", "webhooks.unwrap", "response.cancelled of this id", self.unwrap),
            ("read it as another tenant", "responses.retrieve", "404 not_found", self.pry),
            ("delete the first answer", "responses.delete", "done", self.delete),
            ("read what is deleted", "responses.retrieve", "404 not_found", self.read_deleted),
        ]

    def register(self) -> str:
        url = f"{self.receiver}/hooks/demo"
        made = self.openai.webhooks.create(name="demo", url=url, event_types=["response.completed", "response.cancelled"])
        self._secret = made.signing_secret
        return "a secret" if self._secret.startswith("whsec_") else "no secret"

    def submit(self) -> str:
        response = self._create(PROMPT, key=KEY)
        self._ids.append(response.id)
        return str(response.status)

    def poll(self) -> str:
        def ended() -> str | None:
            status = self.openai.responses.retrieve(self._ids[0]).status
            return status if status not in {"queued", "in_progress"} else None

        return awaited(ended)

    def unwrap(self) -> str:
        def arrived() -> str | None:
            with urllib.request.urlopen(f"{self.receiver}/_control/received") as answer:  # noqa: S310 - the stack's own loopback URL
                received = json.load(answer)["received"]
            events = [self.openai.webhooks.unwrap(each["body"], each["headers"], secret=self._secret) for each in received]
            return next((f"{event.type} of this id" for event in events if _about(event) == self._ids[-1]), None)

        return awaited(arrived)

    def submit_again(self) -> str:
        return "the same id" if self._create(PROMPT, key=KEY).id == self._ids[0] else "another id"

    def submit_other(self) -> str:
        return f"accepted as {self._create('And who is the ferryman?', key=KEY).id}"

    def stay_on_the_line(self) -> str:
        return str(self.openai.responses.create(model="gpt-small", input=PROMPT).status)

    def cancel(self) -> str:
        self._ids.append(self._create("[[delay:2000]] On second thoughts.", key="order-18").id)
        return str(self.openai.responses.cancel(self._ids[-1]).status)

    def pry(self) -> str:
        return str(self.stranger.responses.retrieve(self._ids[0]).status)

    def delete(self) -> str:
        self.openai.responses.delete(self._ids[0])
        return "done"

    def read_deleted(self) -> str:
        return str(self.openai.responses.retrieve(self._ids[0]).status)

    def _create(self, prompt: str, *, key: str) -> Response:
        headers = {"Idempotency-Key": key}
        return self.openai.responses.create(model="gpt-small", input=prompt, background=True, extra_headers=headers)


def _client(endpoints: dict[str, Any], tenant: str) -> OpenAI:
    return OpenAI(base_url=f"{endpoints['http']}/openai/v1", api_key=endpoints["tokens"][tenant])


def _found(act: Callable[[], str]) -> str:
    try:
        return act()
    except APIStatusError as error:
        return f"{error.status_code} {error.code}"
    except (OpenAIError, TookTooLongError, OSError, IndexError) as error:
        return type(error).__name__


def _about(event: object) -> str | None:
    return getattr(getattr(event, "data", None), "id", None)
