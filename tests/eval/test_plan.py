"""Plans: what cannot be run is refused in one sentence, before anything is made."""

from __future__ import annotations

import json

import pytest

from hipporag_like.config import METHODS, Config
from hipporag_like.errors import ConfigError, HippoRAGLikeError, InputError, UsageError
from hipporag_like.eval.plan import make_plan

RUN = "q1 Q0 ada 1 2.5 theirs\nq1 Q0 marlow 2 1.5 theirs\nq3 Q0 cleo 1 0.5 theirs\n"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def run_file(tmp_path):
    def write(text=RUN, name="theirs.run"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_plan_says_what_will_run_and_is_written(make_toy, out, run_file):
    file = run_file()
    plan = make_plan(
        [make_toy()], out, methods=["graph", "bm25", "graph"], runs={"theirs": file}, limit=3, read=False
    )
    (task,) = plan.tasks
    assert [system.name for system in plan.systems] == ["graph", "bm25", "theirs"]
    assert [question.id for question in plan.questions(task)] == ["q1", "q2", "q3"]
    assert task.runs["theirs"]["q1"] == [("ada", 2.5), ("marlow", 1.5)]
    written = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    assert written == plan.to_dict()
    assert written["datasets"]["toy"]["checksum"] == task.dataset.checksum
    assert written["systems"]["theirs"] == {"kind": "run", "method": None, "source": str(file)}
    assert (written["baseline"], written["limit"], written["read"]) == ("graph", 3, False)


def test_all_methods_against_hybrid_where_nothing_is_said(make_toy, out):
    plan = make_plan([make_toy()], out)
    assert tuple(system.name for system in plan.systems) == METHODS
    assert plan.baseline == "hybrid" and plan.config == Config()
    assert plan.index_root == out / "indexes"


def test_the_options_of_the_indexes_that_are_there_stand(make_toy, out, toy_indexes):
    assert make_plan([make_toy()], out, index_root=toy_indexes).config.embed.model == "hashing"


def test_a_condition_changes_every_data_set(make_toy, out):
    plan = make_plan([make_toy("a"), make_toy("b")], out, condition="without_titles")
    assert [task.dataset.name for task in plan.tasks] == ["a+without_titles", "b+without_titles"]
    assert not any(document.title for task in plan.tasks for document in task.dataset.documents)


def test_a_folder_of_an_experiment_is_gone_on_with(make_toy, out):
    toy = make_toy()
    make_plan([toy], out, methods=["bm25"])
    (out / "units").mkdir()
    assert make_plan([toy], out, methods=["bm25", "dense"]).systems[1].name == "dense"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"methods": ["graph", "magic"]}, ConfigError, "cannot evaluate 'magic'; methods are graph"),
        ({"methods": []}, ConfigError, "needs a method or a run"),
        ({"limit": 0}, ConfigError, "limit must be at least 1, got 0"),
        (
            {"baseline": "dense", "methods": ["graph"]},
            UsageError,
            "baseline 'dense' is not among the systems graph",
        ),
        (
            {"condition": "upside_down"},
            ConfigError,
            "no condition 'upside_down'; conditions are without_titles",
        ),
        ({"runs": {"a/b": "x"}}, UsageError, "named with letters"),
        ({"runs": {"BM25": "x"}}, UsageError, "BM25 is a method of ours"),
        ({"runs": {"a": "x", "A": "y"}}, UsageError, "a, A differ only in small and capital letters"),
        ({"runs": {"graph": "x"}}, UsageError, "graph is a method of ours"),
        ({"runs": {"theirs": "nowhere.run"}}, InputError, "there is no run at nowhere.run"),
    ],
)
def test_bad_options_are_refused_before_anything_is_made(make_toy, out, options, error, message):
    with pytest.raises(error, match=message):
        make_plan([make_toy()], out, **options)
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1 Q0 ada 1 2.5\n", "must have 6 columns"),
        ("", "holds no rankings"),
        (RUN + "q99 Q0 ada 1 1 t\n", "1 question ids that are not in toy, first 'q99'"),
        (RUN.replace("ada", "ada#0"), "1 document ids that are not in toy, first 'ada#0'"),
    ],
)
def test_runs_that_do_not_fit_are_refused_before_anything_is_made(make_toy, out, run_file, text, message):
    with pytest.raises(InputError, match=message):
        make_plan([make_toy()], out, runs={"theirs": run_file(text)})
    assert not out.exists()


