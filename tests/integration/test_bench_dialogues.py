"""Dialogue data, thresholds fitted on one half, and the packaged follow-ups."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assistant.domain.conversation import Turn
from assistant.errors import InputRejected
from evals.bench.detection import best_threshold, detection_table, f1_of, judged, lead, two_thresholds
from evals.bench.dstc11 import FOLDER, load_dstc11
from evals.bench.followups import FORMS, as_the_product_asks, demo_articles, load_followups


def _write(folder: Path, gold_sentence: int = 0) -> Path:
    knowledge = {
        "hotel": {
            "3": {
                "name": "ALLENBELL",
                "faqs": {"0": {"question": "Pets?", "answer": "No."}},
                "reviews": {"7": {"sentences": {"0": "Quiet rooms.", "1": "Small bath."}}},
            }
        }
    }
    log = [
        {"speaker": "U", "text": "A hotel?"},
        {"speaker": "S", "text": "Allenbell."},
        {"speaker": "U", "text": "Quiet?"},
    ]
    snippet = {"domain": "hotel", "entity_id": 3, "doc_type": "review", "doc_id": 7, "sent_id": gold_sentence}
    (folder / "knowledge.json").write_text(json.dumps(knowledge))
    (folder / "logs.json").write_text(json.dumps([log, log[:1]]))
    (folder / "labels.json").write_text(json.dumps([{"target": True, "knowledge": [snippet]}, {"target": False}]))
    return folder


def test_snippets_and_turns(tmp_path: Path) -> None:
    data = load_dstc11(_write(tmp_path))
    assert {key: doc.text for key, doc in data.snippets.items()} == {
        "hotel/3/faq/0": "Pets?\nNo.",
        "hotel/3/review/7/0": "Quiet rooms.",
        "hotel/3/review/7/1": "Small bath.",
    }
    first, second = data.turns
    assert first.gold == {"hotel/3/review/7/0"}
    assert not second.gold
    assert [turn.role for turn in first.history] == ["customer", "assistant"]
    assert first.half == second.half, "one conversation is never on both halves"


def test_a_label_without_its_snippet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="turn 0 names hotel/3/review/7/9"):
        load_dstc11(_write(tmp_path, 9))


@pytest.mark.data
def test_the_public_data(shared_data: Path) -> None:
    data = load_dstc11(shared_data / FOLDER)
    assert (len(data.turns), sum(bool(turn.gold) for turn in data.turns)) == (4173, 2129)
    assert sum("/faq/" in key for key in data.snippets) == 2869
    assert abs(len(data.half("A")) - len(data.half("B"))) < 400


def test_f1_and_its_thresholds() -> None:
    needed = np.array([True, True, False, False])
    assert f1_of(needed, needed) == (1.0, 1.0, 1.0)
    assert f1_of(~needed, needed)[0] == 0.0
    scores = np.array([0.9, 0.6, 0.5, 0.1])
    assert f1_of(scores >= best_threshold(scores, needed), needed)[0] == 1.0
    mixed = np.array([0.9, 0.2, 0.5, 0.1])  # the second needs knowledge and asks, the third neither
    asking, telling = two_thresholds(mixed, np.array([True, True, False, False]), needed)
    said = np.where([True, True, False, False], mixed >= asking, mixed >= telling)
    assert list(said) == list(needed)
    row = judged("toy", said, needed, ["a", "a", "b", "b"])
    assert row["f1"] == 1.0
    assert "| toy | 1.000 " in detection_table([row])[-1]
    assert lead(said, said, needed, ["a", "a", "b", "b"]) == [0.0, 0.0, 0.0]
    ahead, low, high = lead(needed, np.ones(4, dtype=np.bool_), needed, list("abcd"))
    assert ahead == pytest.approx(1 / 3)
    assert low <= ahead <= high


def test_the_packaged_follow_ups_name_articles_of_the_demo() -> None:
    turns = load_followups()
    known = {article.id for article in demo_articles()}
    assert len(turns) == 40
    assert all(turn.articles <= known for turn in turns)
    assert {turn.half for turn in turns} == {"A", "B"}


def test_forms_of_a_query() -> None:
    history = [Turn("customer", "巡田 S1 能擦地吗"), Turn("assistant", "可以。")]
    said = {name: form("那拖布呢", history).text for name, form in FORMS.items()}
    assert said == {
        "last turn": "那拖布呢",
        "last 2 turns": "可以。 那拖布呢",
        "whole conversation": "巡田 S1 能擦地吗 可以。 那拖布呢",
        "last question where it leans": "巡田 S1 能擦地吗 那拖布呢",
    }
    assert as_the_product_asks("那拖布呢", history).context == "巡田 S1 能擦地吗 可以。"
