"""A stocktake in words: Markdown for a knowledge manager, each finding with its evidence."""

from __future__ import annotations

from evals.loop.stocktake import FEWEST_REPLIES, Stocktake


def stocktake_markdown(found: Stocktake) -> str:
    """The findings, the most pressing first."""
    out = [f"### {found.articles} articles on {found.at:%Y-%m-%d}", "", f"**Flagged by staff** ({len(found.flagged)})"]
    out += [
        f"- {f.article_id}: {f.reason} – {f.note or 'no note'} ({f.who}, {f.at:%Y-%m-%d}, {f.id})"
        for f in found.flagged
    ]
    out += ["", f"**Contradicted by agents since their last change** ({len(found.contradicted)})"]
    for key, clashes in found.contradicted.items():
        out.append(f"- {key} ({found.titles.get(key, '')}), {len({c.other for c in clashes})} conversations")
        out += [f"  - {c.theirs} instead of {c.ours} in {c.other}: “{c.sentence}”" for c in clashes[:3]]
    out += ["", f"**Past their validity** ({len(found.expired)})"]
    out += [f"- {key}: ended {at:%Y-%m-%d}; customers no longer see it" for key, at in found.expired]
    out += ["", f"**Articles that contradict each other** ({len(found.contradictory)})"]
    out += [f"- {c.article_id} says {c.ours}, {c.other} says {c.theirs}: “{c.sentence}”" for c in found.contradictory]
    out += ["", f"**Repeated** ({len(found.duplicates)})", *(f"- {a} and {b}" for a, b in found.duplicates)]
    out += ["", f"**Not changed for a year** ({len(found.old)})", *(f"- {key}: {at:%Y-%m-%d}" for key, at in found.old)]
    if found.never_used is None:
        out += ["", f"**Never used**: cannot be told from {found.replies} stored replies; {FEWEST_REPLIES} are needed."]
    else:
        out += ["", f"**Never used** in {found.replies} stored replies ({len(found.never_used)})"]
        out += [f"- {key}" for key in found.never_used]
    return "\n".join(out)
