"""The command line as promised in the formats document: commands, exit statuses, one JSON object, a quick `--help`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from api.cli import app
from api.cli.session import quiet
from tests.command_line import Result, Run, runner
from tests.promises import REPLY_KEYS

PROMISED = {
    "demo": set(),
    "ingest": {"--dry-run"},
    "search": {"-k"},
    "ask": {"--user", "--conversation"},
    "answer": {"--out"},
    "draft": {"--out"},
    "eval retrieval": {"--run-file", "--depth"},
    "eval transfers": {"--predictions", "--report"},
    "eval compare": set(),
    "serve": {"--host", "--port", "--workers"},
    "doctor": set(),
    "reindex": set(),
}
TEACHBACK = str(Path(sys.executable).with_name("teachback"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command in this process, with the real file descriptors watched: far quicker than a process each."""
    monkeypatch.setenv("TEACHBACK_EMBEDDER", "hash")
    monkeypatch.setenv("TEACHBACK_DATA_DIR", str(tmp_path / "data"))
    quiet()
    return runner(monkeypatch, capfd)


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    path = tmp_path / "faq.jsonl"
    turns = [
        {"role": "customer", "text": "羽绒服洗了以后结块了怎么办", "at": "2026-03-01T10:00:00+08:00"},
        {"role": "assistant", "text": "我没有找到资料。", "at": "2026-03-01T10:00:05+08:00"},
        {
            "role": "agent",
            "text": "放两三个网球低温烘干二十分钟，羽绒就会蓬松起来。",
            "at": "2026-03-01T10:05:00+08:00",
        },
    ]
    talk = {"conversation_id": "c1", "outcome": "resolved", "turns": turns, "handoff": {"reason": "low_confidence"}}
    wash = {"id": "wash", "title": "羽绒服怎么洗", "body": "三十度以下手洗。"}
    write_lines(path, [wash, {"id": "refund", "title": "退款多久到账", "body": "七个工作日。"}, talk])
    return path


def write_lines(path: Path, records: list[object]) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), encoding="utf-8")
    return path


# -- commands and options ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", PROMISED)
def test_the_promised_commands_and_options_exist(command: str) -> None:
    found: Any = typer.main.get_command(app)
    for word in command.split():
        found = found.commands[word]
    options = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert options >= PROMISED[command] | {"--workspace", "--data-dir"}
    if command != "serve":
        assert "--json" in options
    assert (found.help or "").strip()


