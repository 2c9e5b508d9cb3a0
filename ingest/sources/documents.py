"""HTML, PDF and DOCX become Markdown here; the only module that knows markitdown, which takes seconds to import."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from assistant.errors import InputRejected
from ingest.sources.decoding import decode
from ingest.sources.files import Limits, SourceFile
from ingest.sources.items import SourceItem
from ingest.sources.markdown import first_heading
from ingest.sources.schemas import parse_article
from ingest.sources.tables import check_archive

_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
# navigation and chrome would be found for every query
_CHROME = re.compile(r"<(nav|footer|aside|noscript|template|iframe|svg)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_EMBEDDED_IMAGE = re.compile(r"\(data:[^)\s]{0,200}[^)]*\)")


def read_html(file: SourceFile, limits: Limits) -> Iterator[SourceItem | InputRejected]:
    """The page as one article, titled by ``<title>``, its first heading or the file's name."""
    from markitdown import StreamInfo
    from markitdown.converters import HtmlConverter

    raw = file.path.read_bytes()
    declared = _CHARSET.search(raw[:4096])
    text, encoding = decode(raw, file.name, fallback=declared[1].decode("ascii").lower() if declared else None)
    data = _CHROME.sub("", text).encode("utf-8", "surrogatepass")
    info = StreamInfo(mimetype="text/html", extension=".html", charset="utf-8")
    try:
        made = HtmlConverter().convert(io.BytesIO(data), info, strict=True)
    except Exception as exc:
        raise _unreadable(file, exc) from exc
    yield _article(file, made.markdown, (made.title or "").strip(), "holds no text", encoding)


def read_docx(file: SourceFile, limits: Limits) -> Iterator[SourceItem | InputRejected]:
    """The document as one article, titled by its first heading or the file's name."""
    from markitdown import StreamInfo
    from markitdown.converters import DocxConverter

    check_archive(file, limits)
    converter = DocxConverter()  # type: ignore[no-untyped-call]
    try:
        made = converter.convert(io.BytesIO(file.path.read_bytes()), StreamInfo(extension=".docx"))
    except Exception as exc:
        raise _unreadable(file, exc) from exc
    yield _article(file, made.markdown, "", "holds no text")


def read_pdf(file: SourceFile, limits: Limits) -> Iterator[SourceItem | InputRejected]:
    """The text layer as one article, titled by the file's name, since a PDF has no headings."""
    raw = file.path.read_bytes()
    if b"%PDF-" not in raw[:1024]:
        raise InputRejected(file.name, "is not a PDF")

    from markitdown import StreamInfo
    from markitdown.converters import PdfConverter
    from pdfminer.pdfdocument import PDFPasswordIncorrect

    try:
        made = PdfConverter().convert(io.BytesIO(raw), StreamInfo(extension=".pdf"))
    except PDFPasswordIncorrect as exc:
        raise InputRejected(file.name, "is protected by a password") from exc
    except Exception as exc:
        raise _unreadable(file, exc) from exc
    text = made.markdown.replace("\x0c", "\n\n").replace("\x00", "")
    yield _article(file, text, file.stem, "holds no text; a scan needs OCR first")


def _article(file: SourceFile, text: str, title: str, if_empty: str, encoding: str = "utf-8") -> SourceItem:
    body = _EMBEDDED_IMAGE.sub("()", text).strip()
    if not body:
        raise InputRejected(file.name, if_empty)
    values = {"id": file.name, "title": title or first_heading(body) or file.stem, "body": body}
    return SourceItem(parse_article(values, file.name), file.name, None, encoding)


def _unreadable(file: SourceFile, exc: Exception) -> InputRejected:
    return InputRejected(file.name, f"is damaged or not a {file.kind.upper()} file ({type(exc).__name__})")
