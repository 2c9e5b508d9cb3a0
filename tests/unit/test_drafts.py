"""Drafts: verdicts, kinds of edits, facts kept, and the report over a store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from assistant.domain.conversation import Turn
from assistant.domain.draft import AgentDraft, verdict_on
from assistant.domain.reply import Reply
from assistant.errors import NotFound
from assistant.store.conversations import ConversationRecords
from assistant.store.database import open_database
from assistant.store.drafts import DraftRecords
from evals.answer_metrics.facts import weights_of
from evals.draft_edits import EditKind, edit_kinds, facts_kept
from evals.draft_report import report_on_drafts

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("draft", "sent", "kinds"),
    [
        ("银行卡 3 天到账。", " 银行卡 3 天到账。\n", ()),
        ("银行卡 3 天到账。", "银行卡 5 天到账。", ("figure_changed",)),
        ("Refunds take 3 days.", "Refunds take 5 days.", ("figure_changed",)),
        ("银行卡三天到账。", "亲，银行卡三天到账哦，感谢您的理解！", ("tone_only",)),
        ("Card refunds take three days.", "Hi! Card refunds take three days. Thank you!", ("tone_only",)),
        ("订单 A10234567 已发货。", "订单 A10239999 已发货。", ("entity_fixed",)),
        ("请点「退款详情」查看。", "请点「订单详情」查看。", ("entity_fixed",)),
        ("银行卡 3 天到账。", "银行卡 3 天到账。运费由我们承担，不用您出。", ("fact_added",)),
        ("银行卡 3 天到账。运费由我们承担，不用您出。", "银行卡 3 天到账。", ("fact_removed",)),
        (
            "银行卡 3 天到账。",
            "您这款杯子开裂属于质量问题，可以直接换新的给您寄过去。",
            ("fact_added", "fact_removed", "rewritten"),
        ),
        ("", "银行卡 3 天到账。", ("fact_added",)),
    ],
)
def test_kinds_of_edits(draft: str, sent: str, kinds: tuple[EditKind, ...]) -> None:
    assert edit_kinds(draft, sent) == kinds


def test_facts_kept() -> None:
    weights = weights_of(["银行卡 3 天到账，运费 12 元。", "银行卡 3 天到账。"])
    assert facts_kept("银行卡 3 天到账，运费 12 元。", "银行卡 3 天到账，运费 12 元。", weights) == 1.0
    kept = facts_kept("银行卡 3 天到账，运费 12 元。", "银行卡 3 天到账。", weights)
    assert kept is not None
    assert 0.3 < kept < 0.9
    assert facts_kept("亲，您稍等。", "银行卡 3 天到账。", weights) is None


def test_the_verdict_follows_from_what_was_sent() -> None:
    assert verdict_on("三天", "三天\n", rejected=False) == "accepted"
    assert verdict_on("三天", "五天", rejected=False) == "edited"
    assert verdict_on("三天", None, rejected=False) == "rejected"
    assert verdict_on("三天", "五天", rejected=True) == "rejected"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_database(f"sqlite:///{tmp_path / 'teachback.db'}")
    yield made
    made.dispose()


def test_a_draft_is_decided_once_and_what_was_sent_is_a_turn(engine: Engine) -> None:
    conversations, drafts = ConversationRecords(engine, "w"), DraftRecords(engine, "w")
    conversation = conversations.open(user_id="u1", channel="web", now=NOW)
    conversations.append(conversation.id, Turn("customer", "退款多久？"), at=NOW)
    draft = drafts.add(conversation.id, 0, Reply("三天", "answer", 0.8, "", "t"), by="key:1", at=NOW)
    assert drafts.settle(draft, "edited", "五天", by="key:2", at=NOW)
    assert not drafts.settle(draft, "rejected", None, by="key:3", at=NOW)
    kept = drafts.get(conversation.id, draft.id)
    assert (kept.verdict, kept.sent, kept.made_by, kept.settled_by) == ("edited", "五天", "key:1", "key:2")
    assert [(t.role, t.text, t.author_id) for t in conversations.get(conversation.id).turns][1:] == [
        ("agent", "五天", "key:2")
    ]


def test_drafts_of_another_workspace_or_conversation_are_not_found(engine: Engine) -> None:
    mine, other = DraftRecords(engine, "w"), DraftRecords(engine, "v")
    conversation = ConversationRecords(engine, "w").open(user_id=None, channel="web", now=NOW)
    draft = mine.add(conversation.id, 0, Reply("三天", "answer", 0.8, "", "t"), by="key:1", at=NOW)
    assert other.all() == []
    assert not other.settle(draft, "accepted", "三天", by="x", at=NOW)
    for records, conversation_id in ((other, conversation.id), (mine, "another")):
        with pytest.raises(NotFound):
            records.get(conversation_id, draft.id)


def draft(
    number: int, verdict: str | None, sent: str | None, confidence: float, text: str = "三天到账。"
) -> AgentDraft:
    at = NOW + timedelta(minutes=number)
    return AgentDraft(f"d{number}", f"c{number}", 0, "三天到账。", {"confidence": confidence}, at, "k", verdict, sent)


def test_the_report_counts_and_says_what_it_cannot_tell() -> None:
    few = [draft(1, "accepted", "三天到账。", 0.9), draft(2, "edited", "五天到账。", 0.5), draft(3, None, None, 0.1)]
    report = report_on_drafts([*few, draft(4, "rejected", None, 0.2)])
    record = report.record()
    assert (record["drafts"], record["undecided"]) == (4, 1)
    assert record["verdicts"]["accepted"]["share"] == pytest.approx(1 / 3)
    changed = record["edits"]["figure_changed"]
    assert changed == {"share": 1.0, "interval": [pytest.approx(0.2065, abs=1e-3), 1.0], "of": 1}
    assert record["facts_kept"]["scored"] == 2
    assert record["agreement"]["confidence"]["correlation"] is None
    assert "too few: 3 of 20" in report.markdown()


def test_an_empty_store_has_a_report() -> None:
    report = report_on_drafts([])
    assert report.record()["verdicts"]["accepted"] == {"share": None, "interval": [None, None], "of": 0}
    assert "0 drafts" in report.markdown()


def test_agreement_from_twenty_labels_on() -> None:
    many = [
        draft(i, "accepted" if i % 2 else "rejected", "三天到账。" if i % 2 else None, i % 2 * 0.5 + i / 100)
        for i in range(24)
    ]
    found = report_on_drafts(many, {"noise": {f"d{i}": float(i * 7 % 5) for i in range(24)}, "gone": {}}).agreements
    confidence = found["confidence"]
    assert confidence.correlation is not None
    assert confidence.low is not None
    assert confidence.correlation > 0.8
    assert confidence.low > 0.5
    assert abs(found["noise"].correlation or 0.0) < 0.5
    assert (found["gone"].correlation, found["gone"].unscored) == (None, 24)
