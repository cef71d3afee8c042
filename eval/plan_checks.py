"""What can be wrong with an experiment, found before anything is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hipporag_like.config import METHODS, Config
from hipporag_like.errors import ConfigError, UsageError
from hipporag_like.eval.conditions import CONDITIONS
from hipporag_like.eval.questions import Dataset, require_gold

USUAL_BASELINE = "hybrid"  # what a graph has to beat: the two signals that need none
_NAME = re.compile(r"\w[\w.+@-]*")  # a part of a file's name, one word in a TREC run
_NO_FILE_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f]|^\.|[. ]$')  # what Linux, macOS or Windows refuses


def require_names(methods: Sequence[str], runs: Sequence[str]) -> None:
    """Check the names of methods and of other systems' runs.

    Raises
    ------
    ConfigError
        An unknown method, or nothing to evaluate at all.
    UsageError
        A run whose name cannot be a file's, or is a method's or another run's.
    """
    unknown = [method for method in methods if method not in METHODS]
    if unknown:
        raise ConfigError(
            f"cannot evaluate {', '.join(map(repr, unknown))}; methods are {', '.join(METHODS)}"
        )
    if not methods and not runs:
        raise ConfigError(f"an experiment needs a method or a run; methods are {', '.join(METHODS)}")
    for name in runs:
        if not _NAME.fullmatch(name):
            raise UsageError(f"a run is named with letters, digits and . _ + @ -, got {name!r}")
        if name.casefold() in METHODS:
            raise UsageError(f"{name} is a method of ours; give the run another name, such as my_{name}")
    if len({name.casefold() for name in runs}) < len(runs):  # one file on some systems, two on others
        raise UsageError(f"the runs {', '.join(runs)} differ only in small and capital letters; rename one")


def choose_baseline(names: Sequence[str], asked: str | None) -> str:
    """Return the system that the others are tested against: the one asked for, else ``hybrid``, else the first.

    Raises
    ------
    UsageError
        It is not among the systems.
    """
    if asked is None:
        return USUAL_BASELINE if USUAL_BASELINE in names else names[0]
    if asked not in names:
        raise UsageError(f"the baseline {asked!r} is not among the systems {', '.join(names)}")
    return asked


def find_condition(name: str | None) -> Callable[[Dataset], Dataset]:
    """Return the change of a name out of ``conditions.CONDITIONS``; without a name nothing changes.

    Raises
    ------
    ConfigError
        There is no such condition.
    """
    if name is None:
        return lambda dataset: dataset
    if name not in CONDITIONS:
        raise ConfigError(f"there is no condition {name!r}; conditions are {', '.join(CONDITIONS)}")
    return CONDITIONS[name]


def require_datasets(datasets: Sequence[Dataset]) -> None:
    """Check that what is needed is in each corpus, and that each name makes a folder of its own.

    Raises
    ------
    InputError
        Supporting ids that are not in the corpus.
    UsageError
        Two data sets of one name, or a name that is no folder's on some system.
    """
    seen: set[str] = set()
    for dataset in datasets:
        require_gold(dataset)
        name = dataset.name
        if name.casefold() in seen:  # two folders on some systems, one on others
            raise UsageError(f"two data sets are called {name}; rename one, their results would mix")
        if _NO_FILE_NAME.search(name):
            raise UsageError(f"the data set {name!r} cannot name a folder on every system; rename it")
        seen.add(name.casefold())


def require_models(config: Config, methods: Sequence[str], read: bool) -> None:
    """Check that there is a language model where one will be called, perhaps only after hours.

    Raises
    ------
    ConfigError
        One is asked for and none is configured.
    """
    search = config.search
    asking = {
        "extract.extractor": config.extract.extractor == "llm" and bool(methods),
        "read.reader": config.read.reader == "llm" and read and bool(methods),
        "search.filter": search.filter == "on" and not {"graph", "hipporag2"}.isdisjoint(methods),
        "search.question_entities": search.question_entities == "llm" and "hipporag" in methods,
    }
    options = [name for name, asks in asking.items() if asks]
    if options and not config.llm.model:
        raise ConfigError(
            f"{' and '.join(options)} asks for a language model and none is configured; name one with "
            "--llm or llm.model"
        )
