"""The judge's part of the report: its figures, why cases are unscored, and whether each metric can tell at all."""

from __future__ import annotations

from html import escape

from evals.judge.panel import UNSCORED
from evals.judge.run import Judged
from evals.report.words import Locale
from evals.statistics import Estimate

_WORDS: dict[Locale, dict[str, str]] = {
    "zh": {
        "title": "评审模型怎么说",
        "note": (
            "由 {judge} 评审，对照第一位客服的答复。打不出分的案例另计，不进平均。“可用”：客套话和别人的答复"
            "都明显低于第二位客服。"
        ),
        "checked": (
            "评审模型自身的检验（{count} 个案例，均值，括号内为打出分的数目）。检索类指标里被替换的是客服的答复。"
        ),
        "unscored": "未打分的原因",
        "spent": (
            "{requests} 次请求，{cached} 条来自缓存，{malformed} 次格式有误；输入 {tokens_in}、输出 {tokens_o"
            "ut} 个 token。"
        ),
        "instead": "换成",
        "answer_accuracy": "回答准确度",
        "factual_correctness": "事实正确度",
        "faithfulness": "忠实度",
        "context_precision": "检索精度",
        "context_recall": "检索召回",
        "constant courtesy": "一句客套话",
        "random human": "别的案例的答复",
        "nearest reply": "最近的旧答复",
        "second human": "第二位客服",
        "assistant": "助手",
    },
    "en": {
        "title": "What the judge says",
        "note": "Judged by {judge} against the first human's reply. What could not be scored is counted apart, never "
        "averaged. Usable: a courtesy and another case's reply are clearly below a second human.",
        "checked": "The judge itself, on {count} cases (mean, in brackets how many were scored). For context "
        "metrics the human's reply is what is replaced.",
        "unscored": "Why unscored",
        "spent": "{requests} requests, {cached} verdicts from the cache, {malformed} malformed answers; "
        "{tokens_in} tokens in, {tokens_out} out.",
        "instead": "instead of the reply",
    },
}
_USABLE: dict[Locale, dict[bool | None, str]] = {
    "zh": {True: "是", False: "不可用", None: "无法判断"},
    "en": {True: "yes", False: "not usable", None: "untold"},
}
_HEAD: dict[Locale, tuple[str, ...]] = {
    "zh": ("指标", "均值", "95% 区间", "打分", "未打分", "可用"),
    "en": ("metric", "mean", "95 % interval", "scored", "unscored", "usable"),
}
_REASONS_ZH = {
    "no_reply": "没有回复可评",
    "no_reference": "案例没有客服答复",
    "no_contexts": "没有检索到内容",
    "no_claims": "客服答复里没有可核实的陈述",
    "no_statements": "回复里没有可核实的陈述",
    "leak": "回复泄露了答案",
    "empty": "评审没有输出",
    "not_json": "评审输出不是 JSON",
    "wrong_form": "评审输出缺字段或类型不对",
    "off_scale": "评审打分超出范围",
    "verdicts_missing": "评审漏评了部分陈述",
    "refused": "评审拒绝",
    "cut_off": "评审输出被截断",
    "timeout": "评审超时",
    "rate_limited": "请求过多",
    "server_error": "评审服务出错",
    "no_connection": "连不上评审服务",
    "not_authorised": "密钥被拒绝",
    "not_found": "评审模型不存在",
    "rejected": "请求被拒绝",
    "not_the_protocol": "服务不符合协议",
    "gave_up": "连续失败，不再询问",
    "failed": "评审失败",
    "not_finite": "得不出数值",
}


def judge_section(judged: Judged, locale: Locale) -> str:
    """The section as HTML; the judge's name is escaped."""
    words = _WORDS[locale]

    def named(name: str) -> str:
        return escape(words.get(name, name.replace("_", " ")))

    def reason(key: str) -> str:
        return escape((_REASONS_ZH if locale == "zh" else UNSCORED).get(key, key))

    rows = "".join(
        f"<tr><td>{named(name)}</td>{_cells(e)}<td class='n'>{e.scored}</td><td class='n'>{e.unscored}</td>"
        f"<td>{_USABLE[locale][judged.usable(name)]}</td></tr>"
        for name, e in judged.estimates.items()
    )
    head = "".join(f"<th>{escape(word)}</th>" for word in _HEAD[locale])
    out = f"<div class='wide'><table><tr>{head}</tr>{rows}</table></div>"
    why = "".join(
        f"<li>{named(name)}: " + "; ".join(f"{count} × {reason(key)}" for key, count in judged.unscored(name).items())
        for name in judged.estimates
        if judged.unscored(name)
    )
    if why:
        out += f"<h3>{words['unscored']}</h3><ul>{why}</ul>"
    if judged.baselines:
        head = "".join(f"<th>{named(name)}</th>" for name in judged.estimates)
        rows = "".join(
            f"<tr><td>{named(stand_in)}</td>"
            + "".join(f"<td class='n'>{_short(row.get(name))}</td>" for name in judged.estimates)
            + "</tr>"
            for stand_in, row in judged.baselines.items()
        )
        out += f"<p class='soft'>{escape(words['checked'].format(count=judged.baseline_cases))}</p>"
        out += f"<div class='wide'><table><tr><th>{words['instead']}</th>{head}</tr>{rows}</table></div>"
    usage = judged.usage
    spent = words["spent"].format(
        requests=usage.requests,
        cached=usage.cached,
        malformed=usage.malformed,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
    )
    note = escape(words["note"].format(judge=judged.judge))
    return f"<section><h2>{words['title']}</h2><p class='soft'>{note}</p>{out}<p class='soft'>{spent}</p></section>"


def _cells(e: Estimate) -> str:
    mean = "–" if e.mean is None else f"{e.mean:.3f}"
    interval = "–" if e.low is None else f"{e.low:.3f}–{e.high:.3f}"
    return f"<td class='n'>{mean}</td><td class='n'>{interval}</td>"


def _short(e: Estimate | None) -> str:
    if e is None:
        return "–"
    return f"{'–' if e.mean is None else f'{e.mean:.2f}'} ({e.scored}/{e.scored + e.unscored})"
