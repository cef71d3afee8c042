"""The words of an answer, told apart from its prefix, its marks and its citation lines as they come in.

One reader for whole and for streamed replies: whatever the pieces a reply is cut into, what :class:`AnswerText`
gives out adds up to the same text, which is why nothing has to be taken back once it is shown.
"""

from __future__ import annotations

import re

from hipporag_like.models.answer_json import answer_in_json
from hipporag_like.models.answer_start import AnswerStart

# All patterns are bounded and stay within a line, so that no reply takes longer than its length.
NUMBERS = (
    r"[\[\u3010][ \t]{0,2}(?:[Pp]assages?[ \t]{0,2})?"
    r"(?:\d{1,3}(?:[ \t]{0,2}[,;][ \t]{0,2}\d{1,3}){0,9})[ \t]{0,2}[\]\u3011]"
)
QUOTES = '"\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d'
_TOKEN = re.compile(
    rf"(?P<space>\s+)|(?P<mark>{NUMBERS})|(?P<stars>\*\*)|(?P<dot>\.)|(?P<text>[^\s\[\u3010*.]+|.)", re.DOTALL
)
_MARK_ROOM = 64  # characters; an opening bracket that is not closed by then opens no mark
# What ends the answer where a line begins with it: a citation, their heading, a second answer, the end of a fence.
_LINE_END = re.compile(
    rf"[ \t>*_#\u2022\u2013\u2014-]{{0,8}}(?:\d{{1,2}}[.)] ?)?(?:{NUMBERS}"
    r"|(?:citations?|sources?|quotes?|evidence|references?|answer)[*_]{0,2}[ \t]{0,2}[:\uff1a]|```)",
    re.IGNORECASE,
)
_LINE_ROOM = 96
_QUOTE_AHEAD = re.compile(rf"[ \t:\uff1a-]{{0,4}}[{QUOTES}]")
_FILLER = " \t:\uff1a-"
_HELD_ROOM = 64  # more dots than this are text
_NOT_FOUND = re.compile(
    r"\W{0,4}not[ _](?:(?:found|stated|mentioned|given|answered|present|contained|available|provided)[ _])?in"
    r"[ _](?:any[ _]of[ _])?(?:the[ _]|these[ _])?(?:given[ _]|provided[ _]|numbered[ _])?passages?(?![ ]?\w)",
    re.IGNORECASE,
)
_NOT_FOUND_ROOM = 72
_MAYBE_NOT = re.compile(r"\W{0,4}(?:\Z|n(?:\Z|o(?:\Z|t)))", re.IGNORECASE)
# An answer of at most so many words is a name, a date or yes or no, and no sentence: its full stop goes.
SHORT_WORDS = 8


