"""The run-time citation check: no figure, no "not" and no claim in a reply that its sources do not bear out.

Lexical and deterministic, so it costs milliseconds and explains itself. It reads Chinese and English. Across languages
words cannot be compared: there figures, citations and the presence of a negation decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.domain.knowledge import Passage
from assistant.domain.reply import Citation
from assistant.figures import BULLET, MARK, figures, same_figure
from assistant.text import Segmenter, fold, has_han

SUPPORT = 0.4
"""Least share of a sentence's content terms that its source must hold: 65–74 % of people's free wordings of the demo
shop's articles reach it on the right article and 4–5 % on another one; at 0.3 4–21 %, at 0.5 only 52–68 % and 0–3 %."""

_HARD = re.compile(
    r"不|没|无|未|勿|非|禁止|拒绝|谢绝|除外|停止"
    r"|\b(?:not|no|never|cannot|without|none|nor|neither|unable|except|excluded|excludes|denied|declined|refused|prohibited|"
    r"forbidden|unavailable|ineligible|invalid)\b|n't\b|\bnon-"
)
# What a "not" is about: the words after it, up to the end of an attribute (未拆封的).
_ABOUT = re.compile(r"\s+[a-z']+(?:\s+[a-z']+){0,2}|[^的]{0,8}")
_SOFT = re.compile(r"免|待|尚|仅|只|包邮|需先|失败|过期|失效|\b(?:free|pending|awaiting|unpaid|only|failed|expired)\b")
_NO_NEGATION = re.compile(
    r"不仅|不但|不过|不同|不客气|不好意思|不便|不管|不论|无论|不断|不锈钢|不妨|不如|不少于|不低于|不超过|不晚于|不迟于|不多于|无理由|无线|无忧|"
    r"非常|除非|是否|能否|可否|会不会|是不是|能不能|可不可以|要不要|有没有|差不多|没关系|没问题|未来|未成年|"
    r"\b(?:not only|whether or not|no problem|no later than|no more than|no less than|not more than|not exceed\w*)\b"
)
_META = re.compile(
    r"(?:资料|知识库|信息|内容|说明|文档|记录|passages?|information|articles?|records?)[^。.!?]{0,12}"
    r"(?:没有|未|不|not|n't)[^。.!?]{0,6}(?:说明|提到|提及|写明|包含|涉及|显示|找到|mention|say|cover|specif|state|include|show)"
)
_COURTESY = re.compile(
    r"^(?:您好|你好|亲|好的|感谢|谢谢|抱歉|很抱歉|非常抱歉|对不起|不客气|不好意思|祝您|希望|如[果需有还]?[^，,]{0,8}(?:问题|疑问|帮助)|"
    r"请问还有|还有.{0,6}(?:帮|问题)|hello|hi\b|hey\b|thank|sorry|(?:i'm|we're) sorry|(?:i|we) apologi|you're welcome|"
    r"i hope|let me know|feel free|please let (?:me|us) know|if you (?:have|need) any|"
    r"is there anything|sure\b|of course)"
)
_STOP = frozenset(
    re.findall(
        r"\S+",
        """
        可以 需要 您的 你的 我们 如果 如有 或者 以及 并且 因为 所以 那么 这个 那个 进行 就是 即可 方可 之后
        之前 以内 的话 同时 但是 其中 为准 已经 根据 关于 对于 目前 一般 通常 建议
        an the and or of to in on at for with by from is are be was were been it it' this that these those your you
        we our us my me they their as if then than so can will may would should could do doe did have has had
        within after befor about into up out also pleas via per which who what when
        """,
    )
)
_SENTENCE = re.compile(
    r"(?:[^。！？!?；;.]|\.(?!\s|$|[\[【])|(?<=\be\.g)\.|(?<=\bi\.e)\.|(?<=\bno)\.)+"
    r"(?:[。！？!?；;.]+[\"”’）)*]*)?(?:\s{0,3}[\[【]\s*\d{1,3}(?:\s*[,，、;\-–~]\s*\d{1,3})*\s*[\]】])*[。.]?"
)
_CLAUSE = re.compile(r"[，,;；:：。！？!?\n]|\s(?:but|however|while|unless)\s|但是?|否则|而")
_segmenter = Segmenter()


