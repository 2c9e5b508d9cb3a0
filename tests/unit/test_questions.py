"""A batch of questions: one wrong line costs that line alone."""

from __future__ import annotations

from pathlib import Path

from assistant.errors import InputRejected
from evals.questions import BatchQuestion, read_questions


def test_a_wrong_line_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        '{"id": "1", "text": "退款多久"}\n{broken\n{"id": "3", "text": "\\ud83d"}\n{"id": "1", "text": "x"}\n'
        '{"id": "5", "txt": "x"}\n{"id": "6", "text": "发票", "user_id": "u1"}\n',
        encoding="utf-8",
    )
    found = list(read_questions(path))
    assert [q for q in found if isinstance(q, BatchQuestion)] == [
        BatchQuestion("1", "退款多久"),
        BatchQuestion("6", "发票", "u1"),
    ]
    assert [r.line for r in found if isinstance(r, InputRejected)] == [2, 3, 4, 5]
