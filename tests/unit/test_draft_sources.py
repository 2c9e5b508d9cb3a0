"""What an agent's draft is made from where an article and an old case both bear on the question."""

from __future__ import annotations

import pytest

from assistant.drafting import beyond, sources


@pytest.mark.parametrize(
    ("article", "case", "says"),
    [
        (None, None, (False, False)),
        (0.1, None, (True, False)),
        (None, 0.1, (False, True)),
        (0.5, 0.5, (True, True)),
        (0.5, 0.55, (True, True)),  # a little better supported does not put a transcript in a reviewed text's place
        (0.3, 0.9, (False, True)),
        (0.9, 0.2, (True, False)),
        (0.05, 0.06, (False, True)),
    ],
)
def test_a_reviewed_article_opens_at_about_equal_support(
    article: float | None, case: float | None, says: tuple[bool, bool]
) -> None:
    assert sources(article, case) == says


def test_an_old_reply_is_not_said_twice() -> None:
    article = "**密封圈**偏小，会漏汽。新圈免费补寄。"
    assert beyond("密封圈偏小，会漏汽。锅不用寄回来", article) == "锅不用寄回来"
    assert beyond("密封圈偏小，会漏汽。\n新圈免费补寄！", article) == ""
    assert beyond("Send it in. It takes 3.5 days", "Send it in.") == "It takes 3.5 days"
