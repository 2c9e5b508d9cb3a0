"""The benchmarks page: every section is measured and written by its own module, between its own markers."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol, TypeVar

from evals.bench.vectors import load_vectors, save_vectors
from evals.caching_embedder import CachingEmbedder
from evals.jsonl import write_whole

PAGE = "benchmarks.md"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the data are, and one embedder for all sections, so that each text is embedded once.

    ``cache`` is a folder for what a section made at great cost and can use again.
    """

    data: Path
    embedder: CachingEmbedder
    vectors: Path | None = None
    every: int = 1
    cache: Path | None = None

    def some(self, items: Sequence[T]) -> Sequence[T]:
        """Every n-th of these questions, where a quick run was asked for; the page says so."""
        return items[:: self.every]

    def load_vectors(self) -> None:
        """Take the vectors of an earlier run, where a file for them was named."""
        if self.vectors is not None:
            self.say(f"{load_vectors(self.embedder, self.vectors)} vectors of earlier runs in {self.vectors.name}")

    def keep_vectors(self) -> None:
        """Keep what was embedded so far, where a file for it was named; a run that is cut off has not paid in vain."""
        if self.vectors is not None:
            save_vectors(self.embedder, self.vectors)

    def advance(self, stage: str, done: int, total: int) -> None:
        """Progress on standard error: about twenty lines a stage (``assistant.ports.Progress``)."""
        step = max(1, total // 20)
        if done >= total or done // step != (done - 1) // step:
            self.say(f"{stage}: {done} of {total}")

    def say(self, line: str) -> None:
        """One line of progress on standard error."""
        sys.stderr.write(line + "\n")


@dataclass(frozen=True, slots=True)
class Section:
    """What a section's module hands back: its Markdown, its raw output, and its plots as SVG by file name.

    The Markdown starts below the section's heading, which the page has.
    """

    markdown: str
    raw: Mapping[str, Any]
    packages: Sequence[str] = ()
    plots: Mapping[str, str] = field(default_factory=dict)


class SectionModule(Protocol):
    """A module ``evals.bench.NAME``."""

    TITLE: str

    def run(self, place: Place) -> Section:
        """Measure. Raises InputRejected where its data are absent."""
        ...


def write(out: Path, name: str, title: str, section: Section, spent: Mapping[str, float], *, every: int = 1) -> None:
    """``benchmarks-NAME.json``, the plots, and the section of ``benchmarks.md`` in the folder ``out``."""
    facts = {**machine(section.packages), "seconds": {key: round(value, 1) for key, value in spent.items()}}
    raw = {**facts, "every": every, **section.raw}
    write_whole(out / f"benchmarks-{name}.json", json.dumps(raw, ensure_ascii=False, indent=1) + "\n")
    for file, svg in section.plots.items():
        (out / "images").mkdir(parents=True, exist_ok=True)
        write_whole(out / "images" / file, svg)
    part = "" if every == 1 else f"**Measured on every {every}th question only** (`--every {every}`). "
    told = (
        f"{part}"
        f"`python -m evals.bench --only {name}` on {facts['at'][:10]}, at {facts['commit']}: {facts['machine']}"
        f"{', ' if facts['packages'] else ''}{facts['packages']}; {spent['cpu']:.0f} s of processor time. "
        f"Raw output: [benchmarks-{name}.json](benchmarks-{name}.json)."
    )
    page = out / PAGE
    text = page.read_text(encoding="utf-8") if page.exists() else "# Benchmarks\n"
    write_whole(page, put(text, name, title, f"{section.markdown.strip()}\n\n{told}"))


def put(page: str, name: str, title: str, body: str) -> str:
    """The page with ``body`` between the markers of this section, which is added at the end where it is not there.

    Raises ValueError where the page holds one marker without the other, or twice: nothing is guessed away.
    """
    start, end = f"<!-- {name}: written by `make bench` -->", f"<!-- /{name} -->"
    found = (page.count(start), page.count(end))
    if found == (0, 0):
        return f"{page.rstrip()}\n\n## {title}\n\n{start}\n{body}\n{end}\n"
    if found != (1, 1) or page.index(start) > page.index(end):
        raise ValueError(
            f"the page must hold {start} and then {end}, once each; it has them {found} times: mend it by hand"
        )
    before, _, rest = page.partition(start)
    return f"{before}{start}\n{body}\n{end}{rest.partition(end)[2]}"


def machine(packages: Sequence[str]) -> dict[str, Any]:
    """When, on what, from which commit, and with which versions of ``packages``."""
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{package} absent")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores of {_processor()}, Python {platform.python_version()}",
        "packages": ", ".join(versions),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", lines, re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()


def _commit() -> str:
    """Abbreviated, with ``+`` where the tree has changes beside it; ``no commit`` outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    try:
        head = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True, check=True
        )
        status = ["git", "status", "--porcelain", "--untracked-files=no", "--", "*.py"]
        dirty = subprocess.run(status, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "no commit"
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "")