@dataclass(frozen=True, slots=True)
class SentenceCheck:
    """One sentence: the passages it names, its best support (0–1; None: no words to compare), what is wrong."""

    text: str
    marks: tuple[int, ...]
    support: float | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grounding:
    """The check of a whole reply; ``citations[i]`` is for the passage number ``marks[i]``, counted from 1."""

    sentences: tuple[SentenceCheck, ...]
    citations: tuple[Citation, ...]
    marks: tuple[int, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """All problems in order, each with its sentence."""
        return tuple(f"“{s.text}” {problem}" for s in self.sentences for problem in s.problems)

    @property
    def ok(self) -> bool:
        """Whether the sources bear out every sentence; an empty reply says nothing that could be."""
        return bool(self.sentences) and not self.problems


def strip_marks(text: str) -> str:
    """The text without citation marks."""
    return MARK.sub("", text)


def marks_in(text: str) -> tuple[int, ...]:
    """Passage numbers named by the text, in order, without repeats; ``[1-3]`` names three."""
    out: dict[int, None] = {}
    for match in MARK.finditer(text):
        for item in re.split(r"[,，、;]", match[1]):
            ends = [int(n) for n in re.split(r"[\-–~]", item)]
            out.update(dict.fromkeys(range(ends[0], min(ends[-1], ends[0] + 99) + 1) or ends))
    return tuple(out)


def renumber(text: str, numbers: Mapping[int, int]) -> str:
    """The text with its marks rewritten by ``numbers``, one bracket each; marks that are not among them go."""

    def rewritten(mark: re.Match[str]) -> str:
        kept = "".join(f"[{numbers[n]}]" for n in marks_in(mark.group()) if n in numbers)
        space = mark.group()[: len(mark.group()) - len(mark.group().lstrip())]
        return space + kept if kept else ""

    return MARK.sub(rewritten, text)


def sentences(text: str) -> tuple[str, ...]:
    """Sentences with their marks, of Chinese, English, lists and tables; marks after a full stop belong before it."""
    found = (m.group().strip() for line in text.splitlines() for m in _SENTENCE.finditer(BULLET.sub("", line)))
    return tuple(s for s in found if re.search(r"\w", strip_marks(s)))


@dataclass(frozen=True, slots=True)
class _Source:
    text: str
    passage: Passage | None = None

    @property
    def han(self) -> bool:
        return has_han(self.text)


def check(text: str, passages: Sequence[Passage], state_facts: Sequence[str], question: str) -> Grounding:
    """What of the reply its sources bear out; passage ``n`` is cited as ``[n]``.

    Figures may come from the cited passages, the state, where the sentence names no passage from another one on the
    matter, or from the question (unless the passage gives another one of that kind); negations and claims not from the
    question.
    """
    given = [_Source(f"{p.title}\n{p.heading}\n{p.text}", p) for p in passages]
    state = [_Source(fact) for fact in state_facts]
    split = sentences(text)
    named, marked = [marks_in(s) for s in split], marks_in(text)
    checked, quoted = [], dict[int, list[str]]()
    for i, sentence in enumerate(split):
        # a step or clause without a mark shares that of the sentences after it, else before it
        shared = named[i] or next((m for m in (*named[i + 1 :], *reversed(named[:i])) if m), ())
        result = _check(strip_marks(sentence).strip(), named[i], shared, given, state, question)
        checked.append(result)
        if not named[i] and result.support is not None and result.support >= SUPPORT:
            best = max(range(len(given)), key=lambda n: _share(result.text, given[n]), default=0)
            if given and _share(result.text, given[best]) > max((_share(result.text, s) for s in state), default=0.0):
                quoted.setdefault(best + 1, []).append(result.text)
        for n in named[i]:
            if 1 <= n <= len(given):
                quoted.setdefault(n, []).append(result.text)
    order = tuple(sorted(quoted, key=lambda n: marked.index(n) if n in marked else len(marked)))
    return Grounding(tuple(checked), tuple(_citation(passages[n - 1], quoted[n]) for n in order), order)


def _check(
    text: str,
    marks: Sequence[int],
    shared: Sequence[int],
    given: Sequence[_Source],
    state: Sequence[_Source],
    question: str,
) -> SentenceCheck:
    lowered, han = fold(text).casefold(), has_han(text)
    wrong = [n for n in marks if not 1 <= n <= len(given)]
    problems = [f"names passage {wrong}, but {len(given)} were given"] if wrong else []
    cited = [given[n - 1] for n in marks if n not in wrong]
    near = cited or [given[n - 1] for n in shared if 1 <= n <= len(given)]
    courteous = bool(_COURTESY.search(lowered) or _META.search(lowered))
    asks = lowered.endswith(("?", ":"))

    pool = [s for s in (*(cited or given), *state) if s.han == han]
    together = [_Source("\n".join(s.text for s in cited if s.han == han))] if len(cited) > 1 else []
    comparable = pool and len(_terms(text)) > 0
    support = max(_share(text, s) for s in (*pool, *together)) if comparable else None
    crosses = any(s.han != han for s in near or given)
    if not courteous and not asks and len(_terms(text)) > 1 and (support is None or support < SUPPORT):
        if not near:
            problems.append("is a claim that names no passage and that no source makes")
        elif not crosses:
            problems.append(f"is hardly in what it cites (support {support or 0:.2f})")

    others = [s for s in given if s not in near and (s.han != han or _share(text, s) >= SUPPORT)]
    # a figure under a mark is looked up there: in another passage it would be right and its citation wrong
    problems += _figure_problems(text, near, (*near, *state, *([] if cited else others)), question)
    if not courteous and not asks:
        problems += _polarity_problems(text, [*(near or given), *state], [*near, *state, *others])
    return SentenceCheck(text, tuple(marks), support, tuple(problems))


def _figure_problems(text: str, near: Sequence[_Source], sources: Sequence[_Source], question: str) -> list[str]:
    """Figures no source has; and those only the asker has, where the passage gives another of that kind."""
    out = []
    mine, asked = figures(text), figures(question)
    local = [f for q in _said_there(text, near) for f in figures(q)]
    for claimed in mine:
        if any(same_figure(claimed, f) for s in sources for f in figures(s.text)):
            kin = [f for f in local if f.dimension == claimed.dimension]
            if kin and not any(same_figure(claimed, f) for f in local):
                out.append(f"has {claimed.text!r}, where its source says {kin[0].text!r}")
            continue
        if not any(same_figure(claimed, f) for f in asked):
            out.append(f"has the figure {claimed.text!r}, which no source has")
            continue
        quotes = [_best_sentence(text, s.text) for s in near]
        rivals = [f for q in quotes for f in figures(q) if f.dimension == claimed.dimension not in (None, "count")]
        if rivals and not any(same_figure(m, rival) for m in mine for rival in rivals):
            out.append(f"takes {claimed.text!r} from the question, where its source says {rivals[0].text!r}")
    return out


def _said_there(text: str, near: Sequence[_Source]) -> list[str]:
    """The source sentences that say nearly the same in nearly the same words; none where it is pieced together."""
    han, terms = has_han(text), _terms(text)
    if len(terms) < 3:
        return []
    scored = [(len(terms & _terms(q)) / len(terms), q) for s in near if s.han == han for q in sentences(s.text)]
    return [q for share, q in scored if share >= 0.8]


def _polarity_problems(text: str, near: Sequence[_Source], sources: Sequence[_Source]) -> list[str]:
    """A "not" that no source says, and one that the source says and the reply leaves out."""
    han, out = has_han(text), []
    for clause in _clauses(text):
        terms, denies, hedges = clause.terms, bool(clause.denied), clause.hedges
        shares = [
            (len(terms & c.terms) / len(terms), c) for s in near if s.han == han for c in _clauses(s.text) if terms
        ]
        best = max((share for share, _ in shares), default=0.0)
        if best >= (0.6 if len(terms) > 1 else 1.0):
            like = [c for share, c in shares if share >= 0.8 * best]
            close = best >= 0.8  # near its source's own words; further off, the "not" may stand beside them
            if denies and not any(c.denied or c.hedges or (c.around and not close) for c in like):
                out.append(f"says “not” in “{clause.text}”, where its source does not")
            if not denies and not hedges and all(c.denies_of(terms) for c in like):
                out.append(f"leaves out the “not” of its source in “{clause.text}”")
        elif denies and not any(c.around for s in sources for c in _clauses(s.text)):
            out.append(f"says “not” in “{clause.text}”, and no source does")
    return out


@dataclass(frozen=True, slots=True)
class _Clause:
    """``denied``: the terms that each "not" is about; ``around``: whether its sentence denies or hedges anything."""

    text: str
    terms: frozenset[str]
    denied: tuple[frozenset[str], ...]
    hedges: bool
    around: bool

    def denies_of(self, terms: frozenset[str]) -> bool:
        """Whether it denies what these terms say: 未拆封的商品可退 denies nothing of 商品可退."""
        return any(2 * len(about & terms) >= len(about) for about in self.denied)


@lru_cache(maxsize=4096)
def _clauses(text: str) -> tuple[_Clause, ...]:
    out = []
    for sentence in sentences(text):
        lowered = _NO_NEGATION.sub(" ", fold(strip_marks(sentence)).casefold())
        around = bool(_HARD.search(lowered) or _SOFT.search(lowered))
        for part in _CLAUSE.split(lowered):
            if part and part.strip():
                terms = _terms(part)
                denied = tuple(_terms(_about(part, m.end())) or terms for m in _HARD.finditer(part))
                out.append(_Clause(part.strip(), terms, denied, bool(_SOFT.search(part)), around))
    return tuple(out)


def _about(clause: str, start: int) -> str:
    found = _ABOUT.match(clause, start)
    return found.group() if found else ""


@lru_cache(maxsize=8192)
def _terms(text: str) -> frozenset[str]:
    """Content terms: words of two characters or more, without function words and numbers."""
    return frozenset(
        term
        for term in _segmenter.terms(strip_marks(text))
        if len(term) > 1 and term[0] != "#" and term not in _STOP and not re.search(r"[\d零一二三四五六七八九十]", term)
    )


def _share(text: str, source: _Source) -> float:
    terms = _terms(text)
    return len(terms & _terms(source.text)) / len(terms) if terms else 0.0


def _best_sentence(text: str, source: str) -> str:
    """The source's sentence with most of the text's terms and figures; the first one where nothing is shared."""
    terms, mine = _terms(text), figures(text)

    def score(sentence: str) -> float:
        shared = len(terms & _terms(sentence)) / (len(terms) or 1)
        return shared + 0.5 * any(same_figure(a, b) for a in mine for b in figures(sentence))

    return max(sentences(source), key=score, default=source.strip())


def _citation(passage: Passage, quoting: Sequence[str]) -> Citation:
    quote = _best_sentence("\n".join(quoting), passage.text)
    return Citation(passage.id, passage.title, quote, passage.article_id, passage.conversation_id)
