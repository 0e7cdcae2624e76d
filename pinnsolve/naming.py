"""What to say when a name is not among the names there are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def near_match_text(name: str, choices: Iterable[str]) -> str:
    """Return the tail of an error message: the names there are and the one probably meant.

    Args:
        name: The name that was not found.
        choices: The names that exist, in the order in which they should be listed.

    Returns:
        For example ``"There are left, right, top. Did you mean 'left'?"``.
    """
    known = list(dict.fromkeys(choices))
    if not known:
        return "There are none."
    listing = f"There are {', '.join(known)}."
    by_folded = {choice.casefold(): choice for choice in reversed(known)}
    matches = get_close_matches(name.casefold(), list(by_folded), n=1)
    return f"{listing} Did you mean {by_folded[matches[0]]!r}?" if matches else listing
