"""Run by ``test_ingest_kill`` in a process of its own, since it forks: kills ingestions and compares what is left."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text

from assistant.bootstrap import Service, build
from assistant.settings import Settings
from assistant.store import chroma, snapshot
from assistant.text import Segmenter
from ingest.pipeline import Ingestion

POINTS = 25
TRANSCRIPT = {
    "conversation_id": "c1",
    "locale": "zh",
    "outcome": "resolved",
    "turns": [
        {"role": "customer", "text": "羽绒服洗了以后结块了怎么办"},
        {"role": "agent", "text": "放两三个网球低温烘干二十分钟，羽绒就会蓬松起来。"},
    ],
}


def first_state(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(6):
        (folder / f"a{number}.md").write_text(
            f"---\nid: a{number}\ntitle: 第{number}条规则\nlocale: zh\nquestions: [规则{number}是什么]\n---\n"
            f"第{number}条规则的内容是{number * 7}天。\n\n## 例外\n\n节假日顺延。\n",
            encoding="utf-8",
        )


def second_state(folder: Path) -> None:
    (folder / "a0.md").unlink()
    changed = (folder / "a1.md").read_text(encoding="utf-8").replace("节假日顺延", "周末不算")
    (folder / "a1.md").write_text(changed, encoding="utf-8")
    (folder / "new.md").write_text("---\nid: new\ntitle: 新规则\n---\n新规则从今天开始。\n", encoding="utf-8")
    (folder / "t.jsonl").write_text(json.dumps(TRANSCRIPT, ensure_ascii=False) + "\n", encoding="utf-8")


def in_child(work: Callable[[], Any], answer: Path) -> int:
    """Run ``work`` in a forked process; its result is written as JSON. Returns the signal that ended it, or 0."""
    pid = os.fork()
    if pid == 0:
        try:
            answer.write_text(json.dumps(work()), encoding="utf-8")
            os._exit(0)
        except BaseException:  # noqa: BLE001  # a forked child must never return into its parent's code
            import traceback

            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed; see its traceback"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


class Steps:
    """Counts the places at which a process can die, and dies at one."""

    def __init__(self, die_at: int | None) -> None:
        self.count = 0
        self.die_at = die_at

    def step(self, *_: object, **__: object) -> None:
        self.count += 1
        if self.count == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **kwargs: Any) -> Any:
            self.step()
            result = call(*args, **kwargs)
            self.step()
            return result

        return stepped


def ingest(data: Path, folder: Path, die_at: int | None = None) -> int:
    steps = Steps(die_at)
    event.listen(Engine, "before_cursor_execute", steps.step)
    event.listen(Engine, "commit", steps.step)
    collection = chroma.ChromaVectorIndex
    collection.upsert = steps.around(collection.upsert)  # type: ignore[method-assign]
    collection.delete = steps.around(collection.delete)  # type: ignore[method-assign]
    snapshot.os.replace = steps.around(os.replace)  # type: ignore[attr-defined]
    service = service_for(data)
    Ingestion(service.records("w"), service.keeper("w"), service.clock.now).run([folder])
    service.close()
    return steps.count


def service_for(data: Path) -> Service:
    return build(Settings(data_dir=data, embedder="hash"))


def picture(data: Path) -> dict[str, Any]:
    """All that a user could tell apart, without times."""
    from assistant.query import Query

    service = service_for(data)
    records, keeper = service.records("w"), service.keeper("w")
    retriever = service.retriever("w")
    with service.engine.connect() as connection:
        versions = connection.execute(
            text("select kind, id, version, content_hash, removed_at is null from document_versions order by 1, 2, 3")
        )
        kept = connection.execute(text("select entry_id from vectors order by 1")).scalars()
        shown: dict[str, Any] = {"versions": [list(row) for row in versions], "vectors": list(kept)}
    shown["entries"] = [entry.id for entry in records.all_entries()]
    shown["chroma"] = sorted(keeper.vector_index().ids())
    shown["dirty"] = records.index_state().dirty
    for question in ("第0条规则", "周末算吗", "新规则", "羽绒服结块"):
        found = retriever.search(Query(question, k=10), now=service.clock.now())
        shown[question] = [[p.document_id, p.score, p.text] for p in found.passages]
    service.close()
    return shown


def main(tmp_path: Path) -> None:
    """Prints one JSON line: how many steps a run has and how many killed runs ended as an undisturbed one."""
    import_module("chromadb")  # the children inherit what is loaded here
    Segmenter().terms("预热")
    service_for(tmp_path / "warm").records("w")
    folder, base, answer = tmp_path / "in", tmp_path / "base", tmp_path / "answer.json"
    first_state(folder)
    assert in_child(lambda: ingest(base, folder), answer) == 0
    second_state(folder)

    quiet_data = tmp_path / "quiet"
    shutil.copytree(base, quiet_data)
    assert in_child(lambda: ingest(quiet_data, folder), answer) == 0
    steps = json.loads(answer.read_text())
    assert in_child(lambda: picture(quiet_data), answer) == 0
    undisturbed = json.loads(answer.read_text())
    assert undisturbed["chroma"] == undisturbed["entries"]
    assert not undisturbed["dirty"]
    assert all(row[0] != "a0" for row in undisturbed["第0条规则"])

    points = random.Random(20).sample(range(1, steps + 1), POINTS)
    for point in sorted(points):
        data = tmp_path / f"killed-{point}"
        shutil.copytree(base, data)
        assert in_child(lambda data=data, point=point: ingest(data, folder, point), answer) == signal.SIGKILL
        assert in_child(lambda data=data: ingest(data, folder), answer) == 0
        assert in_child(lambda data=data: picture(data), answer) == 0
        assert json.loads(answer.read_text()) == undisturbed, f"killed at step {point} of {steps}"
        shutil.rmtree(data)
    print(json.dumps({"steps": steps, "equal": len(points)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
