"""Every format reads; whatever is wrong costs that item only and says where and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.domain.conversation import Transcript
from assistant.domain.knowledge import Article
from assistant.errors import InputRejected
from ingest.sources import DuplicateGuard, Limits, SourceItem, canonical, detect_locale, discover, read


def read_all(path: Path, limits: Limits | None = None) -> list[SourceItem | InputRejected]:
    found = discover([path])
    return [*found.rejected, *(item for file in found.files for item in read(file, limits))]


def one_article(path: Path) -> Article:
    (item,) = read_all(path)
    assert isinstance(item, SourceItem), str(item)
    assert isinstance(item.record, Article)
    return item.record


def write_lines(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines), "utf-8")
    return path


ARTICLE = {"id": "a", "title": "退款", "body": "三天到账"}
TURN = {"role": "customer", "text": "在吗"}
TRANSCRIPT = {"conversation_id": "c", "turns": [TURN]}


def test_discovers_sorted_without_hidden_files_and_names_what_it_cannot_read(tmp_path: Path) -> None:
    for name in ("b.md", "a.jsonl", "sub/c.html", ".hidden.md", ".git/x.md", "~$open.docx", "song.mp3"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = discover([tmp_path, tmp_path / "b.md", tmp_path / "missing"])
    assert [file.name for file in found.files] == ["a.jsonl", "b.md", "sub/c.html"]
    reasons = [str(problem) for problem in found.rejected]
    assert reasons[0].startswith("song.mp3: cannot read this kind of file (.mp3)")
    assert "no such file" in reasons[1]


def test_a_line_is_an_article_or_a_transcript_by_its_keys(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x.jsonl", ARTICLE, "", TRANSCRIPT, {"name": 1})
    first, second, third = read_all(path)
    assert isinstance(first, SourceItem)
    assert isinstance(first.record, Article)
    assert isinstance(second, SourceItem)
    assert isinstance(second.record, Transcript)
    assert second.place == "x.jsonl:3"
    assert str(third).startswith("x.jsonl:4: is neither an article")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({**ARTICLE, "titel": "x"}, 'unknown key "titel" (did you mean "title"?)'),
        ({"id": "a", "body": "x"}, 'key "title" is missing'),
        ({**ARTICLE, "title": "  "}, '"title" is empty'),
        ({**ARTICLE, "body": ""}, '"body" is empty'),
        ({**ARTICLE, "id": 7}, '"id" must be text'),
        ({**ARTICLE, "audience": "staff"}, '"audience" is "staff"; allowed are public, internal'),
        ({**ARTICLE, "updated_at": "gestern"}, '"updated_at" is not an RFC 3339 time: "gestern"'),
        ({**ARTICLE, "updated_at": "2026-02-30"}, '"updated_at" is not a time that exists: "2026-02-30"'),
        ({**ARTICLE, "updated_at": 1700000000}, '"updated_at" must be a time as text'),
        (
            {**ARTICLE, "valid_from": "2026-02-02", "valid_until": "2026-02-01"},
            '"valid_until" is before "valid_from"',
        ),
        ({**ARTICLE, "url": "javascript:alert(1)"}, '"url" must begin with'),
        ({**ARTICLE, "body": "a\u0000b"}, '"body" holds a NUL character'),
        ('{"id": "a", "title": "\\ud800", "body": "x"}', '"title" holds half a surrogate pair'),
        ('{"id": "a", "id": "b", "title": "t", "body": "x"}', 'key "id" appears twice'),
        ('{"id": "a", ', "is not JSON: expecting property name"),
        ('{"conversation_id": "c", "turns": [], "csat": NaN}', "NaN is no JSON number"),
        ("[1, 2]", "is not a JSON object"),
        ({**TRANSCRIPT, "turns": []}, '"turns" is empty'),
        ({**TRANSCRIPT, "turns": "x"}, '"turns" must be a list'),
        ({**TRANSCRIPT, "turns": [TURN] * 2001}, '"turns" has 2001 entries'),
        ({**TRANSCRIPT, "turns": [{**TURN, "role": "bot"}]}, '"turns[0].role" is "bot"; allowed are customer'),
        ({**TRANSCRIPT, "turns": [{**TURN, "txt": ""}]}, 'unknown key "txt" (did you mean "text"?) in "turns[0]"'),
        ({**TRANSCRIPT, "csat": 6}, '"csat" is 6; it goes from 1 to 5'),
        ({**TRANSCRIPT, "csat": True}, '"csat" must be a whole number'),
        ({**TRANSCRIPT, "ces": 0}, '"ces" is 0; it goes from 1 to 7'),
        ({**TRANSCRIPT, "locale": "chinese!"}, '"locale" is not a language'),
        ({**TRANSCRIPT, "user_state": {"user_id": "u"}}, 'key "user_state.as_of" is missing'),
        ("[" * 100_000, "is nested too deeply"),
    ],
)
def test_says_what_is_wrong_and_goes_on(tmp_path: Path, line: object, reason: str) -> None:
    path = write_lines(tmp_path / "faq.jsonl", {**ARTICLE, "id": "1"}, line, {**ARTICLE, "id": "3"})
    before, wrong, after = read_all(path)
    assert isinstance(before, SourceItem)
    assert isinstance(after, SourceItem)
    assert isinstance(wrong, InputRejected)
    assert str(wrong).startswith("faq.jsonl:2: ")
    assert reason in str(wrong)
    assert "pydantic" not in str(wrong)


def test_bytes_that_are_no_utf8_are_placed(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id":"a","title":"t","body":"b"}\n{"id":"\xff"}\n')
    good, bad = read_all(path)
    assert isinstance(good, SourceItem)
    assert "byte 44 is 0xff" in str(bad)
    path.write_bytes('{"id": "a"}'.encode("utf-16"))
    (whole,) = read_all(path)
    assert "UTF-16" in str(whole)


def test_limits_are_kept_without_reading(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x.jsonl", ARTICLE, {**ARTICLE, "body": "x" * 500}, ARTICLE)
    first, long, last = read_all(path, Limits(line=200))
    assert isinstance(first, SourceItem)
    assert str(long) == "x.jsonl:2: the line is longer than 200 bytes"
    assert isinstance(last, SourceItem)
    assert last.line == 3
    for name in ("big.pdf", "big.md", "big.html", "big.csv"):
        with (tmp_path / name).open("wb") as stream:
            stream.truncate(300 * 1024 * 1024)
        (problem,) = read_all(tmp_path / name)
        assert "at most 52,428,800 are read" in str(problem)
    (tmp_path / "none.md").touch()
    assert "is empty" in str(read_all(tmp_path / "none.md")[0])


def test_times_take_the_zone_given_and_utc_else(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "x.jsonl",
        {
            **ARTICLE,
            "updated_at": "2026-03-01",
            "valid_from": "2026-03-01T08:00:00",
            "valid_until": "2026-03-01T20:00:00+08:00",
        },
    )
    article = one_article(path)
    assert article.updated_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert article.valid_from == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert article.valid_until == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_markdown_with_and_without_front_matter(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "---\nid: refund\ntitle: 404\nlocale: no\nquestions:\n  - 钱呢\n  - 到账\ntags: a|b\nurl: null\n---\n正文\n",
        "utf-8",
    )
    article = one_article(tmp_path / "a.md")
    assert (article.id, article.title, article.locale, article.body) == ("refund", "404", "no", "正文")
    assert (article.questions, article.tags, article.url) == (("钱呢", "到账"), ("a", "b"), None)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/b.md").write_text("```\n# not this\n```\nintro\n\n## **Late** [parcels](x)\ntext", "utf-8")
    (item,) = read(discover([tmp_path]).files[1])
    assert isinstance(item, SourceItem)
    assert isinstance(item.record, Article)
    assert (item.record.id, item.record.title, item.record.locale) == ("sub/b.md", "Late parcels", "en")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\ntitle: [a\n---\nx", "the front matter is not YAML"),
        ("---\ntitle: a\nx", "the front matter is not closed"),
        ("---\ntitel: a\n---\nx", 'unknown key "titel" (did you mean "title"?)'),
        ("---\ntitle: a\n---\n", '"body" is empty'),
    ],
)
def test_broken_markdown(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.md").write_text(text)
    (problem,) = read_all(tmp_path / "a.md")
    assert isinstance(problem, InputRejected)
    assert reason in str(problem)


def test_the_guard_names_the_first_place(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x.jsonl", ARTICLE, ARTICLE, {"conversation_id": "a", "turns": [TURN]})
    guard = DuplicateGuard()
    verdicts = [guard.admit(item) for item in read_all(path) if isinstance(item, SourceItem)]
    assert [str(verdict) if verdict else None for verdict in verdicts] == [
        None,
        'x.jsonl:2: id "a" is already taken by x.jsonl:1',
        None,
    ]


def test_canonical_form_follows_content_only() -> None:
    at = datetime.fromisoformat("2026-03-01T08:00:00+08:00")
    one = canonical(Article("a", "t", "b", updated_at=at))
    assert one == canonical(Article("a", "t", "b", updated_at=at.astimezone(UTC)))
    assert one != canonical(Article("a", "t", "c", updated_at=at))
    assert json.loads(one)["updated_at"] == "2026-03-01T00:00:00+00:00"


def test_locale_of_a_text() -> None:
    assert detect_locale("我的 order 还没到") == "zh"
    assert detect_locale("Where is my 包裹 please, it has been days") == "en"
    assert detect_locale("12345") == "zh"
