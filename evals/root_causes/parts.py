"""What the human's reply rests on, sentence by sentence: a rule, this customer's data, or something done for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.domain.conversation import Turn
from assistant.domain.state import UserState
from assistant.extractive.resolutions import is_action, is_private
from assistant.handoff import asks_for_person
from evals.answer_metrics.actions import actions
from evals.answer_metrics.figures import Figure, agree, figures
from evals.answer_metrics.sentences import content_sentences
from evals.cases import ReplyCase
from ingest.transcripts import carries_information

# What staff do and a customer cannot. Chasing and escalating go with looking things up: they solve nothing alone.
_STAFF = frozenset({"refund", "cancel", "exchange", "resend", "return", "redirect", "compensate", "invoice", "repair"})
_LOOKED_UP = re.compile(
    r"查到|看到|查了|看了|显示|后台|系统[里上]|记录[里上显]|目前(?:状态|在)|物流|轨迹|签收|在路上|出库|到账|验货|派送|揽收"
    r"|(?:下的单|付的款|买的|退的)|已(?:经)?(?:发出|发货|退回|原路|退款|扣)|没有?扣|限额不|超出.{0,8}限额|余额不足|风控"
    r"|\b(?:i (?:can )?see|shows?|showing|according to|our (?:system|records)|tracking|looked at"
    r"|(?:was|has been|is|were|been) (?:delivered|received|placed|packed|shipped|refunded|paid|charged|out for))\b",
    re.IGNORECASE,
)
_OFFERS = re.compile(
    r"(?:我|这边|现在|马上|今天)[^,，。]{0,8}(?:帮|给|为|替)[您你]|已经?(?:帮|给|为|替)[您你]|给[您你](?:发|寄|换|退|补|建|走|催|提|改)"
    r"|(?:建|登记|提交|安排|申请|取消|约|改|补发|下单|开|催)好?了|我(?:马上|去|来|先)?[提催建改约]"
    r"|\bi(?:'ve|'ll| have| will| can(?! see))\b|\bwe(?:'ve|'ll| have| will| can)\b|\bcan do is\b"
    r"|\b(?:done|submitted|booked|raised|opened|requested)\b",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"(?:从|自).{0,12}(?:起(?!没|一直|就没)|开始)|(?<![要是果想以能后再需会])已?经?改[成为了]|刚改|延长[到至]|调整[为到成]|新(?:批次|规|政策|版)"
    r"|(?:以前|之前|旧|老)的|旧[版规]|老款|没更新到|说[的得]?(?:是)?(?:没错|对)"
    r"|以.{0,6}为准|机器人.{0,8}(?:错|老|旧|以前)"
    r"|(?:价保|政策|规则|邮费|运费|手续费|活动)?现在(?:是|满|已经|改|都)"
    r"|\b(?:as of|starting|from (?:last|this)|it changed|(?:was|were|has|have) changed"
    r"|new (?:batch|rule|policy)|no longer"
    r"|used to be|outdated|out of date|old (?:rule|version|batch)|(?:bot|assistant) (?:isn't|is wrong|was wrong)"
    r"|(?:is|are) right|rule is .{1,20} now)\b",
    re.IGNORECASE,
)
_PAUSE = re.compile(r"[,，。;；!！?？\n]+|(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])|\.\s")


@dataclass(frozen=True, slots=True)
class ReplyParts:
    """The reference's content sentences by what they rest on; a sentence may rest on state and be an action as well."""

    rules: tuple[str, ...]
    state: tuple[str, ...]
    actions: tuple[str, ...]
    held_values: tuple[str, ...]
    says_changed: bool

    @property
    def every(self) -> tuple[str, ...]:
        """All that the reply says, without what only keeps company."""
        return tuple(dict.fromkeys((*self.rules, *self.state, *self.actions)))

    @property
    def size(self) -> int:
        """Characters of content."""
        return sum(map(len, self.every))

    def share(self, part: Sequence[str]) -> float:
        """How much of the content a part is, 0–1."""
        return sum(map(len, part)) / self.size if self.size else 0.0


def telling_parts(case: ReplyCase) -> ReplyParts:
    """The parts of the first accepted reply that says half of what the fullest does: a greeting tells nothing."""
    every = [parts_of(case, reference) for reference in case.references]
    fullest = max(parts.size for parts in every)
    return next(parts for parts in every if 2 * parts.size >= fullest)


def parts_of(case: ReplyCase, reference: str) -> ReplyParts:
    """The reference taken apart.

    On state rests a sentence with a value of the customer's state that nobody had said in the conversation yet, or one
    that tells what was looked up for this customer. An action is a sentence in which staff do what a customer cannot.
    """
    said = figures("\n".join(turn.text for turn in case.turns))
    state = _state_figures(case.user_state)
    rules, on_state, done, held = [], [], [], []
    changed = says_changed(reference)
    for sentence in content_sentences(reference):
        values = [f for f in figures(sentence) if f in state and not _among(f, said)]
        acts = bool(actions(sentence) & _STAFF) and (is_action(sentence) or bool(_OFFERS.search(sentence)))
        looked_up = bool(_LOOKED_UP.search(sentence)) and is_private(sentence)
        if acts:
            done.append(sentence)
        if values or looked_up:
            on_state.append(sentence)
            held += [f"{f.kind} {f.value}" for f in values]
        if not acts and not values and not looked_up:
            rules.append(sentence)
    return ReplyParts(tuple(rules), tuple(on_state), tuple(done), tuple(dict.fromkeys(held)), changed)


def says_changed(text: str) -> bool:
    """Whether the words tell that a rule is another now than it was."""
    return bool(_CHANGED.search(text))


def only_wants_person(case: ReplyCase) -> bool:
    """Whether the customer asked for a person, and beside that said nothing that one could answer."""
    said = [turn for turn in case.turns if turn.role == "customer"]
    if not any(asks_for_person(turn.text) for turn in said):
        return False
    rest = (part for turn in said for part in _PAUSE.split(turn.text) if not asks_for_person(part))
    return not any(carries_information(Turn("customer", part)) and content_sentences(part) for part in rest)


def _state_figures(state: UserState | None) -> frozenset[Figure]:
    if state is None:
        return frozenset()
    lines: list[str] = []
    for entity in state.entities:
        lines.append(entity.id)
        lines += [f"{entity.amount}元"] if entity.amount is not None else []
        for moment in (entity.occurred_at, entity.due_at):
            if moment is not None:
                lines.append(f"{moment.month}月{moment.day}日")
        lines += [str(value) for value in entity.attributes.values() if isinstance(value, str | int | float)]
    found = {f for line in lines for f in figures(line)}
    return frozenset(f for f in found if f.kind in ("id", "date", "amount", "time"))


def _among(figure: Figure, others: frozenset[Figure]) -> bool:
    return any(agree(figure, other) for other in others)
