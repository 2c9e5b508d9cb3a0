"""How long `teachback eval transfers` takes on a thousand cases: by the clock, in processor time, on texts how long.

`python -m evals.bench.speed --workspace demo` cuts the workspace's transcripts anew, so that there are enough distinct
cases; `--cases FILE` takes cases of your own. docs/evaluation.md has its figures.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from assistant.bootstrap import build
from assistant.domain.conversation import Transcript
from assistant.settings import Settings
from evals.answer_metrics.sentences import content_sentences
from evals.cases import ReplyCase, read_cases, write_cases
from ingest.sources.schemas import parse_transcript

_CUTS = 3  # customer turns before an agent's reply, each of which is taken as the last


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock and of processors (the command's and those of what it started), and kB it held at most."""

    wall: float
    cpu: float
    memory_kb: int


def recut(transcripts: Iterable[Transcript]) -> Iterator[ReplyCase]:
    """A case for each of the last customer turns before each agent turn that says something, distinct ones."""
    for transcript in transcripts:
        for number, turn in enumerate(transcript.turns):
            if turn.role != "agent" or not content_sentences(turn.text):
                continue
            before = [i for i in range(number) if transcript.turns[i].role == "customer"][-_CUTS:]
            for last in before:
                yield ReplyCase(
                    f"{transcript.conversation_id}-{last}-{number}",
                    transcript.conversation_id,
                    tuple(transcript.turns[: last + 1]),
                    (turn.text,),
                    transcript.locale or "zh",
                    at=transcript.turns[last].at or transcript.opened_at,
                    user_state=transcript.user_state,
                    channel=transcript.channel,
                )


def measure(cases: Path, arguments: Sequence[str]) -> Cost:
    """What the command costs on these cases. Raises CalledProcessError where it fails."""
    command = [sys.executable, "-c", "from api.cli import main; main()", "eval", "transfers", str(cases), *arguments]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*command, "--json"], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, after.ru_maxrss)


def main() -> None:
    """Print what one run costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", default="default")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--cases", type=Path, help="cases of your own, JSONL")
    parser.add_argument("--count", type=int, default=1_000)
    given = parser.parse_args()
    place = ["--workspace", given.workspace, *(["--data-dir", str(given.data_dir)] if given.data_dir else [])]
    if given.cases is not None:
        cases = [case for case in read_cases(given.cases) if isinstance(case, ReplyCase)]
    else:
        service = build(Settings(**({"data_dir": given.data_dir} if given.data_dir else {})))
        cases = list(recut(parse_transcript(t, "records") for t in service.records(given.workspace).transcripts()))
        service.close()
    cases = cases[: given.count]
    if not cases:
        sys.exit("no cases: ingest transcripts into the workspace first, or name a file with --cases")
    with tempfile.TemporaryDirectory() as folder:
        write_cases(Path(folder) / "cases.jsonl", cases)
        cost = measure(Path(folder) / "cases.jsonl", place)
    turns = fmean(sum(len(turn.text) for turn in case.turns) for case in cases)
    replies = fmean(sum(map(len, case.references)) for case in cases)
    distinct = len({case.references for case in cases})
    sys.stdout.write(
        f"{len(cases)} cases, characters each: {turns:.0f} of turns, {replies:.0f} of replies ({distinct} distinct)\n"
        f"{cost.wall:.1f} s by the clock, {cost.cpu:.1f} s of processor time on {os.cpu_count()} cores, "
        f"{cost.memory_kb // 1024} MB at most in one process\n"
    )


if __name__ == "__main__":
    main()
