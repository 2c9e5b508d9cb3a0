"""Docs that cannot rot: generated parts equal the code, links lead somewhere, the diagram is the import contract.

``python tests/unit/test_docs.py`` writes the generated parts anew.
"""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import AliasChoices
from typer.testing import CliRunner

from api.cli import app
from assistant.settings import Settings, default_cache_dir, default_data_dir

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(p for p in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = ROOT / "docs" / "decisions"
# Where each generated part stands.
GENERATED = {"settings": ROOT / "docs" / "settings.md", "help": ROOT / "docs" / "formats.md"}
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"(?:^|[`( ])teachback (?:-\S+ \S+ )*([a-z]+)(?: ([a-z]+))?\b", re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# Written beside this one and linked before it is there.
_AWAITED = {ROOT / "docs" / "benchmarks.md"}


def settings_table() -> str:
    """Every setting with its default and meaning, as a Markdown table."""
    factories = {default_data_dir: "the platform's data folder", default_cache_dir: "the platform's cache folder"}
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        variable = alias.choices[0] if isinstance(alias, AliasChoices) else f"TEACHBACK_{name.upper()}"
        factory = field.default_factory
        if factory in factories:
            default = factories[factory]
        else:
            value = field.get_default(call_default_factory=True)
            shown = str(value).lower() if isinstance(value, bool) else value
            default = "–" if value in (None, "", []) else f"`{shown}`"
        rows.append(f"| `{variable}` | {default} | {field.description} |")
    return "\n".join(rows)


def help_text() -> str:
    """What ``teachback --help`` prints in a terminal of 80 columns (the last two stay free), fenced."""
    result = CliRunner().invoke(app, ["--help"], prog_name="teachback", terminal_width=78)
    assert result.exit_code == 0, result.output
    lines = [line.rstrip() for line in result.output.strip().splitlines()]
    return "\n".join(["```text", *lines, "```"])


PARTS = {"settings": settings_table, "help": help_text}


def _part(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)", re.DOTALL)


def _renewed(name: str) -> str:
    """The page with its generated part as it should be."""
    page = GENERATED[name].read_text("utf-8")
    part = PARTS[name]()
    page, count = _part(name).subn(lambda match: f"{match[1]}{part}\n{match[2]}", page)
    assert count == 1, f"{GENERATED[name].name} must hold <!-- generated: {name} --> … <!-- end --> once"
    return page


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("name", PARTS)
def test_generated_parts_are_up_to_date(name: str) -> None:
    assert GENERATED[name].read_text("utf-8") == _renewed(name), "renew with: python tests/unit/test_docs.py"


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    broken = []
    for target in _LINK.findall(_FENCE.sub("", page.read_text("utf-8"))):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if path in _AWAITED and not path.exists():
            continue
        outside = not path.exists() or ROOT not in path.parents
        if outside or (anchor and anchor not in map(_anchor, _HEADING.findall(path.read_text("utf-8")))):
            broken.append(target)
    assert broken == []


def test_the_diagram_is_the_import_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    [diagram] = re.findall(r"```mermaid\n(.*?)```", (ROOT / "docs/architecture.md").read_text("utf-8"), re.DOTALL)
    assert re.findall(r"^\s*(\w+)\s*--+>\s*(\w+)\s*$", diagram, re.MULTILINE) == list(pairwise(layers))
    assert re.findall(r"^\s*(\w+)\[", diagram, re.MULTILINE) == layers


def test_every_decision_is_listed_and_short() -> None:
    files = sorted(p.name for p in DECISIONS.glob("[0-9]*.md"))
    listed = re.findall(r"^\| \[\d{4}\]\(([^)]+)\)", (DECISIONS / "README.md").read_text("utf-8"), re.MULTILINE)
    assert listed == files
    assert len({name[:4] for name in files}) == len(files), "two decisions have one number"
    for name in files:
        lines = (DECISIONS / name).read_text("utf-8").splitlines()
        said = [line for line in lines if line.strip() and not line.startswith("|")]  # tables are evidence, not text
        assert 10 <= len(said) <= 30, f"{name} has {len(said)} lines"
        assert lines[0].startswith(f"# {int(name[:4])}. ")


def test_the_readme_stays_readable() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 180


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_docs_exist(page: Path) -> None:
    unknown = []
    for command, sub in _COMMAND.findall(page.read_text("utf-8")):
        arguments = [command, sub] if command in ("eval", "keys") and sub else [command]
        if CliRunner().invoke(app, [*arguments, "--help"]).exit_code:
            unknown.append(" ".join(arguments))
    assert unknown == []


if __name__ == "__main__":
    for part in PARTS:
        GENERATED[part].write_text(_renewed(part), "utf-8")
