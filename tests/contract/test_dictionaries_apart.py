"""What one workspace calls its things is not known in another, though both are served by one process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.bootstrap import Service, build
from assistant.dictionary.names import MARK
from assistant.settings import Settings
from assistant.text import Segmenter
from ingest.pipeline import Ingestion

QUESTION = "星尘保温杯漏水怎么办"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = build(Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "data", embedder="hash"))
    for workspace, thing in (("blue", "星尘保温杯"), ("green", "极昼保温杯")):
        folder = tmp_path / workspace
        folder.mkdir()
        article = {"id": "care", "title": f"{thing}：漏水", "body": f"{thing}漏水时更换密封圈。", "locale": "zh"}
        (folder / "a.jsonl").write_text(json.dumps(article, ensure_ascii=False), "utf-8")
        Ingestion(made.records(workspace), made.keeper(workspace), now=lambda: datetime.now(UTC)).run([folder])
    yield made
    made.close()


def test_each_workspace_has_its_own_names(service: Service) -> None:
    before = Segmenter().terms(QUESTION)
    blue, green = (service.keeper(workspace).snapshot() for workspace in ("blue", "green"))
    assert blue.names.found(QUESTION) == ["星尘保温杯"]
    assert green.names.found(QUESTION) == []
    assert f"{MARK}星尘保温杯" in blue.terms(QUESTION, Segmenter())
    assert green.terms(QUESTION, Segmenter()) == before
    assert not [term for term in green.postings.vocabulary if "星尘" in term]
    assert Segmenter().terms(QUESTION) == before  # nor does the process remember


def test_a_slip_is_mended_only_towards_the_names_of_the_asked_workspace(service: Service) -> None:
    slip = "星尘保温被漏水怎么办"
    assert service.retriever("blue").reading(slip) == QUESTION
    assert service.retriever("green").reading(slip) == slip
