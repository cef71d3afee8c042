"""Chat models that transformers can load: ``--llm transformers:PATH`` (extra ``local``)."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hipporag_like.config import LLMConfig
from hipporag_like.errors import LLMError, ModelError
from hipporag_like.models.chat import PLAIN_END, clean, encode_chat, has_template
from hipporag_like.models.micro_batches import MicroBatches
from hipporag_like.models.model_files import architectures, identity, positions, read_config
from hipporag_like.models.protocols import Prompt, Reply
from hipporag_like.models.torch_model import TorchModel, load_model, load_tokenizer, require_torch
from hipporag_like.text import hash64
from hipporag_like.types import Usage

if TYPE_CHECKING:
    from hipporag_like.models.generation import Job, Made, Sampling, Watcher

# How the classes that continue a text end; some models read pictures as well and are called after that.
_WRITERS = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
_HALF_CHARACTER = "\ufffd"  # what a tokenizer writes for bytes that the next token makes whole


class TransformersLLM:
    """A chat model by folder or hub name; loaded at the first call.

    Calls of several threads are answered together, up to ``batch_size`` at a time. At temperature 0 the likeliest
    token is always taken; else each call draws with a seed made of ``seed`` and its prompt. Either way the answer
    to a prompt is the same whatever it was put together with, up to the rounding of the number format (and but
    for ``quantization = "8bit"``, whose scales depend on all that is computed at once). The schema of a prompt is
    not enforced.

    Parameters
    ----------
    path
        A model's folder, or its name ``OWNER/NAME`` on the hub. Weights must be safetensors; no code that comes
        with a model is run.
    config
        ``temperature``, ``seed``, ``context_tokens``, ``device``, ``dtype``, ``quantization`` and ``batch_size``
        are read.

    Raises
    ------
    MissingExtraError
        torch or transformers is not installed.
    ModelError
        The folder holds no model, or one that writes no text.
    """

    def __init__(self, path: str, config: LLMConfig) -> None:
        require_torch(f"The model {path}")
        classes = architectures(path)
        if classes and not any(name.endswith(_WRITERS) for name in classes):
            raise ModelError(f"{path} is a {classes[0]}, which writes no text; name a chat model.")
        self._path = path
        self._config = config
        self._loading = threading.Lock()
        self._counting = threading.Lock()
        self._batches: MicroBatches[Job, Made] = MicroBatches(config.batch_size, self._fit, self._answer)

    @cached_property
    def fingerprint(self) -> str:
        """Weights, tokenizer, template; temperature, seed, number format, quantization. Torch is not imported."""
        config = self._config
        sampling = f"t{config.temperature:g}:s{config.seed}"
        return f"transformers:{identity(self._path)}:{sampling}:{config.dtype}:{config.quantization}"

    @property
    def width(self) -> int:
        """How many prompts are answered together at most."""
        return self._config.batch_size

    @cached_property
    def context(self) -> int:
        """The model's own window, or ``context_tokens`` where that is smaller."""
        own = positions(read_config(self._path))
        return self._config.context_tokens if own is None else min(own, self._config.context_tokens)

    def count(self, text: str) -> int:
        """Return how many tokens a text has, exactly; loads the tokenizer and not the model."""
        with self._counting:
            ids = self._tokenizer(clean(text), add_special_tokens=False, truncation=False, verbose=False)
        return len(ids["input_ids"])

    def complete(self, prompt: Prompt) -> Reply:
        """Return the answer to a prompt.

        Raises
        ------
        LLMError
            Prompt and answer do not fit the window, the template refuses the conversation, or computing failed.
        ModelError
            The model cannot be loaded.
        """
        job = self._job(prompt)
        self._ready()
        return self._reply(job, self._batches.run(job))

    def stop(self) -> int:
        """Give up prompts whose turn has not come; see ``models.protocols.Stops``."""
        return self._batches.stop()

    def stream(self, prompt: Prompt) -> Iterator[str | Reply]:
        """Yield the answer piece by piece, then the whole as a ``Reply``; errors as of :meth:`complete`.

        The pieces put together are the reply's text, which is that of :meth:`complete`.
        """
        from hipporag_like.models.generation import Watcher

        job = self._job(prompt)
        self._ready()
        arrived: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        watcher = Watcher(arrived.put)
        # The other thread holds the model, so that a slow or lost reader of the stream holds up nobody.
        pool = ThreadPoolExecutor(1)
        running = pool.submit(self._watched, job, watcher)
        running.add_done_callback(lambda _: arrived.put(None))
        try:
            told = yield from self._pieces(arrived)
        finally:
            watcher.enough.set()
            pool.shutdown(wait=False)
        reply = self._reply(job, running.result())
        if len(reply.text) > len(told):
            yield reply.text[len(told) :]
        yield reply

    def _pieces(self, arrived: queue.SimpleQueue[int | None]) -> Generator[str, None, str]:
        """Yield what is sure to stay of the text of the tokens that arrive; return all that was yielded."""
        sampling = self._ready()[1]
        tokens: list[int] = []
        told = ""
        while (token := arrived.get()) is not None:
            if token in sampling.ends:
                continue
            tokens.append(token)
            text = self._settled(self._decode(tokens))
            if len(text) > len(told) and text.startswith(told):
                yield text[len(told) :]
                told = text
        return told

    def _settled(self, text: str) -> str:
        """Return ``text`` without an end that later tokens may change or that may begin the text after the answer."""
        text = self._trimmed(text).rstrip(_HALF_CHARACTER)
        end = self._ready()[1].end_text
        begun = next((size for size in range(len(end), 0, -1) if text.endswith(end[:size])), 0)
        return text[: len(text) - begun]

    def _job(self, prompt: Prompt) -> Job:
        from hipporag_like.models.generation import Job

        with self._counting:
            tokens = encode_chat(self._tokenizer, self._path, prompt.messages)
        if len(tokens) + prompt.max_tokens > self.context:
            raise LLMError(
                f"A prompt of {len(tokens)} tokens and {prompt.max_tokens} for its answer are more than the "
                f"{self.context} that fit; use shorter passages, a model with a longer window or a higher "
                "llm.context_tokens."
            )
        if not tokens:
            raise LLMError("A prompt without a single token cannot be answered; say something in it.")
        return Job(tuple(tokens), prompt.max_tokens, hash64(f"{self._config.seed} {tokens}") >> 1)

    def _fit(self, jobs: Sequence[Job]) -> bool:
        """Whether the longest prompt and the longest answer fit the window, as those of all have the same length."""
        return max(len(job.tokens) for job in jobs) + max(job.limit for job in jobs) <= self.context

    def _answer(self, jobs: Sequence[Job]) -> Sequence[Made | LLMError]:
        from hipporag_like.models.generation import generate

        return generate(*self._ready(), jobs)

    def _watched(self, job: Job, watcher: Watcher) -> Made:
        from hipporag_like.models.generation import generate

        with self._batches.alone():
            made = generate(*self._ready(), [job], watcher)[0]
        if isinstance(made, LLMError):
            raise made
        return made

    def _reply(self, job: Job, made: Made) -> Reply:
        text = self._decode(made.tokens)
        answer = self._trimmed(text)
        usage = Usage(calls=1, input_tokens=len(job.tokens), output_tokens=len(made.tokens))
        return Reply(answer, made.cut and answer == text, usage)

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(
            list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _trimmed(self, text: str) -> str:
        """Return ``text`` up to where the model went on to write the user's next turn."""
        end = self._ready()[1].end_text
        return text.partition(end)[0] if end else text

    def _ready(self) -> tuple[TorchModel, Sampling]:
        """Return the model and what ends its answers, loaded by the first that asks."""
        with self._loading:
            return self._model

    @cached_property
    def _model(self) -> tuple[TorchModel, Sampling]:
        from transformers import GenerationConfig

        from hipporag_like.models.generation import Sampling

        model = load_model(self._path, "AutoModelForCausalLM", self._config)
        said = (model.module.generation_config.eos_token_id, model.tokenizer.eos_token_id)
        ends = {end for ids in said for end in (ids if isinstance(ids, list) else [ids]) if end is not None}
        # What the model's own defaults say of penalties and draws would come on top of what is asked for.
        model.module.generation_config = GenerationConfig()
        end_text = "" if has_template(model.tokenizer) else PLAIN_END
        return model, Sampling(self._config.temperature, frozenset(ends), end_text)

    @cached_property
    def _tokenizer(self) -> Any:
        return load_tokenizer(self._path)
