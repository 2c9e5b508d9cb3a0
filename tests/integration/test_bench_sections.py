"""Every section of the benchmarks from data to page, on a few made-up documents and without a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.errors import InputRejected
from assistant.llm.embedders import HashEmbedder
from evals.bench import dialogues, retrieval, robustness
from evals.bench.page import Place, Section, write
from evals.caching_embedder import CachingEmbedder

THINGS = ("kettle", "robot", "jacket", "lamp", "heater", "camera", "blender", "toaster", "printer", "drone")

for needed in ("haystack", "langchain_chroma", "langchain_classic", "rank_bm25", "bm25s", "matplotlib", "pypinyin"):
    pytest.importorskip(needed, reason="the bench extra is not installed")


def _lines(path: Path, records: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    data = tmp_path / "data"
    for name in ("xquad-zh", "xquad-en"):
        text = "the {} is cleaned with vinegar" if name.endswith("en") else "{} 用白醋清洗，每月一次"
        asked = "how is the {} cleaned" if name.endswith("en") else "{} 怎么清洗"
        _lines(data / name / "corpus.jsonl", [{"_id": t, "title": t, "text": text.format(t)} for t in THINGS])
        _lines(data / name / "queries.jsonl", [{"_id": f"q-{t}", "text": asked.format(t)} for t in THINGS])
        (data / name / "qrels").mkdir()
        judged = "".join(f"q-{t}\t{t}\t1\n" for t in THINGS)
        (data / name / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
    _lines(data / "tau2-banking" / "articles.jsonl", [{"id": t, "title": t, "body": f"About the {t}."} for t in THINGS])
    said = '1. **Opening:** "My {} is broken."'
    tasks = [{"id": t, "user_scenario": {"instructions": said.format(t)}, "required_documents": [t]} for t in THINGS]
    (data / "tau2-banking" / "tasks.json").write_text(json.dumps(tasks))
    _dstc11(data / "dstc11-track5")
    return Place(data, CachingEmbedder(HashEmbedder(128)))


def _dstc11(folder: Path) -> None:
    folder.mkdir(parents=True)
    faqs = {
        "0": {"question": "Is breakfast served?", "answer": "Yes."},
        "1": {"question": "Are dogs fine?", "answer": "No."},
    }
    inns = {str(n): {"name": f"{t} INN", "faqs": faqs, "reviews": {}} for n, t in enumerate(THINGS)}
    logs, labels = [], []
    for number, thing in enumerate(THINGS):
        before = [
            {"speaker": "U", "text": f"I need a room, number {number}"},
            {"speaker": "S", "text": f"The {thing} inn?"},
        ]
        logs += [[*before, {"speaker": "U", "text": "Do they serve breakfast?"}], before[:1]]
        gold = {"domain": "hotel", "entity_id": number, "doc_type": "faq", "doc_id": 0}
        labels += [{"target": True, "knowledge": [gold]}, {"target": False}]
    (folder / "knowledge.json").write_text(json.dumps({"hotel": inns}))
    (folder / "logs.json").write_text(json.dumps(logs))
    (folder / "labels.json").write_text(json.dumps(labels))


def _written(place: Place, out: Path, name: str, title: str, section: Section) -> str:
    write(out, name, title, section, {"cpu": 1.0, "wall": 1.0}, every=place.every)
    assert json.loads((out / f"benchmarks-{name}.json").read_text())["rows"]
    for plot in section.plots:
        assert (out / "images" / plot).read_text().startswith("<?xml")
    return (out / "benchmarks.md").read_text()


def test_retrieval(place: Place, tmp_path: Path) -> None:
    page = _written(place, tmp_path, "retrieval", retrieval.TITLE, retrieval.run(place))
    assert page.count("| Haystack hybrid, jieba, rank fusion |") == 2
    assert "| Teachback | 1.000 " in page


def test_dialogues(place: Place, tmp_path: Path) -> None:
    section = dialogues.run(place)
    page = _written(place, tmp_path, "dialogues", dialogues.TITLE, section)
    ours = [row for row in section.raw["rows"] if row["system"] == "Teachback"]
    on_a = {row["form"]: row["recall@1"] for row in ours if row["half"] == "A"}
    assert on_a["product's rule"] > on_a["last turn"], "the inn is named in the reply before"
    assert "| always |" in page
    assert "first message where the task quotes one (10 tasks)" in page
    assert {"LangChain + Chroma", "exact dense (numpy)"} <= {r["system"] for r in section.raw["required"]["rows"]}


def test_robustness(place: Place, tmp_path: Path) -> None:
    quick = Place(place.data, place.embedder, every=5)
    page = _written(quick, tmp_path, "robustness", robustness.TITLE, robustness.run(quick))
    assert "| a character that sounds alike |" in page
    assert "| a space dropped |" in page
    assert "| mean loss | Teachback | Teachback, slips left |" in page
    assert "every 5th question only" in page


def test_absent_data_are_named(tmp_path: Path) -> None:
    nowhere = Place(tmp_path / "nothing", CachingEmbedder(HashEmbedder()))
    with pytest.raises(InputRejected, match="--data"):
        retrieval.run(nowhere)
    with pytest.raises(InputRejected, match="no such file"):
        dialogues.run(nowhere)
