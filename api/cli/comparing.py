"""`eval compare`: what changed between two stored runs, and whether that may go out."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.session import Common, DataDirOption, JsonOption, WorkspaceOption, say, settings_for, write

if TYPE_CHECKING:
    from evals.compare import Comparison
    from evals.statistics import Difference

_SLICE_PAIRS = 5  # below, an intent's difference is mostly luck


def _run_at(name: Path, folder: Path) -> Path:
    return name if name.exists() else folder / f"{name}.json"


def compare(
    ctx: typer.Context,
    run_a: Annotated[Path, typer.Argument(help="The run before: a file, or the id of a stored run.")],
    run_b: Annotated[Path, typer.Argument(help="The run after, likewise.")],
    must_see: Annotated[
        float | None,
        typer.Option(
            "--must-see", min=0.0, max=1.0, help="Exit 1, too, where so small a difference could not have been seen."
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Paired difference of two stored runs with its interval, by slice; exit 1 on a regression."""
    from assistant.errors import ConfigurationError
    from evals.compare import compare_runs
    from evals.runs import read_run

    try:
        settings = settings_for(ctx, workspace, data_dir)
        folder = settings.data_dir / "runs" / settings.workspace
        result = compare_runs(read_run(_run_at(run_a, folder)), read_run(_run_at(run_b, folder)))
    except ValueError as exc:
        raise ConfigurationError(str(exc)) from exc
    record = comparison_record(result)
    common: Common = ctx.obj or Common()
    write(json.dumps(record, ensure_ascii=False) if as_json or common.json else comparison_text(result))
    blind = must_see is not None and not result.could_see(must_see)
    if blind:
        seen = result.measures[result.main].detectable
        least = "no difference" if seen is None else f"differences from {seen:.3f} up"
        lost = f", and {len(result.lost)} scored cases are unscored now" if result.lost else ""
        say(f"these runs can show {least}{lost}; --must-see asks for {must_see:g}: use more cases, or score all")
    if result.regression or blind:
        raise typer.Exit(1)


def comparison_record(result: Comparison) -> dict[str, Any]:
    """The comparison as JSON data."""
    return asdict(result)


def comparison_text(result: Comparison) -> str:
    """The comparison for a person, as Markdown."""
    main = result.measures[result.main]
    verdict = "REGRESSION" if result.regression else "improvement" if result.improvement else "no clear difference"
    out = [
        f"{result.main}: {verdict}",
        "",
        "| measure | after - before | 95 % interval | pairs | smallest detectable |",
        "|---|---|---|---|---|",
    ]
    out += [f"| {name} | {difference_cells(d)} |" for name, d in result.measures.items()]
    small = 0
    for name, values in result.slices.items():
        for value, d in sorted(values.items(), key=lambda item: -item[1].pairs):
            if d.pairs < _SLICE_PAIRS and name == "intent":
                small += 1
                continue
            out.append(f"| {result.main}, {name} = {value} | {difference_cells(d)} |")
    if small:
        out.append(f"\n{small} intents of fewer than {_SLICE_PAIRS} pairs are left out here (--json has all).")
    if result.slices:
        out.append("\nSlices are many: of twenty, one shows a difference by luck. Only the first line decides.")
    if main.unpaired:
        out.append(f"\n{main.unpaired} pairs are unscored on one side.")
    if result.lost:
        out.append(f"\nScored before, unscored now: {', '.join(result.lost)}")
    out += [f"\nWarning: {warning}" for warning in result.warnings]
    return "\n".join(out)


def difference_cells(d: Difference) -> str:
    """Mean, interval, pairs and smallest detectable difference as cells of a Markdown row."""
    if d.mean is None:
        return f"– | – | {d.pairs} | –"
    interval = "–" if d.low is None else f"{d.low:+.3f} to {d.high:+.3f}"
    detectable = "–" if d.detectable is None else f"{d.detectable:.3f}"
    return f"{d.mean:+.3f} | {interval} | {d.pairs} | {detectable}"
