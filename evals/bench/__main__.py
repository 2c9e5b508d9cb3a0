"""`make bench`: measures each section and writes it into docs/benchmarks.md; `--only NAME` measures one."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
import time
from pathlib import Path
from typing import cast

from assistant.bootstrap import build
from assistant.errors import InputRejected
from assistant.settings import Settings
from evals.bench.page import Place, SectionModule, write
from evals.caching_embedder import CachingEmbedder

# In the order in which they run. A section is the module evals.bench.NAME with TITLE and run(place) -> Section.
SECTIONS = ("retrieval", "dialogues", "robustness", "scale", "risk", "fits")


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 done, 1 where a section's data are absent (the others are written), 2 for wrong usage."""
    there = [name for name in SECTIONS if importlib.util.find_spec(f"evals.bench.{name}")]
    parser = argparse.ArgumentParser(prog="python -m evals.bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=there, default=there, metavar="SECTION", help=", ".join(there))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public data sets")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the page")
    parser.add_argument(
        "--cache", type=Path, help="folder that keeps the speed section's 100,000 vectors and its million"
    )
    parser.add_argument("--vectors", type=Path, help="file that keeps the vectors for the next run (.npz)")
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="ask every Nth question only; the page says so"
    )
    given = parser.parse_args(arguments)
    os.environ["ANONYMIZED_TELEMETRY"] = os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
    place = Place(
        given.data, CachingEmbedder(build(Settings()).embedder), given.vectors, given.every, cache=given.cache
    )
    place.load_vectors()
    status = 0
    for name in given.only:
        module = cast(SectionModule, importlib.import_module(f"evals.bench.{name}"))
        place.say(f"== {name}")
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            section = module.run(place)
        except InputRejected as exc:
            place.say(f"{name} is left as it was: {exc}")
            status = 1
            continue
        place.keep_vectors()
        spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
        write(given.out, name, module.TITLE, section, spent, every=given.every)
        place.say(f"== {name}: written; {spent['cpu']:.0f} s of processor time, {spent['wall']:.0f} s in all")
    return status


if __name__ == "__main__":
    sys.exit(main())
