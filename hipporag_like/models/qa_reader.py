"""Extractive question-answering heads: ``--reader transformers:PATH`` (extra ``local``)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from hipporag_like.config import LLMConfig
from hipporag_like.errors import LLMError, ModelError
from hipporag_like.models.chat import clean
from hipporag_like.models.model_files import architectures, positions, read_config, reason
from hipporag_like.models.qa_spans import Span, Window, best_spans, probability
from hipporag_like.models.torch_model import TorchModel, load_model, out_of_memory, quiet, require_torch
from hipporag_like.sentences import sentence_spans
from hipporag_like.types import Answer, Citation, Passage, Trace

_HEAD = "ForQuestionAnswering"
DEFAULT_WINDOW = 512  # BERT's, for a model that names none
UNBOUNDED = 10**6  # tokenizers say 10^30 where they know no limit
OVERLAP_SHARE = 3  # windows share a third, as SQuAD's do (a stride of 128 in 384 tokens)
MIN_WINDOW = 32  # tokens; in less there is no room for a question and a sentence


def is_question_answering(path: str) -> bool:
    """Return whether a model has an extractive question-answering head; reads ``config.json``, not torch.

    Parameters
    ----------
    path
        A model's folder or its hub name.

    Raises
    ------
    ModelError
        There is no such folder or model.
    """
    return any(name.endswith(_HEAD) for name in architectures(path))


class QAReader:
    """Reader by an extractive question-answering head, such as one trained on SQuAD 2.0.

    The answer is a span of a passage, word for word, and its citation the sentence around it. Passages are read
    in overlapping windows, so that no part of one is left out; a question is cut where it fills more than half a
    window, since none of a training set is nearly as long.

    Parameters
    ----------
    path
        A model's folder or its hub name; loaded at the first question.
    config
        ``device``, ``dtype``, ``quantization`` and ``batch_size`` (windows at once) are read.
    name
        What ``--reader`` calls it.

    Raises
    ------
    MissingExtraError
        torch or transformers is not installed.
    ModelError
        The folder holds no model, or one without such a head.
    """

    def __init__(self, path: str, config: LLMConfig, name: str) -> None:
        require_torch(f"The reader {name}")
        if not is_question_answering(path):
            raise ModelError(f"{path} has no question-answering head; name a model that ends in {_HEAD}.")
        self._path = path
        self._config = config
        self._name = name
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """What ``--reader`` calls it."""
        return self._name

    def read(self, question: str, trace: Trace) -> Answer:
        """Return the span of the trace's hits that answers ``question``, or ``text=None``.

        ``confidence`` is the best span's share of a softmax over the best spans of all windows and "no answer";
        where that wins, the share says how near the span was.

        Raises
        ------
        LLMError
            Computing failed.
        ModelError
            The model cannot be loaded.
        """
        passages = [hit.passage for hit in trace.hits]
        texts = [passage.text for passage in passages]
        with self._lock:
            spans = best_spans(self._windows(clean(question), [clean(text) for text in texts]), texts)
        sure = round(probability(spans), 4)
        if not spans or spans[0].score <= 0:
            return Answer(question, None, (), sure, self._name, trace.hits)
        best = spans[0]
        text = texts[best.passage][best.start : best.end]
        return Answer(
            question, text, (_citation(passages[best.passage], best),), sure, self._name, trace.hits
        )

    def _windows(self, question: str, texts: Sequence[str]) -> Iterator[Window]:
        if not texts:
            return
        cut = self._encode(question, texts)
        order = sorted(range(len(cut["input_ids"])), key=lambda row: -len(cut["input_ids"][row]))
        for begin in range(0, len(order), self._config.batch_size):
            rows = order[begin : begin + self._config.batch_size]
            starts, ends = self._logits([{key: cut[key][row] for key in cut} for row in rows])
            for number, row in enumerate(rows):
                # Tokens of the passage are those of the second sequence.
                places = [place for place, side in enumerate(cut.sequence_ids(row)) if side == 1]
                null = self._null(cut["input_ids"][row])
                yield Window(
                    passage=cut["overflow_to_sample_mapping"][row],
                    starts=starts[number][places],
                    ends=ends[number][places],
                    offsets=[cut["offset_mapping"][row][place] for place in places],
                    null=float(starts[number][null] + ends[number][null]),
                )

    def _encode(self, question: str, texts: Sequence[str]) -> Any:
        tokenizer = self._model.tokenizer
        whole = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        offsets = whole["offset_mapping"]
        if len(offsets) > self._window // 2:
            question = question[: offsets[self._window // 2 - 1][1]]
        with quiet():
            return tokenizer(
                [question] * len(texts),
                list(texts),
                truncation="only_second",
                max_length=self._window,
                stride=(self._window // 2 - tokenizer.num_special_tokens_to_add(pair=True)) // OVERLAP_SHARE,
                return_overflowing_tokens=True,
                return_offsets_mapping=True,
            )

    def _null(self, ids: Sequence[int]) -> int:
        """Return the place of the token that stands for "no answer"."""
        token = self._model.tokenizer.cls_token_id
        return ids.index(token) if token in ids else 0

    def _logits(self, rows: Sequence[dict[str, Any]]) -> tuple[Any, Any]:
        """Return the logits of starts and of ends, float64 ``(len(rows), longest)``."""
        import torch

        tokenizer, module, device = self._model.tokenizer, self._model.module, self._model.device
        longest = max(len(row["input_ids"]) for row in rows)
        padding = {"input_ids": tokenizer.pad_token_id or 0}
        names = [name for name in tokenizer.model_input_names if name in rows[0]]
        batch = {
            name: torch.tensor(
                [row[name] + [padding.get(name, 0)] * (longest - len(row[name])) for row in rows]
            )
            for name in names
        }
        try:
            with quiet(), torch.inference_mode():
                output = module(**{name: values.to(device) for name, values in batch.items()})
        except (RuntimeError, ValueError, IndexError, TypeError, MemoryError) as error:
            hint = "; use a smaller llm.batch_size" if out_of_memory(error) else ""
            raise LLMError(f"The reader {self._name} failed on {device} ({reason(error)}){hint}.") from error
        if not hasattr(output, "start_logits") or not hasattr(output, "end_logits"):
            raise ModelError(f"{self._path} scores no starts and ends of answers; use another model.")
        return tuple(side.double().cpu().numpy() for side in (output.start_logits, output.end_logits))

    @cached_property
    def _model(self) -> TorchModel:
        model = load_model(self._path, "AutoModelForQuestionAnswering", self._config)
        if not model.tokenizer.is_fast:
            raise ModelError(f"{self._path} has no fast tokenizer; save it with one (tokenizer.json).")
        return model

    @cached_property
    def _window(self) -> int:
        """Tokens of a window: the smaller of what tokenizer and model say."""
        said = (self._model.tokenizer.model_max_length, positions(read_config(self._path)))
        window = min((int(size) for size in said if size and size < UNBOUNDED), default=DEFAULT_WINDOW)
        if window < MIN_WINDOW:
            raise ModelError(f"{self._path} reads less than {MIN_WINDOW} tokens at once; use another model.")
        return window


def _citation(passage: Passage, span: Span) -> Citation:
    """Return the sentences that a span lies in, from the first one's start to the last one's end."""
    around = [
        place for place in sentence_spans(passage.text) if place[0] < span.end and span.start < place[1]
    ]
    start = min([span.start, *(begin for begin, _ in around)])
    end = max([span.end, *(stop for _, stop in around)])
    return Citation(
        document_id=passage.document_id,
        passage_id=passage.id,
        quote=passage.text[start:end],
        start=start,
        end=end,
        title=passage.title,
    )
