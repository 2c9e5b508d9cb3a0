"""What a question is read as; one pass over its words where all of them are known."""

from __future__ import annotations

import re

from assistant.spelling import chinese, latin, named, pinyin
from assistant.spelling.lexicon import Lexicon
from assistant.text import has_han

LONGEST = 400  # characters; what is longer has words enough to be found by
_SPACED = re.compile(r"(?<![\u4e00-\u9fff])[\u4e00-\u9fff](?: [\u4e00-\u9fff](?![\u4e00-\u9fff])){2,}")
_REPEATED = re.compile(r"([A-Za-z])\1{2,}")


def read_as(text: str, lexicon: Lexicon) -> str:
    """A folded question as it is searched: misspelt words as the workspace's or English ones, all else as it stands."""
    if len(text) > LONGEST:
        return text
    text = _SPACED.sub(lambda match: match.group().replace(" ", ""), text)
    if re.search("[A-Za-z]", text):
        text = _quiet(text, lexicon)
        text = latin.mended(pinyin.mended(text, lexicon), lexicon)
    return chinese.mended(named.mended(text, lexicon), lexicon) if has_han(text) else text


def _quiet(text: str, lexicon: Lexicon) -> str:
    """Capitals throughout as small letters, which an embedder knows better; an abbreviation stays as it is."""
    if has_han(text) or not text.isupper():
        return text
    lower = text.lower()
    return lower if any(latin.known(word, lexicon) for word in re.findall("[a-z]{4,}", lower)) else text
