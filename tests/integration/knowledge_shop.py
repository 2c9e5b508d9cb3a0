"""A data folder with knowledge that tests ingest, over a hashing embedder, and what a person would do with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from assistant.bootstrap import Service, build
from assistant.domain.knowledge import Audience, Passage
from assistant.llm.embedders import HashEmbedder
from assistant.ports import Vectors
from assistant.query import Query
from assistant.settings import Settings
from ingest.pipeline import Ingestion, IngestReport

WASH = "羽绒服请用三十度以下的水手洗，不要漂白，低温烘干二十分钟。"
REFUND = "退款在仓库签收后十二个工作日内原路退回。"


class CountingEmbedder(HashEmbedder):
    """The hashing embedder, which also remembers every text it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.passages: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.passages.extend(texts)  # for this embedder questions too come by here
        return super().embed_passages(texts)


class Shop:
    """A data folder with one open service, and what a person would do with it."""

    def __init__(self, data: Path, embedder: HashEmbedder | None = None) -> None:
        self.data = data
        self.service: Service = build(Settings(data_dir=data, embedder="hash"))
        self.embedder = embedder or CountingEmbedder()
        self.service.__dict__["embedder"] = self.embedder  # in place of the one it would build

    def ingest(self, *paths: Path, workspace: str = "w", dry_run: bool = False) -> IngestReport:
        service = self.service
        job = Ingestion(service.records(workspace), service.keeper(workspace), service.clock.now)
        return job.run(paths, dry_run=dry_run)

    def passages(
        self, question: str, *, workspace: str = "w", audience: Audience = "public", after: timedelta = timedelta(0)
    ) -> list[Passage]:
        query = Query(question, k=10, audience=audience)
        found = self.service.retriever(workspace).search(query, now=self.service.clock.now() + after)
        return list(found.passages)

    def found(self, question: str, *, workspace: str = "w", audience: Audience = "public") -> list[str]:
        return [p.document_id for p in self.passages(question, workspace=workspace, audience=audience)]


def article(path: Path, key: str, title: str, body: str, **front: str) -> None:
    """Write an article's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{name}: {value}\n" for name, value in front.items())
    path.write_text(f"---\nid: {key}\ntitle: {title}\n{lines}---\n{body}\n", encoding="utf-8")


def two_articles(folder: Path) -> Path:
    """The folder with an article on washing and one on refunds."""
    article(folder / "wash.md", "wash", "羽绒服怎么洗", WASH, questions="[羽绒服能机洗吗]")
    article(folder / "refund.md", "refund", "退款多久到账", REFUND)
    return folder


def line(**record: object) -> str:
    """A line of JSONL."""
    return json.dumps(record, ensure_ascii=False) + "\n"
