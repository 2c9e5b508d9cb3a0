"""What page the user is on, from the address or title that the widget passes: untrusted, only ever looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

_WORDS = 120


def documents_on(page: str, pages: Mapping[str, str]) -> tuple[str, ...]:
    """Documents whose address is this page's, or whose id is a part of its path; empty where none is."""
    path = _path(page)
    if path is None:
        return ()
    whole = pages.get(path)
    if whole is not None:
        return (whole,)
    return tuple(dict.fromkeys(pages[part] for part in reversed(path.split("/")) if part in pages))


def words_of(page: str) -> str:
    """The page as words to search for: its title as it is, or the readable parts of its path; may be empty."""
    path = _path(page)
    text = page if path is None else " ".join(path.split("/"))
    text = re.sub(r"\.(?:html?|php|aspx?)\b", " ", text, flags=re.IGNORECASE)
    words = re.sub(r"[\W_]+", " ", text).split()
    return " ".join(word for word in words if not word.isdigit())[:_WORDS]


def page_key(url: str) -> str | None:
    """What a page's address is remembered by: its path, without query and case."""
    path = _path(url)
    return path or None


def _path(page: str) -> str | None:
    """The path of an address, decoded and in lower case; None for a title."""
    if not re.match(r"^(?:[a-z][a-z0-9+.-]*://|/)", page.strip(), re.IGNORECASE):
        return None
    try:
        return unquote(urlsplit(page.strip()).path).strip("/").casefold()
    except ValueError:
        return ""
