"""Undoes how people disguise or misspell a request for a person: gaps between characters, pinyin, slips of a letter."""

# ruff: noqa: E501  (tables read best a line a kind)
from __future__ import annotations

import re

from assistant.handoff.wording import folded

# fmt: off
_WORDS = ("human", "person", "people", "agent", "representative", "operator", "supervisor", "manager", "specialist", "advisor",
          "employee", "colleague", "customer", "service", "support", "assistant", "someone", "somebody", "speak", "transfer",
          "connect", "escalate", "consultant", "executive", "real", "talk", "staff", "please", "need", "want")
# words of their own that are one letter away from one of those
_REAL = frozenset(
    ["manage", "managed", "manages", "manger", "persona", "parson", "humane", "steak", "sneak", "peak", "spear", "speaks", "stuff", "stiff",
     "regent", "gent", "service", "serviced", "services", "supports", "connects", "transfers", "customs", "executed", "peoples", "persons",
     "humans", "agents", "operators", "managers", "customers", "specialists", "advisors", "employees", "employer", "employed", "colleagues",
     "representatives", "supervisors", "assistants", "escalated", "escalates", "consultants", "executives", "scaffold", "speaker", "pleased",
     "pleases", "assistance", "personal", "agency", "argent", "supporter", "spear", "speck", "staffs", "lease", "pleas", "escalator"]
)
_PINYIN = (
    (r"ren\s?gong", "人工"), (r"zhen\s?ren", "真人"), (r"huo\s?ren", "活人"), (r"ke\s?fu", "客服"), (r"jing\s?li", "经理"),
    (r"zhu\s?guan", "主管"), (r"ling\s?dao", "领导"), (r"bu\s?(?:yao|yong|xu\s?yao)|bie", "不要"), (r"wo\s?yao", "我要"),
    (r"wo\s?xiang", "我想"), (r"xu\s?yao", "需要"), (r"gei\s?wo", "给我"), (r"bang\s?wo", "帮我"), (r"lian\s?xi", "联系"),
    (r"zhuan(?:\s?jie)?(?:\s?dao)?", "转"), (r"zhao", "找"), (r"jiao", "叫"), (r"qing", "请"), (r"yao", "要"), (r"jie", "接"),
    (r"huan", "换"),
)
# fmt: on
_STAFF_PINYIN = re.compile(r"\b(?:\w*ren\s?gong|\w*zhen\s?ren|\w*huo\s?ren|\w*ke\s?fu|\w*zhu\s?guan)")
_PERSON_EMOJI = re.compile(
    "[\U0001f464\U0001f481]|[\U0001f468\U0001f469\U0001f9d1][\U0001f3fb-\U0001f3ff]?\u200d\U0001f4bc"
)
_EMOJI = re.compile("[\u200b-\u200f\u2060\ufe0e\ufe0f\u2600-\u27bf\U0001f000-\U0001faff]+")
_GAP = r"[\s\-_.·*/|+~、，,。]+"
_SPACED_HAN = re.compile(rf"(?<![\u3400-\u9fff])[\u3400-\u9fff](?:{_GAP}[\u3400-\u9fff](?![\u3400-\u9fff]))+")
_SPACED_LATIN = re.compile(r"\b[a-z](?:[\s\-_.*]+[a-z]\b){4,}")


def spelled(text: str) -> str:
    """The text folded, with emoji of a person as the word, other emoji gone, "人 工" joined, pinyin about staff as
    characters, and long English words that are one slip away from a word of such requests put right."""
    said = _EMOJI.sub(" ", _PERSON_EMOJI.sub(" person ", folded(text)))
    said = _SPACED_HAN.sub(lambda m: re.sub(_GAP, "", m.group()), said)
    said = _SPACED_LATIN.sub(lambda m: re.sub(r"[\s\-_.*]+", "", m.group()), said)
    if _STAFF_PINYIN.search(said):
        # letters only beside letters of the same syllables: "kefu" in "zhaokefu" counts, in a longer English word it does not
        said = re.sub(r"[a-z][a-z\s]*[a-z]", lambda m: _from_pinyin(m.group()), said)
    said = re.sub(r"\b(?:some|any) (?:one|body)\b", lambda m: m.group().replace(" ", ""), said)
    return " ".join(re.sub(r"[a-z]{4,}", lambda m: _righted(m.group()), said).split(" ")).strip()


def _from_pinyin(run: str) -> str:
    out = []
    for word in re.split(r"(?<=\w)\s+(?=\w)", _joined(run)):
        rest, made = word, ""
        while rest:
            for pattern, han in _PINYIN:
                found = re.match(pattern, rest)
                if found:
                    made, rest = made + han, rest[found.end() :]
                    break
            else:
                break
        out.append(made if made and not rest else word)
    return re.sub(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])", "", " ".join(out))


def _joined(run: str) -> str:
    for pattern, _ in _PINYIN:
        run = re.sub(rf"\b{pattern}\b", lambda m: m.group().replace(" ", ""), run)
    return run


def _righted(word: str) -> str:
    if word in _REAL or word in _WORDS:
        return word
    near = [known for known in _WORDS if len(known) >= 5 and _one_slip(word, known)]
    return near[0] if near else word


def _one_slip(word: str, known: str) -> bool:
    """Whether one letter was left out, doubled, put in, changed, or swapped with its neighbour (Damerau 1964)."""
    if abs(len(word) - len(known)) > 1 or word == known:
        return word == known
    at = 0
    while at < min(len(word), len(known)) and word[at] == known[at]:
        at += 1
    if len(word) > len(known):
        return word[at + 1 :] == known[at:]
    if len(word) < len(known):
        return word[at:] == known[at + 1 :]
    swapped = word[at : at + 2] == known[at : at + 2][::-1] and word[at + 2 :] == known[at + 2 :]
    return swapped or word[at + 1 :] == known[at + 1 :]
