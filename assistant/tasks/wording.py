"""What is said around a task, in both languages: the summary before, the outcome after. Never a model's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from assistant.domain.state import Entity, UserState
from assistant.domain.task import Parameter, Task
from assistant.language import Locale
from assistant.state.answers.statuses import kind_word, status_word
from assistant.state.answers.wording import day, money, title
from assistant.tasks.conditions import filled, find

_EN_AND_ZH = Mapping[str, tuple[str, str]]
_SAYINGS: _EN_AND_ZH = {
    "lead": ("请核对下面的内容，您确认后我才会办理：", "Please check this. I will only do it once you confirm:"),
    "undo": ("办理后还可以再改。", "You can change it again afterwards."),
    "final": ("办理后不能撤销。", "This cannot be undone."),
    "how": (
        "回复“确认”办理，回复“算了”放弃；{minutes} 分钟内有效。",
        "Reply “confirm” to go ahead or “never mind” to drop it; valid for {minutes} minutes.",
    ),
    "changed": ("内容有变，请再核对一遍。", "That changes it, so please check again."),
    "guessed": (
        "您没有写明是哪一个，我理解的是：{value}。不对的话请告诉我。",
        "You did not say exactly which one; I understood {value}. Tell me if that is wrong.",
    ),
    "stale": (
        "刚才那份内容已经不是最新的了，还没有办理，请再核对一遍。",
        "That summary is no longer the current one and nothing was done. Please check again.",
    ),
    "expired": (
        "刚才的内容已经过期，还没有办理，请再核对一遍。",
        "That summary has expired and nothing was done. Please check again.",
    ),
    "not_yet": ("还没有办理。", "Nothing has been done yet."),
    "cancelled": ("好的，没有办理，一切照旧。", "All right, nothing was done and everything stays as it is."),
    "failed": ("没有办成：{reason}。", "That did not work: {reason}."),
    "unreachable": (
        "没有办成：系统暂时连不上，什么都没有改动，请稍后再试。",
        "That did not work: our system cannot be reached right now. Nothing was changed; please try again later.",
    ),
    "refused": ("系统没有接受这次办理", "the system did not accept it"),
    "unknown": (
        "已经提交，但还没有核实到结果。请不要重复提交；我会继续核实，办成办不成都只算这一次。",
        "It was submitted, but I could not verify the outcome yet. Please do not submit it again; I keep checking, and "
        "it will take effect at most once.",
    ),
    "once": ("没有重复办理。", "It was not done a second time."),
    "earlier": ("刚才的“{title}”：", "About “{title}”, a moment ago: "),
    "none": (
        "您的账户里没有可以办理“{title}”的{kind}。",
        "There is nothing in your account for which I could do this ({title}).",
    ),
    "foreign": (
        "在您的账户里没有看到 {id}，我只能办理您本人的。",
        "I see no {id} in your account, and I can only do this for what is yours.",
    ),
    "no_options": ("现在没有可以领的。", "There is nothing on offer right now."),
    "options_down": (
        "暂时读不到可以选的内容，还没有办理，请稍后再试。",
        "I cannot read what there is to choose right now. Nothing was done; please try again later.",
    ),
    "no_state": (
        "暂时查不到您的账户信息，没法核对，所以还没有办理，请稍后再试。",
        "I cannot look up your account right now, so nothing was checked and nothing was done. Please try again later.",
    ),
    "not_understood": ("抱歉，这个我没有认出来。", "Sorry, I could not make that out."),
    "gave_up": (
        "我们先不办这个了。需要的时候再告诉我，或回复“转人工”。",
        "Let us leave this for now. Tell me when you want to go on, or say “agent” for a person.",
    ),
    "staff": (
        "已转给有权限的同事，内容都填好了，不用您再说一遍。",
        "I have passed it, filled in, to a colleague who may do this; you need not repeat anything.",
    ),
    "offer": (
        "要我现在帮您办的话，回复“帮我{title}”就行。",
        "I can do this for you now: just say “please {title}”.",
    ),
}


def say(key: str, locale: Locale, **values: object) -> str:
    """One of the fixed sentences."""
    return _SAYINGS[key][0 if locale == "zh" else 1].format(**values)


def shown_value(
    parameter: Parameter, value: str, state: UserState | None, options: Mapping[str, str], locale: Locale
) -> str:
    """A parameter as a person reads it: an order with its title and amount, a coupon by its name."""
    if parameter.source == "option":
        return options.get(value, value)
    if parameter.source != "entity" or state is None:
        return value
    entity = find(state, parameter.kind, value)
    if entity is None:
        return value
    parts = [f"{kind_word(entity.kind, locale)} {entity.id}"]
    if entity.amount is not None and (amount := money(entity.amount, entity.currency, locale)):
        parts.append(amount)
    inside = ("，" if locale == "zh" else ", ").join(parts)
    return f"{title(entity)}（{inside}）" if locale == "zh" else f"{title(entity)} ({inside})"


def summary_text(task: Task, rows: Sequence[tuple[str, str]], locale: Locale, minutes: float, lead: str = "") -> str:
    """Exactly what will happen, and how to say yes or no."""
    colon = "：" if locale == "zh" else ": "
    lines = [lead, say("lead", locale), f"**{task.title.of(locale)}**"]
    lines += [f"- {label}{colon}{plain_line(value)}" for label, value in rows]
    end = "。" if locale == "zh" else "."
    what = task.confirm.of(locale).rstrip("。.") + end
    lines.append(f"\n{what}{'' if locale == 'zh' else ' '}{say('undo' if task.undo else 'final', locale)}")
    lines.append(say("how", locale, minutes=f"{minutes:g}"))
    return "\n".join(line for line in lines if line)


def outcome_text(task: Task, status: str, error: str, shown: Mapping[str, str], locale: Locale) -> str:
    """What became of a run."""
    if status == "done":
        return filled(task.done.of(locale), shown)
    if status == "failed":
        if error == "unreachable":
            return say("unreachable", locale)
        known = task.errors.get(error)
        return say("failed", locale, reason=known.of(locale) if known else say("refused", locale))
    return say("unknown", locale)


def choices_text(ask: str, lines: Sequence[str]) -> str:
    """A question with a numbered list."""
    return "\n".join([ask, *(f"{number}. {line}" for number, line in enumerate(lines, 1))])


def choice_line(entity: Entity, now: datetime, locale: Locale) -> str:
    """``title（订单 SQ…，11月15日，已付款）``; the id in it lets the next turn choose by number."""
    parts = [f"{kind_word(entity.kind, locale)} {entity.id}"]
    if entity.occurred_at:
        parts.append(day(entity.occurred_at, now, locale))
    parts.append(status_word(entity, locale))
    inside = ("，" if locale == "zh" else ", ").join(parts)
    return f"{title(entity)}（{inside}）" if locale == "zh" else f"{title(entity)} ({inside})"


def plain_line(text: str) -> str:
    """The customer's own words in one line, unable to look like our own list or emphasis."""
    return " ".join(text.replace("*", "＊").replace("`", "'").replace("[", "［").replace("]", "］").split())