def test_one_run_file_may_cover_several_data_sets_by_their_question_ids(make_toy, out, run_file):
    questions = [("x1", "Where does Cleo Dent play?", ["Vienna"], ["cleo"], "single")]
    sets = [make_toy(), make_toy("other", questions=questions)]
    plan = make_plan(sets, out, methods=["bm25"], runs={"theirs": run_file(RUN + "x1 Q0 cleo 1 1 t\n")})
    assert [set(task.runs["theirs"]) for task in plan.tasks] == [{"q1", "q3"}, {"x1"}]


def test_a_run_of_one_data_set_is_missing_in_the_other(make_toy, out, run_file):
    questions = [("x1", "Where does Cleo Dent play?", ["Vienna"], ["cleo"], "single")]
    sets = [make_toy(), make_toy("other", questions=questions)]
    plan = make_plan(sets, out, methods=["bm25"], runs={"theirs": run_file()})
    assert [[s.name for s in plan.systems_of(task)] for task in plan.tasks] == [["bm25", "theirs"], ["bm25"]]
    with pytest.raises(UsageError, match="the baseline theirs has no ranking for other"):
        make_plan(sets, out, methods=["bm25"], runs={"theirs": run_file()}, baseline="theirs")


def test_question_ids_in_common_need_a_folder_of_runs(make_toy, out, run_file, tmp_path):
    sets = [make_toy(), make_toy("other")]
    with pytest.raises(InputError, match="question ids that toy, other have in common"):
        make_plan(sets, out, methods=["bm25"], runs={"theirs": run_file()})
    run_file(RUN, "runs/toy.run")
    run_file("q2 Q0 arno 1 1 t\n", "runs/other.run")
    plan = make_plan(sets, out, methods=["bm25"], runs={"theirs": tmp_path / "runs"})
    assert [set(task.runs["theirs"]) for task in plan.tasks] == [{"q1", "q3"}, {"q2"}]
    run_file("q9 Q0 arno 1 1 t\n", "runs/other.run")
    with pytest.raises(InputError, match="not in other, first 'q9'"):
        make_plan(sets, out, methods=["bm25"], runs={"theirs": tmp_path / "runs"})
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"expected toy.run, other.run"):
        make_plan(sets, out, methods=["bm25"], runs={"theirs": tmp_path / "empty"})


def test_data_sets_that_would_mix_are_refused(make_toy, out, tmp_path):
    toy = make_toy()
    copy = tmp_path / "elsewhere" / "Toy"
    copy.parent.mkdir()
    toy.rename(copy)
    with pytest.raises(UsageError, match="two data sets are called toy"):
        make_plan([copy, make_toy_again(toy, copy)], out)
    with pytest.raises(UsageError, match="two data sets are called Toy"):
        make_plan([toy, copy], out)
    with pytest.raises(UsageError, match="at least one data set"):
        make_plan([], out)
    assert not out.exists()


def make_toy_again(path, source):
    path.mkdir()
    for file in source.iterdir():
        (path / file.name).write_bytes(file.read_bytes())
    return path


@pytest.mark.parametrize(
    ("options", "name", "others"),
    [
        ({"extract": {"extractor": "llm"}}, "extract.extractor", {"methods": [], "runs": True}),
        ({"read": {"reader": "llm"}}, "read.reader", {"read": False}),
        ({"search": {"filter": "on"}}, "search.filter", {"methods": ["dense", "hipporag"]}),
        (
            {"search": {"question_entities": "llm"}},
            "search.question_entities",
            {"methods": ["graph", "hipporag2"]},
        ),
    ],
)
def test_a_language_model_that_is_missing_is_missed_at_once(make_toy, out, run_file, options, name, others):
    toy, config = make_toy(), Config.from_dict(options)
    with pytest.raises(ConfigError, match=f"{name} asks for a language model and none is configured"):
        make_plan([toy], out, config=config)
    assert not out.exists()
    make_plan([toy], out, config=Config.from_dict({"llm": {"model": "openai:m"}}, config))
    others = {**others, "runs": {"theirs": run_file()} if "runs" in others else None}
    make_plan([toy], out, config=config, **others)  # nobody asks it


def test_gold_outside_the_corpus_is_refused(make_toy, out):
    broken = make_toy(questions=[("q1", "Who?", ["x"], ["nobody"], "")])
    with pytest.raises(InputError, match="'nobody'"):
        make_plan([broken], out)
    assert not out.exists()


def test_places_that_cannot_hold_an_experiment_are_refused(make_toy, tmp_path):
    toy = make_toy()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(HippoRAGLikeError, match="a file stands where a folder is needed"):
        make_plan([toy], tmp_path / "file")
    with pytest.raises(InputError, match="holds files but no experiment"):
        make_plan([toy], toy)
    assert sorted(p.name for p in toy.iterdir()) == ["corpus.jsonl", "questions.jsonl"]
