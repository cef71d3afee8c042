"""One thing that is wrong with an index folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hipporag_like.errors import printable

REPAIR = "repair it with: hipporag-like repair --index {folder}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one file, and what helps.

    Attributes
    ----------
    file
        The file.
    what
        What is wrong with it, as it goes on after the name of the file.
    remedy
        What to do.
    """

    file: str
    what: str
    remedy: str

    @property
    def sentence(self) -> str:
        """All of it in one sentence on one line: of a damaged file anything may be quoted."""
        return printable(f"{self.file} {self.what}; {self.remedy}")


def found(path: Path, what: object, folder: Path) -> Finding:
    """Return the finding for a file that ``repair`` can make again or save what is readable of."""
    return Finding(str(path), f"is damaged ({what})", REPAIR.format(folder=folder))