class AnswerText:
    """Takes a reply piece by piece and gives out the words of its answer.

    The answer is what follows ``ANSWER:`` at the start of a line, up to the first citation line. A reply without
    this prefix is an answer as a whole, or JSON; as that is only known at its end, nothing is given out before.

    Attributes
    ----------
    marks
        Numbers of passages named inside the answer.
    quotes
        Numbers and words of the citations of a JSON answer.
    rest
        After :meth:`close`: what follows the answer, the citation lines.
    """

    def __init__(self) -> None:
        self.marks: list[int] = []
        self.quotes: tuple[tuple[int, str], ...] = ()
        self.rest = ""
        self._start: AnswerStart | None = AnswerStart()
        self._buffer = ""  # behind the prefix: what is not understood yet
        self._last = ""  # the character before it
        self._done = False
        self._not_found = False
        self._given: list[str] = []
        self._after: list[str] = []
        self._head: str | None = ""  # the first characters, until they cannot say "not in passages" any more
        self._held = ""  # white space and full stops, which count only where something follows
        self._after_mark = False

    @property
    def text(self) -> str | None:
        """What was given out; ``None`` once the reply says that the passages do not hold the answer."""
        return None if self._not_found else "".join(self._given)

    def feed(self, piece: str) -> str:
        """Return the words that are sure after another piece of the reply; may be empty."""
        if self._done:
            self._after.append(piece)
            return ""
        if self._start is not None:
            found = self._start.feed(piece)
            if found is None:
                return ""
            self._start, piece = None, found
        self._buffer += piece
        return self._read(final=False)

    def close(self) -> str:
        """Return the last words, at the end of the reply."""
        if self._start is not None:
            self._buffer, self._start = self._whole(self._start.rest()), None
        out = "" if self._done else self._read(final=True)
        self.rest = "".join(self._after)
        return out

    def _whole(self, raw: str) -> str:
        """Return the answer of a reply without prefix."""
        found = answer_in_json(raw)
        if found is None:
            return raw
        text, self.quotes = found
        self._not_found = text is None
        return text or ""

    def _read(self, *, final: bool) -> str:
        before, at = len(self._given), 0
        while at < len(self._buffer) and not self._done:
            match = self._next(at, final)
            if match is None:
                break
            if not match[0]:  # the answer ends here
                self._finish(self._buffer[at:])
            else:
                self._take(match, self._buffer[match.end() : match.end() + 1])
                at = match.end()
                self._last = match[0][-1]
        self._buffer = self._buffer[at:]
        if final or self._done:
            self._end()
            self._done = True
        return "".join(self._given[before:])

    def _next(self, at: int, final: bool) -> re.Match[str] | None:
        """Return the next token, an empty match where the answer ends, or None where more must come in first."""
        buffer = self._buffer
        if "\n" in self._held and self._head != "":
            if not final and len(buffer) - at < _LINE_ROOM and "\n" not in buffer[at:]:
                return None
            if _LINE_END.match(buffer, at):
                return _NOTHING.match(buffer, at)
        match = _TOKEN.match(buffer, at)
        if match is None or not (final or _is_sure(match, buffer)):
            return None
        if match["mark"] and _QUOTE_AHEAD.match(buffer, match.end()):
            return _NOTHING.match(buffer, at)
        return match

    def _finish(self, rest: str) -> None:
        self._done = True
        self._after.append(rest)

    def _take(self, match: re.Match[str], following: str) -> None:
        text = match[0]
        if match["mark"]:
            self.marks += [int(number) for number in re.findall(r"\d+", text)]
            self._after_mark = True
        elif match["space"]:
            gap = "\n" if "\n" in text or self._held.endswith("\n") else " "
            self._held = self._held.rstrip() + gap
        elif not (match["stars"] and not (self._last.isalnum() and following.isalnum())):  # not of bold type
            if self._after_mark and text[0] in ".,;:!?)":
                self._held = self._held.rstrip(" ")
            self._after_mark = False
            if match["dot"] and len(self._held) < _HELD_ROOM:
                self._held += text
            else:
                self._show(self._held + text)
                self._held = ""

    def _show(self, text: str) -> None:
        """Give out text, once it is known not to say that the passages hold no answer."""
        if self._head is None:
            self._given.append(text)
            return
        self._head = (self._head + text).lstrip()
        if len(self._head) >= _NOT_FOUND_ROOM or not _MAYBE_NOT.match(self._head):
            self._release()

    def _release(self) -> None:
        head, self._head = self._head or "", None
        if _NOT_FOUND.match(head):
            self._not_found = True
            self._finish("")
        elif head:
            self._given.append(head)

    def _end(self) -> None:
        """Give out the last of the answer: of what was held back, white space and a short answer's full stop go."""
        if self._head is not None:
            self._release()
        held, text = self._held.rstrip(), "".join(self._given)
        if not text or self._not_found:
            return
        words = text.split()
        if held.strip() != "." or len(words) > SHORT_WORDS or "." in words[-1]:
            self._given.append(held)


_NOTHING = re.compile("")


def _is_sure(match: re.Match[str], buffer: str) -> bool:
    """Return whether more of the reply cannot change what a token is."""
    end = match.end()
    if match["mark"]:  # a quotation mark behind it makes it a citation
        return len(buffer) - end > 4 or buffer[end:].strip(_FILLER) != ""
    if match[0] in ("[", "\u3010"):
        ahead = buffer[end : end + _MARK_ROOM]
        return len(ahead) == _MARK_ROOM or any(c in ahead for c in "]\u3011\n")
    return end < len(buffer) or not (match["stars"] or match[0] == "*")
