"""A study's results on disk: JSON, markdown, and pictures where matplotlib is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hipporag_like.errors import UsageError
from hipporag_like.eval.studies.tables import markdown
from hipporag_like.store.files import make_folder, write_private

FORMAT = 1


def can_draw() -> bool:
    """Return whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def write_study(
    folder: Path, study: str, results: Mapping[str, Mapping[str, Any]], made: Mapping[str, Any]
) -> list[Path]:
    """Write ``STUDY.json``, ``STUDY.md`` and ``STUDY-DATASET.svg`` and return their paths.

    Parameters
    ----------
    folder
        Made where it is missing.
    study
        ``growth``, ``paths``, ``knobs`` or ``robustness``.
    results
        What the study's function returned, by data set.
    made
        When, with what and where: kept in the JSON.

    Raises
    ------
    UsageError
        ``folder`` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder to write to")
    make_folder(folder)
    page = folder / f"{study}.md"
    data = folder / f"{study}.json"
    values = {"format": FORMAT, "study": study, "made": dict(made), "datasets": dict(results)}
    write_private(data, json.dumps(values, ensure_ascii=False, allow_nan=False, indent=1) + "\n")
    text = markdown(study, results)
    pictures = []
    if can_draw():
        from hipporag_like.eval.studies.plots import draw

        for name, result in results.items():
            picture = folder / f"{study}-{name.replace(':', '-').replace('/', '-')}.svg"
            draw(study, result, picture)
            pictures.append(picture)
            text = text.replace(f"## {name}\n", f"## {name}\n\n![{study}: {name}]({picture.name})\n", 1)
    write_private(page, text)
    return [data, page, *pictures]
