"""Where a text lies on the disk of a stack: a byte scan of every file, in the forms in which it could lie there."""

import base64
from pathlib import Path


def files_with(text: str, folder: Path) -> list[str]:
    """Return the files below a folder that hold an ASCII text, plain, as UTF-16 or in Base64 at any alignment."""
    forms = _forms(text)
    found = []
    for path in sorted(folder.rglob("*")):
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:  # a journal that came and went
            continue
        if any(form in content for form in forms):
            found.append(str(path.relative_to(folder)))
    return found


def _forms(text: str) -> list[bytes]:
    plain = text.encode("ascii")
    return [plain, text.encode("utf-16-le"), text.encode("utf-16-be"), *(_base64_core(plain, shift) for shift in range(3))]


def _base64_core(plain: bytes, shift: int) -> bytes:
    """Base64 of the text behind ``shift`` other bytes, without the characters in which neighbours have a part."""
    encoded = base64.b64encode(b"\0" * shift + plain)
    whole = (shift + len(plain)) // 3 * 4
    return encoded[0 if shift == 0 else 4 : whole]