def test_help_answers_at_once_and_loads_nothing_heavy() -> None:
    program = (
        "import sys, time; started = time.perf_counter()\n"
        "sys.argv = ['teachback', '--help']\n"
        "from api.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'chromadb', 'numpy', 'sqlalchemy', 'fastapi', 'openai', 'pydantic', 'jieba'}\n"
        "print(time.perf_counter() - started, sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    times = []
    for _ in range(3):  # the best of three: the machine may be busy with something else
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        seconds, loaded = done.stderr.strip().splitlines()[-1].split(" ", 1)
        assert loaded == "[]"
        assert "ingest" in done.stdout
        times.append(float(seconds))
    assert min(times) < 0.9


# -- a day's work --------------------------------------------------------------------------------------------------


def test_every_command_prints_one_json_object(run: Run, knowledge: Path, tmp_path: Path) -> None:
    dry = run("ingest", knowledge, "--dry-run", "--json")
    assert (dry.status, dry.record["dry_run"], sorted(dry.record["added"])) == (0, True, ["c1", "refund", "wash"])
    first = run("ingest", knowledge, "--json")
    assert (first.status, first.err) == (0, "")
    assert sorted(first.record["added"]) == ["c1", "refund", "wash"]
    assert first.record["entries"]["embedded"] > 0
    assert run("ingest", knowledge, "--json").record["entries"]["embedded"] == 0

    found = run("search", "羽绒服怎么洗", "-k", 2, "--json").record
    assert found["passages"][0]["article_id"] == "wash"
    assert len(found["passages"]) <= 2
    scores = [p["score"] for p in found["passages"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)

    reply = run("ask", "羽绒服怎么洗", "--user", "u1", "--json").record
    assert reply.keys() >= REPLY_KEYS
    again = run("ask", "转人工", "--user", "u1", "--conversation", reply["conversation_id"], "--json").record
    assert (again["decision"], again["conversation_id"]) == ("handoff", reply["conversation_id"])

    questions = write_lines(tmp_path / "q.jsonl", [{"id": "1", "text": "羽绒服怎么洗", "user_id": None}])
    answered = run("answer", questions, "--out", tmp_path / "a.jsonl", "--json")
    assert (answered.status, answered.record["answers"]) == (0, 1)
    (row,) = map(json.loads, (tmp_path / "a.jsonl").read_text("utf-8").splitlines())
    assert row.keys() == {"id", "reply", "decision", "confidence", "citations"}

    cases = tmp_path / "cases.jsonl"
    assert run("eval", "cases", "--out", cases, "--json").record["transferred"] == 1
    drafted = run("draft", cases, "--out", tmp_path / "p.jsonl", "--json")
    assert (drafted.status, drafted.record["predictions"]) == (0, 1)
    (row,) = map(json.loads, (tmp_path / "p.jsonl").read_text("utf-8").splitlines())
    assert row.keys() == {"case_id", "reply", "decision", "confidence", "citations"}
    assert not [c for c in row["citations"] if c.get("conversation_id") == "c1"], "a case may not see itself"

    beir = tmp_path / "beir"
    (beir / "qrels").mkdir(parents=True)
    write_lines(beir / "corpus.jsonl", [{"_id": f"d{n}", "title": "", "text": f"第{n}条规则"} for n in range(12)])
    write_lines(beir / "queries.jsonl", [{"_id": "q", "text": "第3条规则"}])
    (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td3\t1\n", encoding="utf-8")
    measured = run("eval", "retrieval", beir, "--run-file", tmp_path / "run.trec", "--depth", 10, "--json").record
    assert {"recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10"} <= {k.lower() for k in measured["metrics"]}
    assert len((tmp_path / "run.trec").read_text("utf-8").splitlines()) == 10

    for command in (("doctor",), ("reindex",), ("keys", "create", "--role", "agent"), ("keys", "list")):
        done = run(*command, "--json")
        assert (done.status, done.err) == (0, ""), command
        assert done.record


def test_transfers_are_scored_and_two_runs_compared(run: Run, knowledge: Path, tmp_path: Path) -> None:
    run("ingest", knowledge)
    cases = tmp_path / "cases.jsonl"
    run("eval", "cases", "--out", cases)
    runs = []
    for name in ("a", "b"):
        done = run("eval", "transfers", cases, "--predictions", tmp_path / f"{name}.jsonl", "--json")
        assert done.status == 0
        runs.append(done.record["run"])
        assert len((tmp_path / f"{name}.jsonl").read_text("utf-8").splitlines()) == 1
    assert run("eval", "compare", *runs, "--json").record["regression"] is False


def test_gaps_are_drafted_and_candidates_replayed(run: Run, knowledge: Path, tmp_path: Path) -> None:
    run("ingest", knowledge)
    cases = write_lines(
        tmp_path / "cases.jsonl",
        [
            {
                "case_id": f"case-{n}",
                "conversation_id": f"talk-{n}",
                "turns": [{"role": "customer", "text": text}],
                "references": [f"刻字要加 {price} 元，下单时备注刻字内容，最多 6 个字。"],
            }
            for n, (text, price) in enumerate([("保温杯可以刻字吗", 20), ("杯子刻字怎么收费", 20)])
        ],
    )
    drafts = tmp_path / "drafts.jsonl"
    found = run("eval", "gaps", cases, "--drafts", drafts, "--json")
    assert (found.status, found.record["failed"]) == (0, 2)
    assert found.record["drafts"] == {"file": str(drafts), "articles": len(found.record["gaps"])}
    assert all("20 元" in json.loads(line)["body"] for line in drafts.read_text("utf-8").splitlines())

    marked = run("eval", "replay", drafts, "--cases", cases, "--json").record
    assert marked["marked"], "cases that a draft was written from are no gain"
    assert not set(marked["marked"]) & set(marked["gains"])

    body = "杯身刻字另收 20 元；最多 6 个字，请在备注里写明刻字内容。"
    article = {"id": "engraving", "title": "保温杯刻字", "body": body}
    by_hand = write_lines(tmp_path / "article.jsonl", [article])
    replayed = run("eval", "replay", by_hand, "--cases", cases, "--json")
    assert (replayed.status, replayed.record["marked"]) == (0, [])
    assert (replayed.record["accuracy"]["cases"], replayed.record["regressions"]) == (2, [])
    assert "engraving" not in json.dumps(run("search", "保温杯刻字", "--json").record), "nothing was published"


# -- exit statuses -------------------------------------------------------------------------------------------------


def test_status_1_where_some_input_was_rejected_each_named(run: Run, knowledge: Path, tmp_path: Path) -> None:
    with knowledge.open("a", encoding="utf-8") as stream:
        stream.write('{"id": "x", "titel": "y", "body": "z"}\nnot json\n')
    done = run("ingest", knowledge, "--json")
    assert done.status == 1
    assert [(r["source"], r["line"]) for r in done.record["rejected"]] == [("faq.jsonl", 4), ("faq.jsonl", 5)]
    assert '"titel"' in done.record["rejected"][0]["reason"]
    assert done.err.count("rejected") == 2
    assert len(done.record["added"]) == 3

    questions = write_lines(tmp_path / "q.jsonl", [{"id": "1", "text": "羽绒服怎么洗"}, {"id": "2", "txt": "?"}])
    done = run("answer", questions, "--out", tmp_path / "a.jsonl", "--json")
    assert (done.status, done.record["answers"], done.record["rejected"][0]["line"]) == (1, 1, 2)
    cases = write_lines(tmp_path / "c.jsonl", [{"case_id": "1"}])
    done = run("draft", cases, "--out", tmp_path / "p.jsonl", "--json")
    assert (done.status, done.record["predictions"], done.record["rejected"][0]["line"]) == (1, 0, 1)
    assert run("ingest", tmp_path / "nowhere").status == 1


WRONG = {
    "no such command": (["frobnicate"], "frobnicate"),
    "no such option": (["ingest", ".", "--wet-run"], "--wet-run"),
    "nothing to ingest": (["ingest"], "paths"),
    "a bad workspace name": (["-w", "Bad Name", "doctor"], "workspace"),
    "a file as data folder": (["--data-dir", __file__, "search", "x"], "data folder"),
    "several workers on embedded Chroma": (["serve", "--workers", "2"], "TEACHBACK_CHROMA_URL"),
    "a port that is none": (["serve", "--port", "99999"], "--port"),
    "an unknown role": (["keys", "create", "--role", "boss"], "boss"),
    "an unknown conversation": (["ask", "x", "--conversation", "cv_none"], "cv_none"),
    "no such run": (["eval", "compare", "a", "b"], "no run"),
    "no such cases": (["eval", "transfers", "nowhere.jsonl"], "nowhere.jsonl"),
    "no such data set": (["eval", "retrieval", "nowhere"], "nowhere"),
}


@pytest.mark.parametrize("case", WRONG)
def test_status_2_for_wrong_usage_with_the_reason(run: Run, case: str) -> None:
    args, named = WRONG[case]
    done = run(*args)
    assert (done.status, done.out) == (2, "")
    assert named in done.err
    assert len(done.err.strip().splitlines()) <= 4


@pytest.mark.parametrize(
    ("name", "value"),
    [("TEACHBACK_EMBEDDER", "nonsense"), ("TEACHBACK_MODEL_TIMEOUT_S", "soon"), ("TEACHBACK_CHROMA_URL", "nonsense")],
)
def test_status_2_for_a_wrong_setting(run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    done = run("search", "x")
    assert done.status == 2
    assert value in done.err or "model_timeout_s" in done.err
    assert run("doctor").status == 2


def test_another_users_conversation_is_refused(run: Run, knowledge: Path) -> None:
    run("ingest", knowledge)
    reply = run("ask", "羽绒服怎么洗", "--user", "u1", "--json").record
    done = run("ask", "转人工", "--user", "u2", "--conversation", reply["conversation_id"])
    assert (done.status, done.out) == (2, "")


# -- where the data is ---------------------------------------------------------------------------------------------


def test_workspace_and_data_folder_before_or_after_the_command(run: Run, knowledge: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    assert run("ingest", knowledge, "--data-dir", folder, "-w", "blue").status == 0
    both: list[list[object]] = [
        ["--data-dir", folder, "--workspace", "blue", "--json", "search", "羽绒服怎么洗"],
        ["search", "羽绒服怎么洗", "--data-dir", folder, "--workspace", "blue", "--json"],
        ["--data-dir", folder, "search", "--json", "羽绒服怎么洗", "-w", "blue"],
    ]
    for args in both:
        assert run(*args).record["passages"][0]["article_id"] == "wash"
    assert run("search", "羽绒服怎么洗", "--data-dir", folder, "--json").record["passages"] == []
    assert run("search", "羽绒服怎么洗", "-w", "blue", "--json").record["passages"] == []
    assert not (tmp_path / "data" / "elsewhere").exists()


def test_a_real_process_prints_nothing_but_the_object_and_names_who_holds_the_folder(
    run: Run, knowledge: Path, tmp_path: Path
) -> None:
    """Whatever the libraries print at import or exit; and what a second process on the same data folder is told."""
    folder = str(tmp_path / "data")
    run("ingest", knowledge)
    args = [TEACHBACK, "--data-dir", folder, "ask", "羽绒服怎么洗", "--json"]
    done = subprocess.run(args, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert Result(0, done.stdout, "").record["conversation_id"]

    holder = subprocess.Popen(
        [TEACHBACK, "--data-dir", folder, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().startswith("Teachback serves http://localhost:")
        blocked = run("search", "x", "--json")
        assert (blocked.status, blocked.out) == (2, "")
        assert f"in use by process {holder.pid}" in blocked.err
        assert "--data-dir" in blocked.err
    finally:
        holder.terminate()
        holder.wait(20)
        assert holder.stdout is not None
        holder.stdout.close()
    assert run("search", "羽绒服怎么洗", "--json").status == 0
