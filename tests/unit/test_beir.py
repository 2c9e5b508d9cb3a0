"""The BEIR layout, and every way in which it can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import InputRejected
from evals.beir import BeirDocument, load

CORPUS = '{"_id": "d1", "title": "T", "text": "one"}\n\n{"_id": "d2", "text": "two", "metadata": {"x": 1}}\n'
QUERIES = '{"_id": "q1", "text": "first?"}\n{"_id": "q2", "text": "second?", "metadata": {}}\n'
QRELS = "query-id\tcorpus-id\tscore\nq1\td2\t2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text(CORPUS, "utf-8")
    (tmp_path / "queries.jsonl").write_text(QUERIES, "utf-8")
    (tmp_path / "qrels" / "test.tsv").write_text(QRELS, "utf-8")
    return tmp_path


def test_reads_the_layout(folder: Path) -> None:
    data = load(folder)
    assert data.corpus == {"d1": BeirDocument("T", "one"), "d2": BeirDocument("", "two")}
    assert data.qrels == {"q1": {"d2": 2}}
    assert data.judged_queries == {"q1": "first?"}
    assert set(data.queries) == {"q1", "q2"}


def test_another_split_and_a_file_without_header(folder: Path) -> None:
    (folder / "qrels" / "dev.tsv").write_text("q2\td1\t1\r\n", "utf-8")
    assert load(folder, "dev").qrels == {"q2": {"d1": 1}}


def test_a_missing_split_names_those_there(folder: Path) -> None:
    with pytest.raises(InputRejected, match=r"qrels/train\.tsv missing \(splits there: test\)"):
        load(folder, "train")


def test_no_folder_and_no_layout(tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="no such folder"):
        load(tmp_path / "none")
    with pytest.raises(InputRejected, match=r"corpus\.jsonl, queries\.jsonl, qrels/test\.tsv missing"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("corpus.jsonl", CORPUS + "{oops\n", r"corpus\.jsonl:4: is not JSON"),
        ("corpus.jsonl", CORPUS + "[1]\n", r"corpus\.jsonl:4: is not a JSON object"),
        (
            "corpus.jsonl",
            CORPUS + '{"_id": "d1", "text": "x"}',
            r'corpus\.jsonl:4: "_id" "d1" is already taken by line 1',
        ),
        ("corpus.jsonl", '{"_id": "d1", "txt": "x"}', r'corpus\.jsonl:1: unknown key "txt" \(did you mean "text"\?\)'),
        ("corpus.jsonl", '{"_id": "d1"}', r'corpus\.jsonl:1: "text" is missing'),
        ("corpus.jsonl", '{"text": "x"}', r'corpus\.jsonl:1: "_id" is missing'),
        ("corpus.jsonl", "\n", "holds no documents"),
        ("queries.jsonl", '{"_id": "q1", "text": 5}', r'queries\.jsonl:1: "text" must be text'),
        ("qrels/test.tsv", QRELS + "q1 d1 1\n", r"test\.tsv:3: has 1 columns"),
        ("qrels/test.tsv", QRELS + "q1\td1\tyes\n", r'test\.tsv:3: the score "yes" is not a whole number'),
        ("qrels/test.tsv", QRELS + "q9\td1\t1\n", r'test\.tsv:3: query "q9" is not in queries\.jsonl'),
        ("qrels/test.tsv", QRELS + "q1\td9\t1\n", r'test\.tsv:3: document "d9" is not in corpus\.jsonl'),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", "holds no judgements"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, name: str, content: str, reason: str) -> None:
    (folder / name).write_text(content, "utf-8")
    with pytest.raises(InputRejected, match=reason):
        load(folder)


def test_bytes_that_are_not_utf8_are_named(folder: Path) -> None:
    (folder / "corpus.jsonl").write_bytes(CORPUS.encode() + b'{"_id": "d3", "text": "\xff"}\n')
    with pytest.raises(InputRejected, match=r"corpus\.jsonl:4: is not UTF-8"):
        load(folder)


def test_numbers_as_ids_match_the_judgements(folder: Path) -> None:
    (folder / "corpus.jsonl").write_text('{"_id": 7, "text": "x"}', "utf-8")
    (folder / "qrels" / "test.tsv").write_text("q1\t7\t1\n", "utf-8")
    assert load(folder).qrels == {"q1": {"7": 1}}
