"""A small evaluation to make reports of, with what hostile customers write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from assistant.domain.conversation import Turn
from assistant.domain.reply import Reply
from assistant.llm.embedders import HashEmbedder
from evals.cases import ReplyCase
from evals.loop.gaps import CaseCost, find_gaps
from evals.report import ReportInput
from evals.report.since import since_last
from evals.root_causes import Cause, Diagnosis
from evals.scoring import score_replay, stored_run
from evals.transfer_run import GuardReport, Replay

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
NASTY = "<script>document.title='owned'</script> & \"quoted\""
LONG = "Donaudampfschiff" * 12  # no place to break a line


def _case(number: int) -> ReplyCase:
    asked = f"第{number}个问题 {NASTY} 羽绒服多久能退款？"
    return ReplyCase(
        f"c-{number}-1",
        f"c-{number}",
        (Turn("customer", asked), Turn("assistant", f"助手 {NASTY} 3 个工作日"), Turn("customer", asked)),
        (f"仓库收到之后 {number + 1} 个工作日验收，银行卡 7 个工作日到账。", f"验收要 {number + 1} 个工作日。"),
        at=START + timedelta(days=3 * number),
        channel="web" if number % 2 else "app",
    )


def _reply(number: int) -> Reply:
    good = number % 3 == 0
    text = f"仓库收到之后 {number + 1} 个工作日验收，银行卡 7 个工作日到账。" if good else f"运费 8 元 {NASTY} {LONG}"
    return Reply(text, "answer", 0.9 if good else 0.4, "", "t", timings_ms={"total": 20.0 + number})


def report_input() -> ReportInput:
    """Twenty cases of which a third are solved, the others with causes and gaps, and a run before."""
    cases = [_case(number) for number in range(20)]
    embedder = HashEmbedder()
    replies = {case.case_id: _reply(number) for number, case in enumerate(cases)}
    scored = score_replay(cases, Replay(replies, GuardReport(own={"c-1-1": 2}, leaks=())), embedder)
    failed = [s.case_id for s in scored.scores if s.scores is not None and s.scores.accuracy < 0.35]
    diagnoses = [
        Diagnosis(key, Cause.KNOWLEDGE_MISSING if i % 2 else Cause.STATE_NEEDED) for i, key in enumerate(failed)
    ]
    gaps = find_gaps(cases, diagnoses, {"c-1": CaseCost(30, 1, "black")}, embedder)
    run = stored_run(
        scored, embedder.fingerprint, START, "cases.jsonl", causes={d.case_id: (d.cause.value, {}) for d in diagnoses}
    )
    made = replace(run.provenance, created_at=START - timedelta(days=7))
    rows = (replace(row, values={"accuracy": 1 - (row.values["accuracy"] or 0.0)}) for row in run.rows)
    before = replace(run, run_id="transfers-20260924T120000", rows=tuple(rows), provenance=made)
    since = since_last(run, [before], 0.35)
    return ReportInput("demo", scored, run, diagnoses, gaps, 0.35, since=since, minutes=300.0)
