"""How often the handoff rules pass on what a person then settled at once: ``python -m evals.handoff.alarms CASES``.

CASES are reply cases. "Settled at once": the only case of its conversation, with no transfer.
The time is one processor's.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from assistant.bootstrap import build
from assistant.domain.conversation import Turn
from assistant.handoff import TurnReader, asks_for_person, decide_handoff
from assistant.settings import Settings
from evals.handoff.measure import share


def alarms(cases: list[dict[str, Any]], reader: TurnReader) -> dict[str, Any]:
    """Shares with intervals of cases that each reason passes on, and milliseconds of processor time a turn."""
    alone = Counter(case["conversation_id"] for case in cases)
    groups: dict[str, list[str | None]] = {"settled_at_once": [], "transferred": [], "other": []}
    took: list[float] = []
    patterns: list[float] = []
    for case in cases:
        turns = [Turn(turn["role"], turn["text"]) for turn in case["turns"]]
        state = case["user_state"] or {}
        for turn in turns[:-1]:  # in a live conversation each was read when it came
            reader.read(turn.text)
        started = time.thread_time()
        asks_for_person(turns[-1].text)
        patterns.append((time.thread_time() - started) * 1000)
        started = time.process_time()
        found = decide_handoff(
            turns[-1].text,
            turns[:-1],
            locale="zh",
            profile=state.get("profile", {}),
            confidence=None,
            reader=reader,
        )
        took.append((time.process_time() - started) * 1000)
        once = alone[case["conversation_id"]] == 1 and not case["transferred"]
        group = "settled_at_once" if once else "transferred" if case["transferred"] else "other"
        groups[group].append(found.reason if found is not None else None)
    return {
        "groups": {
            name: {
                "cases": len(said),
                "any": share(sum(reason is not None for reason in said), len(said)),
                "reasons": dict(Counter(reason for reason in said if reason is not None)),
            }
            for name, said in groups.items()
        },
        "ms_per_turn": {
            "median": round(statistics.median(took), 1),
            "p95": round(sorted(took)[int(len(took) * 0.95)], 1),
        },
        "ms_patterns": {
            "median": round(statistics.median(patterns), 2),
            "p95": round(sorted(patterns)[int(len(patterns) * 0.95)], 2),
        },
    }


if __name__ == "__main__":
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines() if line.strip()]
    sys.stdout.write(
        json.dumps(alarms(rows, TurnReader(build(Settings()).embedder)), ensure_ascii=False, indent=1) + "\n"
    )
