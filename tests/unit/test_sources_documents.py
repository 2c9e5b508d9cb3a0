"""HTML, PDF and DOCX become articles; the files are written here, byte by byte where need be."""

from __future__ import annotations

import zipfile
from pathlib import Path

from assistant.domain.knowledge import Article
from assistant.errors import InputRejected
from ingest.sources import SourceItem, discover, read


def read_one(path: Path, root: Path | None = None) -> SourceItem | InputRejected:
    (item,) = read(next(file for file in discover([root or path]).files if file.path == path))
    return item


def article(item: SourceItem | InputRejected) -> Article:
    assert isinstance(item, SourceItem), str(item)
    assert isinstance(item.record, Article)
    return item.record


def pdf(text: str) -> bytes:
    stream = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET".encode() if text else b""
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj%s endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    tail = b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(data)
    return data + b"xref\n0 6\n0000000000 65535 f \n" + table + tail


def docx(path: Path, body: str) -> None:
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    office = "http://schemas.openxmlformats.org"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{office}/package/2006/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
            'wordprocessingml.document.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{office}/package/2006/relationships"><Relationship Id="r1" '
            f'Type="{office}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
            "</Relationships>",
        )
        archive.writestr("word/document.xml", f"<w:document {space}><w:body>{body}</w:body></w:document>")


def test_html_without_navigation(tmp_path: Path) -> None:
    path = tmp_path / "help" / "refund.html"
    path.parent.mkdir()
    page = "<html><head><meta charset=gbk><title>退款说明</title></head><body><nav>首页 商城</nav>"
    page += "<h1>退款</h1><p>三天到账</p></body>"
    path.write_bytes(page.encode("gbk"))
    found = article(read_one(path, tmp_path))
    assert (found.id, found.title, found.locale) == ("help/refund.html", "退款说明", "zh")
    assert "三天到账" in found.body
    assert "商城" not in found.body
    path.write_text("<html><body><script>1</script></body></html>")
    assert "holds no text" in str(read_one(path))


def test_pdf_with_text_and_a_scan(tmp_path: Path) -> None:
    path = tmp_path / "terms.pdf"
    path.write_bytes(pdf("Refunds take three days"))
    found = article(read_one(path))
    assert (found.id, found.title, found.locale) == ("terms.pdf", "terms", "en")
    assert "Refunds take three days" in found.body
    path.write_bytes(pdf(""))
    assert "a scan needs OCR" in str(read_one(path))
    path.write_bytes(b"GIF89a")
    assert "is not a PDF" in str(read_one(path))
    path.write_bytes(b"%PDF-1.4 cut off")
    assert isinstance(read_one(path), InputRejected)


def test_docx(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    docx(path, "<w:p><w:r><w:t>退货须知：七天内</w:t></w:r></w:p>")
    found = article(read_one(path))
    assert (found.id, found.title) == ("a.docx", "a")
    assert "七天内" in found.body
    path.write_bytes(b"PK\x03\x04 broken")
    assert "is not a DOCX file" in str(read_one(path))
