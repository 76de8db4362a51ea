"""The answer of ``POST embeddings``: unit vectors that depend on nothing but their text."""

import base64
import hashlib
import json
import math
import struct

from local.model import completion, errors
from local.model.prompt import Json, Prompt

DEFAULT_DIMENSIONS = 1536
MAX_DIMENSIONS = 3072


def build(body: Json, prompt: Prompt) -> dict[str, object]:
    """Build a CreateEmbeddingResponse, in numbers or (as the SDK asks by default) in base64 of 32-bit floats."""
    dimensions = body.get("dimensions", DEFAULT_DIMENSIONS)
    if not isinstance(dimensions, int) or not 1 <= dimensions <= MAX_DIMENSIONS:
        raise errors.invalid("invalid_value", "Invalid value for 'dimensions'.", "dimensions")
    encoding = body.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        raise errors.invalid("invalid_value", "Invalid value for 'encoding_format'.", "encoding_format")
    vectors = [vector(one, dimensions) for one in _inputs(body["input"])]
    used = completion.tokens(prompt.characters) or len(vectors)
    return {
        "object": "list",
        "model": body["model"],
        "data": [
            {"object": "embedding", "index": index, "embedding": _pack(one) if encoding == "base64" else one}
            for index, one in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def vector(text: str, dimensions: int) -> list[float]:
    """Stretch a text's hash to a vector of length 1."""
    noise = hashlib.shake_256(text.encode(errors="surrogatepass")).digest(2 * dimensions)
    numbers = [number / 32768 for number in struct.unpack(f"<{dimensions}h", noise)]
    length = math.hypot(*numbers) or 1.0
    return [number / length for number in numbers]


def _inputs(value: object) -> list[str]:
    """One text per vector: a string, a list of strings, one list of tokens, or a list of those."""
    if isinstance(value, list) and not all(isinstance(one, int) for one in value):
        return [one if isinstance(one, str) else json.dumps(one) for one in value]
    return [value if isinstance(value, str) else json.dumps(value)]


def _pack(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
