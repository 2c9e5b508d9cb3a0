"""Bad input of every kind is named with its remedy, and never keeps the rest from going in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.knowledge_shop import REFUND, WASH, Shop, line, two_articles

MEGABYTE = 1024 * 1024


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "data")
    yield shop
    shop.service.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return two_articles(tmp_path / "knowledge")


def big(path: Path) -> None:
    path.write_bytes(b"%PDF-1.4\n")
    os.truncate(path, 300 * MEGABYTE)


def empty_pdf(path: Path) -> None:
    path.write_bytes(
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>endobj\n"
        b"trailer<</Size 4/Root 1 0 R>>\n%%EOF"
    )


def seventh_line_broken(path: Path) -> None:
    lines = [line(id=f"n{n}", title=f"第{n}条", body=f"第{n}条规则。") for n in range(1, 10)]
    lines[6] = '{"id": "n7", "title": "断掉的\n'
    path.write_text("".join(lines), encoding="utf-8")


def written(content: str, encoding: str = "utf-8") -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content.encode(encoding)) and None


BAD = {
    "wrong encoding": ("gbk.md", written("# 退货\n\n七天内可以退货。\n", "gb18030"), None, ["UTF-8", "byte"]),
    "UTF-16": ("wide.jsonl", written(line(id="a", title="a", body="b"), "utf-16"), None, ["UTF-16"]),
    "broken JSON on line 7": ("faq.jsonl", seventh_line_broken, 7, ["JSON"]),
    "300 MB": ("scan.pdf", big, None, ["314,572,800", "split"]),
    "empty PDF": ("blank.pdf", empty_pdf, None, ["OCR"]),
    "empty file": ("none.md", written(""), None, ["empty"]),
    # the later of two is rejected, and the message names the first
    "duplicate id": (
        "z-twin.md",
        written("---\nid: wash\ntitle: 又一个\n---\n另一种说法。\n"),
        None,
        ["wash.md", "wash"],
    ),
    "unknown key": ("key.jsonl", written(line(id="k", titel="错", body="正文")), 1, ['"titel"', '"title"']),
    "unknown role": (
        "role.jsonl",
        written(line(conversation_id="r", turns=[{"role": "bot", "text": "您好"}])),
        1,
        ["role", "customer"],
    ),
    "unknown kind of file": ("notes.pages", written("…"), None, [".pages"]),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named_and_the_rest_goes_in(shop: Shop, folder: Path, case: str) -> None:
    name, write, number, words = BAD[case]
    write(folder / name)
    report = shop.ingest(folder)
    assert {"wash", "refund"} <= set(report.added)
    (rejected,) = report.rejected
    place = name if number is None else f"{name}:{number}"
    assert str(rejected).startswith(place), str(rejected)
    for word in words:
        assert word in str(rejected)
    assert "Traceback" not in str(rejected)
    assert "pydantic" not in str(rejected)
    assert shop.found("羽绒服怎么洗")[0] == "wash"
    if case == "broken JSON on line 7":
        assert {f"n{n}" for n in (1, 2, 3, 4, 5, 6, 8, 9)} <= set(report.added)


def test_all_of_it_together(shop: Shop, folder: Path) -> None:
    for name, write, _, _ in BAD.values():
        write(folder / name)
    report = shop.ingest(folder)
    assert sorted({r.source for r in report.rejected}) == sorted(name for name, *_ in BAD.values())
    assert len(report.rejected) == len(BAD)
    assert len(report.added) == 2 + 8
    again = shop.ingest(folder)
    assert (again.unchanged, again.sync.embedded, len(again.rejected)) == (10, 0, len(BAD))


def test_items_of_a_file_that_broke_are_kept(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "faq.jsonl"
    wash, refund = line(id="wash", title="羽绒服怎么洗", body=WASH), line(id="refund", title="退款", body=REFUND)
    path.write_text(wash + refund, encoding="utf-8")
    shop.ingest(path)
    path.write_text(wash[:30] + "\n" + refund, encoding="utf-8")
    report = shop.ingest(path)
    assert [str(r).split(": ")[0] for r in report.rejected] == ["faq.jsonl:1"]
    assert (report.removed, report.kept) == ((), ("wash",))
    assert shop.found("羽绒服怎么洗")[0] == "wash"
    path.write_text(refund, encoding="utf-8")  # repaired, without it
    assert shop.ingest(path).removed == ("wash",)


def test_a_path_that_never_was_is_named(shop: Shop, tmp_path: Path) -> None:
    report = shop.ingest(tmp_path / "nowhere")
    assert ["no such file or folder" in str(r) for r in report.rejected] == [True]
