"""Inputs for parsers: valid samples changed by their grammar, by the character and by the byte; random throughout."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

MOST = 6000  # characters of an input, but for a few that are made long on purpose
LONG = 120_000  # of nested brackets or one sign: deeper than any interpreter's stack

# What breaks programs that look at characters: halves of pairs, combining marks, right-to-left, zero width, NUL,
# private use, digits and blanks of other scripts, letters that change their length with their case.
ODD = (
    "\0", "\x0b", "\x0c", "\x1b", "\x1c", "\x7f", "\x85", "\u00a0", "\u00ad", "\u0130", "\u00df", "\ufb01", "\u0301",
    "\u0e33", "\u0660", "\u0967", "\u202e", "\u2066", "\u200b", "\u200d", "\u200e", "\u2028", "\u2029", "\u20e3",
    "\u3000", "\u3002", "\ud800", "\udbff", "\udc00", "\udfff", "\ue000", "\ufdfa", "\ufe0f", "\ufeff", "\uffff",
    "\U0001d7ce", "\U0001f1e9\U0001f1ea", "\U0001f469\u200d\U0001f469", "\U000e0041", "\U000f0000", "\U0010ffff",
    "e\u0301\u0301\u0301", "\u05d0\u05d1", "\u0627\u0644", "\u6771\u4eac", "\u0e01\u0e33", "\u1100\u1161", "\u00bd",
    "\u2167", "\u00b2", "\u02bb", "\u2019", "\u201c", "\u201d", "\u00ab", "\r\n", "\r", "\n", "\t", " ",
)  # fmt: skip
TOKENS = (
    "{", "}", "[", "]", "(", ")", '"', "'", "`", "\\", "\\u", "\\ud83d", "\\n", ",", ":", ";", ".", "...", "=",
    "#", "$",
    "%", "&", "*", "**", "/", "//", "<", ">", "|", "~", "^", "@", "-", "--", "_", "+", "null", "true", "false", "None",
    "NaN", "Infinity", "-Infinity", "1e999", "-0", "0", "1", "-1", "2147483648", "9223372036854775808",
    "1" * 40, "9" * 5000, "0x1F", "1_000", "0.1", "1e-400", "inf", "nan", "```json\n", "```", "<think>", "</think>",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, float("inf"), float("-inf"), float("nan"),
    "", " ", "\n", "\0", "\ud800", "a\nb", "\u202ea", "x" * 300, "1", [], {}, [[]], [None], [1, "a"], {"": None},
    {"a": {"b": []}}, [0] * 50, ["", "\0"],
)  # fmt: skip


def odd_text(rng: random.Random, length: int = 40) -> str:
    """Return a text of letters, signs and oddities."""
    pool = ("a", "B", "z", "7", " ", ".", "Ada", "Lovelace", "the", *ODD)
    return "".join(rng.choice(pool) for _ in range(rng.randint(0, length)))


def changed_text(rng: random.Random, text: str, others: Sequence[str], tokens: Sequence[str]) -> str:
    """Return ``text`` with one to six changes."""
    for _ in range(min(6, 1 + int(rng.expovariate(0.7)))):
        text = _one_change(rng, text, others, tokens)
    if rng.random() < 0.001:
        return rng.choice(("[", "{", '{"a":', "(", "\n", " ", "a", '"', "<think>", "> ", "-", "=")) * (
            LONG // 4
        )
    return text[:MOST]


def _one_change(  # noqa: C901  # a branch for each kind
    rng: random.Random, text: str, others: Sequence[str], tokens: Sequence[str]
) -> str:
    kind = rng.randrange(11)
    at = rng.randint(0, len(text))
    end = min(len(text), at + 1 + int(rng.expovariate(0.1)))
    if kind == 0:
        return text[:at] + text[end:]
    if kind == 1:
        return text[:at] + rng.choice(tokens or TOKENS) + text[at:]
    if kind == 2:
        return text[:at] + rng.choice(TOKENS) + text[at:]
    if kind == 3:
        return text[:at] + rng.choice(ODD) + text[at:]
    if kind == 4:
        return text[:at] + rng.choice(ODD) + text[at + 1 :]
    if kind == 5:
        return text[:at] + text[at:end] * rng.choice((2, 3, 10, 60)) + text[end:]
    if kind == 6:
        other = rng.choice(others)
        return text[:at] + other[rng.randint(0, len(other)) :]
    if kind == 7:
        return text[:at]
    if kind == 8:
        return text[:at] + odd_text(rng) + text[at:]
    if kind == 9:
        to = rng.randint(0, len(text))
        return text[:to] + text[at:end] + text[to:]
    return text[:at] + chr(rng.randrange(0x110000)) + text[at + 1 :]


def changed_bytes(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Return ``data`` with one to eight changes of bytes."""
    made = bytearray(data)
    for _ in range(min(8, 1 + int(rng.expovariate(0.5)))):
        at, kind = rng.randint(0, max(len(made) - 1, 0)), rng.randrange(8)
        if kind <= 2 and made:
            made[at] ^= 1 << rng.randrange(8)
        elif kind == 3 and made:
            made[at] = rng.choice((0, 1, 0x7F, 0x80, 0xC0, 0xED, 0xFF, 0x22, 0x5C, 0x7B, 0x0A))
        elif kind == 4:
            made[at:at] = rng.randbytes(rng.randint(1, 12))
        elif kind == 5:
            del made[at : at + 1 + int(rng.expovariate(0.1))]
        elif kind == 6:
            del made[at:]
        elif kind == 7 and others:
            other = rng.choice(others)
            made[at:] = other[rng.randint(0, len(other)) :]
    return bytes(made)


def changed_value(rng: random.Random, value: Any, names: Sequence[str]) -> Any:
    """Return a JSON value with up to four parts replaced, removed, doubled or renamed; ``value`` stays as it is."""
    box = [copy.deepcopy(value)]
    for _ in range(min(4, int(rng.expovariate(0.6)))):
        _change_inside(rng, box, names)
    return box[0] if box else None


def _change_inside(rng: random.Random, box: list[Any], names: Sequence[str]) -> None:
    holder: Any = box
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            break
        key = rng.choice(keys)
        inner = holder[key]
        if not (isinstance(inner, (dict, list)) and inner) or rng.random() < 0.25:
            _replace(rng, holder, key, names)
            return
        holder = inner


def _replace(rng: random.Random, holder: Any, key: Any, names: Sequence[str]) -> None:
    kind = rng.randrange(7)
    if kind <= 2:
        holder[key] = copy.deepcopy(rng.choice(VALUES))
    elif kind == 3 and isinstance(holder, dict):
        holder[rng.choice(names) if names and rng.random() < 0.7 else odd_text(rng, 5)] = holder.pop(key)
    elif kind == 4 and isinstance(holder[key], str):
        holder[key] = changed_text(rng, holder[key], [holder[key]], names)
    elif kind == 5 and isinstance(holder, list):
        holder[key : key + 1] = [holder[key]] * rng.choice((0, 2, 3))
        if not holder and rng.random() < 0.5:
            holder.append(None)
    elif isinstance(holder, dict) and names:
        holder[rng.choice(names)] = copy.deepcopy(rng.choice(VALUES))
    else:
        holder[key] = odd_text(rng)


def written(rng: random.Random, value: Any) -> str:
    """Return a value as JSON, now and then indented, with NaN, or with characters as they are."""
    return json.dumps(value, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, None, None, 1)))
