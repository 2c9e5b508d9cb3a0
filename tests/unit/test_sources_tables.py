"""CSV and XLSX rows as articles, in the encodings and shapes that Excel writes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from assistant.domain.knowledge import Article
from assistant.errors import InputRejected
from ingest.sources import Limits, SourceItem, discover, read


def read_all(path: Path, limits: Limits | None = None) -> list[SourceItem | InputRejected]:
    return list(read(discover([path]).files[0], limits))


def articles(items: list[SourceItem | InputRejected]) -> list[Article]:
    assert all(isinstance(item, SourceItem) for item in items), [str(item) for item in items]
    return [item.record for item in items if isinstance(item, SourceItem) and isinstance(item.record, Article)]


def test_csv_with_lists_and_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.write_text(
        '\ufeffID,Title,body,questions,tags\n1,退款,"第一行\n第二行",钱呢|到账,"[""a"", ""b""]"\n\n2,换货,文,,\n',
        "utf-8",
    )
    items = read_all(path)
    first, second = articles(items)
    assert (first.body, first.questions, first.tags) == ("第一行\n第二行", ("钱呢", "到账"), ("a", "b"))
    assert second.questions == ()
    assert isinstance(items[1], SourceItem)
    assert items[1].place == "faq.csv:5"


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "faq.csv"
    path.write_text(f"id{separator}title{separator}body\n1{separator}a, b{separator}c\n")
    assert articles(read_all(path))[0].title == "a, b"


def test_gb18030_is_read_and_said(tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.write_bytes("id,title,body\n1,退款多久到账,三天\n".encode("gb18030"))
    (item,) = read_all(path)
    assert isinstance(item, SourceItem)
    assert (item.encoding, articles([item])[0].title) == ("gb18030", "退款多久到账")
    path.write_bytes(b"id,title,body\n1,\xff\xff,x\n")
    assert "is neither UTF-8 nor GB18030 (byte 16 is 0xff)" in str(read_all(path)[0])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("id,titel,body\n1,a,b\n", 'faq.csv:1: unknown column "titel" (did you mean "title"?)'),
        ("id,title\n1,a\n", 'faq.csv:1: column "body" is missing'),
        ("id,id,title,body\n1,1,a,b\n", 'faq.csv:1: column "id" appears twice'),
        ("id,title,body\n1,,b\n", 'faq.csv:2: "title" is empty'),
        ("id,title,body\n1,a,b,c\n", "faq.csv:2: has 4 cells; the first row names 3 columns"),
        ("id,title,body,tags\n1,a,b,[x\n", 'faq.csv:2: "tags" begins like a JSON array but is not one'),
        ('id,title,body\n1,a,"never closed\n', "faq.csv:2: is not CSV"),
    ],
)
def test_broken_csv(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "faq.csv"
    path.write_text(text)
    (problem,) = read_all(path)
    assert str(problem).startswith(reason)


def test_xlsx_with_several_sheets(tmp_path: Path) -> None:
    path = tmp_path / "faq.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "退款"
    sheet.append(["id", "title", "body", "questions", "updated_at"])
    sheet.append([1001, "退款", "三天", "钱呢\n到账", datetime(2026, 3, 1, 9, 0)])
    sheet.append([None, None, None, None, None])
    sheet.append(["x", "", "文", None, None])
    book.create_sheet("leer")
    other = book.create_sheet("more")
    other.append(["id", "title", "body"])
    other.append(["b", "t", "text"])
    book.save(path)
    first, wrong, last = read_all(path)
    (article,) = articles([first])
    assert (article.id, article.questions, article.updated_at) == (
        "1001",
        ("钱呢", "到账"),
        datetime(2026, 3, 1, 9, tzinfo=UTC),
    )
    assert str(wrong) == 'faq.xlsx[退款]:4: "title" is empty'
    assert isinstance(last, SourceItem)
    assert last.place == "faq.xlsx[more]:2"


def test_a_workbook_that_is_none_or_unpacks_too_far(tmp_path: Path) -> None:
    path = tmp_path / "faq.xlsx"
    path.write_bytes(b"not a zip")
    assert "is not a XLSX file" in str(read_all(path)[0])
    book = openpyxl.Workbook()
    book.save(path)
    assert "unpacks to" in str(read_all(path, Limits(unpacked=100))[0])
