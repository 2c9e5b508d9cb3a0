"""What every section of the report is put together from: words of its language, figures as people read them, rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from html import escape

from evals.report.words import WORDS, Locale
from evals.statistics import Estimate
from ingest.redaction import redact

LONGEST = 420
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Pieces:
    """The pieces in one language. Whatever goes in as text comes out escaped."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self._words = WORDS[locale]

    def t(self, name: str, **values: object) -> str:
        """The text of this name, unescaped. Raises KeyError for a name that the words do not have."""
        text = self._words[name]
        return text.format(**values) if values else text

    def named(self, value: str) -> str:
        """What people call this value of data; itself where the words do not know it."""
        return self._words.get(value, value)

    def soft(self, text: str) -> str:
        """A paragraph beside the point."""
        return f'<p class="soft">{escape(text)}</p>'

    def section(self, name: str, body: str, note: str | None = None) -> str:
        """A section headed by the word ``name``."""
        told = self.soft(note) if note else ""
        return f'<section id="{name}"><h2>{escape(self.t(name))}</h2>{told}{body}</section>'

    def nothing(self, name: str, why: str) -> str:
        """A section for which there are no figures, and why: one line, never a number."""
        return self.section(name, f'<p class="soft none">{escape(self.t(why))}</p>')

    def folded(self, name: str, body: str, *, count: int | None = None, printed: bool = True) -> str:
        """Details that open at a click, and on paper where ``printed``."""
        number = "" if count is None else f" ({count})"
        kind = "" if printed else ' class="screen"'
        return f"<details{kind}><summary>{escape(self.t(name) + number)}</summary>{body}</details>"

    def head(self, *columns: tuple[str, str]) -> str:
        """A table's head: (word, class)."""
        cells = "".join(
            f"<th{f' class={kind}' if kind else ''}>{escape(self.t(name)) if name else ''}</th>"
            for name, kind in columns
        )
        return f"<tr>{cells}</tr>"

    def estimate_row(self, name: str, e: Estimate) -> str:
        """Name, mean, interval, scored, unscored."""
        interval = "–" if e.low is None else f"{figure(e.low)}–{figure(e.high)}"
        return (
            f'<tr><td>{escape(name)}</td><td class="n">{figure(e.mean)}</td><td class="n">{interval}</td>'
            f'<td class="n">{e.scored}</td><td class="n">{e.unscored}</td></tr>'
        )

    def estimate_head(self, first: str) -> str:
        """The head over rows of estimates."""
        return self.head((first, ""), ("mean", "n"), ("interval", "n"), ("scored", "n"), ("unscored", "n"))

    def day(self, at: date) -> str:
        """The day as people write it in a chart."""
        return f"{at.month}/{at.day}" if self.locale == "zh" else f"{at.day} {_MONTHS[at.month - 1]}"

    def joined(self, values: list[str]) -> str:
        """The values as a list in a sentence."""
        return ("、" if self.locale == "zh" else ", ").join(values)


def wide(rows: str) -> str:
    """A table that scrolls by itself on a phone."""
    return f'<div class="wide"><table>{rows}</table></div>'


def row(name: str, value: str, *, number: bool = False) -> str:
    """A row of name and value."""
    return f"<tr><td>{escape(name)}</td><td{' class=n' if number else ''}>{escape(value)}</td></tr>"


def card(name: str, value: str, note: str, *, main: bool = False) -> str:
    """A figure with its name and what it means."""
    return (
        f'<div class="card{" main" if main else ""}">{escape(name)}<b>{escape(value)}</b>'
        f'<span class="soft">{escape(note)}</span></div>'
    )


def figure(value: float | None) -> str:
    """Two decimals; a dash for what is unknown."""
    return "–" if value is None else f"{value:.2f}"


def percent(value: float | None) -> str:
    """A share; a dash for what is unknown."""
    return "–" if value is None else f"{value:.0%}"


def pairs(values: Mapping[str, object]) -> str:
    """Names and values on one line."""
    return ", ".join(f"{name} {value}" for name, value in values.items())


def cut(text: str, longest: int = LONGEST) -> str:
    """The text, cut at ``longest`` characters."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def clean(text: str, longest: int = LONGEST) -> str:
    """What somebody wrote, without personal data, cut; not yet escaped."""
    return cut(redact(text).text, longest)
