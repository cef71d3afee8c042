"""Tokens to tokens: several prompts answered together, each as if it were alone (imports torch)."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from hipporag_like.errors import LLMError
from hipporag_like.models.model_files import reason
from hipporag_like.models.torch_model import TorchModel, out_of_memory, quiet

# The end of a text of our own is looked for in this many last tokens; its characters are a token each at worst.
_TAIL = 16


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt.

    Attributes
    ----------
    tokens
        The prompt's.
    limit
        Tokens of the answer at most.
    seed
        Of the draws, where there are any.
    """

    tokens: tuple[int, ...]
    limit: int
    seed: int


@dataclass(frozen=True, slots=True)
class Made:
    """The tokens of an answer without the one that ended it; ``cut`` where none did."""

    tokens: tuple[int, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen, and what ends an answer.

    Attributes
    ----------
    temperature
        0: the likeliest token.
    ends
        Tokens that end an answer.
    end_text
        Text after which nothing more is made; empty: none. It is left in the answer.
    """

    temperature: float
    ends: frozenset[int]
    end_text: str = ""


class Watcher:
    """Sees the tokens of a single prompt as they are made, and may have the rest left out."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._prompt_seen = False
        self.enough = threading.Event()

    def put(self, tokens: torch.Tensor) -> None:
        """Take the prompt first, then token by token; called by transformers."""
        if self._prompt_seen:
            self._tell(int(tokens.reshape(-1)[-1]))
        self._prompt_seen = True

    def end(self) -> None:
        """Nothing is held back that would have to be said at the end; called by transformers."""


def generate(
    model: TorchModel, sampling: Sampling, jobs: Sequence[Job], watcher: Watcher | None = None
) -> list[Made | LLMError]:
    """Return the answers to prompts, in order; a batch that the memory does not hold is halved.

    What an answer is does not depend on the others of its batch, up to the rounding of the number format, which
    can decide between two tokens that are equally likely to its last digit.
    """
    try:
        with quiet(), torch.inference_mode():
            rows = _rows(model, sampling, jobs, watcher)
    except (RuntimeError, ValueError, IndexError, TypeError, MemoryError) as error:
        if not out_of_memory(error):
            failure = LLMError(f"The model on {model.device} failed ({reason(error)}).")
        elif len(jobs) == 1:
            failure = LLMError(
                f"A prompt of {len(jobs[0].tokens)} tokens does not fit the memory of {model.device}; use a smaller "
                "model, llm.quantization or shorter passages."
            )
        else:
            _release(model)
            half = len(jobs) // 2
            return [made for part in (jobs[:half], jobs[half:]) for made in generate(model, sampling, part)]
        return [LLMError(str(failure)) for _ in jobs]
    return [_made(row[: job.limit], sampling.ends) for row, job in zip(rows, jobs, strict=True)]


def _rows(
    model: TorchModel, sampling: Sampling, jobs: Sequence[Job], watcher: Watcher | None
) -> list[list[int]]:
    """Return for each prompt the tokens made, with some after the end of all but the longest answer."""
    from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

    longest = max(len(job.tokens) for job in jobs)
    padding = min(sampling.ends, default=0)
    tokens = torch.full((len(jobs), longest), padding, dtype=torch.long)
    mask = torch.zeros((len(jobs), longest), dtype=torch.long)
    for row, job in enumerate(jobs):  # on the left, so that all answers start at the same place
        tokens[row, longest - len(job.tokens) :] = torch.tensor(job.tokens)
        mask[row, longest - len(job.tokens) :] = 1
    draws = [_Draws(jobs, sampling.temperature)] if sampling.temperature > 0 else []
    made = model.module.generate(
        input_ids=tokens.to(model.device),
        attention_mask=mask.to(model.device),
        generation_config=GenerationConfig(
            max_new_tokens=max(job.limit for job in jobs),
            do_sample=False,
            eos_token_id=sorted(sampling.ends) or None,
            pad_token_id=padding,
        ),
        logits_processor=LogitsProcessorList(draws),
        stopping_criteria=StoppingCriteriaList([_Stop(model.tokenizer, jobs, longest, sampling, watcher)]),
        streamer=watcher,
    )
    rows: list[list[int]] = made[:, longest:].tolist()
    return rows


def _made(row: Sequence[int], ends: frozenset[int]) -> Made:
    end = next((place for place, token in enumerate(row) if token in ends), None)
    return Made(tuple(row), True) if end is None else Made(tuple(row[:end]), False)


class _Draws:
    """Chooses a token by its probability with a generator of each prompt's own.

    The largest of log-probability plus Gumbel noise is a draw from the distribution (Gumbel, 1954), so that the
    search for the likeliest token goes on unchanged, and no prompt sees the draws of the others in its batch.
    """

    def __init__(self, jobs: Sequence[Job], temperature: float) -> None:
        self._temperature = temperature
        self._generators = [torch.Generator().manual_seed(job.seed) for job in jobs]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        noise = torch.stack(
            [torch.empty(scores.shape[-1]).exponential_(generator=draw).log_() for draw in self._generators]
        )
        return scores.float() / self._temperature - noise.to(scores.device)


class _Stop:
    """Ends each answer at its own limit, at the text that ends one, or when nobody wants it any more."""

    def __init__(
        self, tokenizer: Any, jobs: Sequence[Job], start: int, sampling: Sampling, watcher: Watcher | None
    ) -> None:
        self._tokenizer = tokenizer
        self._limits = torch.tensor([job.limit for job in jobs])
        self._start = start
        self._end_text = sampling.end_text
        self._watcher = watcher

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        made = input_ids.shape[1] - self._start
        done = self._limits <= (math.inf if self._unwanted() else made)
        if self._end_text:
            tails = input_ids[:, self._start :][:, -_TAIL:].tolist()
            ended = [self._end_text in self._tokenizer.decode(tail) for tail in tails]
            done |= torch.tensor(ended)
        return done.to(input_ids.device)

    def _unwanted(self) -> bool:
        return self._watcher is not None and self._watcher.enough.is_set()


def _release(model: TorchModel) -> None:
    """Give back what a failed batch still holds."""
    if model.device.startswith("cuda"):
        torch.cuda.empty_cache()
