"""Markdown files with the article's keys as front matter, or without any."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from assistant.errors import InputRejected
from ingest.sources.decoding import decode
from ingest.sources.files import Limits, SourceFile
from ingest.sources.items import SourceItem
from ingest.sources.schemas import parse_article
from ingest.sources.tables import listed

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)(?:^|\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_KEY_LINE = re.compile(r"^[A-Za-z_][\w-]*[ \t]*:", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$|^(\S[^\n]*)\n=+[ \t]*$", re.MULTILINE)
_FENCED = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1[`~]*[ \t]*$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}")
_LISTS = ("questions", "negative_questions", "tags")
_NULLS = ("", "~", "null", "Null", "NULL")


def read_markdown(file: SourceFile, limits: Limits) -> Iterator[SourceItem | InputRejected]:
    """The file as one article; without front matter its id is its path and its title the first heading."""
    text, encoding = decode(file.path.read_bytes(), file.name)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    values: dict[str, object] = {}
    match = _FRONT.match(text)
    # a first line of dashes may also be a ruler
    if match and (_KEY_LINE.search(match[1]) or not match[1].strip()):
        values = _front_matter(match[1], file.name)
        text = text[match.end() :]
    elif _KEY_LINE.match(text.partition("\n")[2]) and text.startswith("---\n"):
        raise InputRejected(file.name, "the front matter is not closed by a line of ---", 1)
    values.setdefault("id", file.name)
    values.setdefault("title", first_heading(text) or file.stem)
    if "body" in values:
        raise InputRejected(file.name, 'key "body" does not belong in front matter; the text below it is the body')
    values["body"] = text.strip()
    yield SourceItem(parse_article(values, file.name), file.name, None, encoding)


def first_heading(text: str) -> str:
    """The words of the first Markdown heading outside code, empty where there is none."""
    match = _HEADING.search(_FENCED.sub("", text))
    return _INLINE.sub(r"\1", match[1] or match[2]).strip() if match else ""


def _front_matter(text: str, source: str) -> dict[str, object]:
    try:
        # every scalar stays text: `locale: no` and `title: 404` mean what they say
        found = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as exc:
        line = None if exc.problem_mark is None else exc.problem_mark.line + 2
        raise InputRejected(source, f"the front matter is not YAML: {exc.problem}", line) from exc
    except (yaml.YAMLError, RecursionError) as exc:
        raise InputRejected(source, "the front matter is not YAML", 1) from exc
    if found in (None, ""):
        return {}
    if not isinstance(found, dict):
        raise InputRejected(source, "the front matter is not a list of keys", 1)
    values: dict[str, object] = {}
    for key, value in found.items():
        if isinstance(value, str) and value in _NULLS and key not in ("id", "title"):
            continue
        values[str(key)] = listed(value, key, source, None) if key in _LISTS and isinstance(value, str) else value
    return values
