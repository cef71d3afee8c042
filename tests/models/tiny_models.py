"""Models of a few thousand weights, built and taught on the spot; needs the extra ``local``."""

from __future__ import annotations

import random
import string
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

# On matrices this small a second thread only waits, for long where the machine has other work.
torch.set_num_threads(1)

# What the tiny chat model was taught to say; of different lengths, so that a batch ends at different times.
LESSONS = {
    "Who keeps the bees?": "Ada.",
    "Where is the mill?": "By the river, behind the old bridge of stone.",
    "When was it built?": "In 1642, or so they say in town.",
    "What is it for?": '{"names": ["Zürich", "東京"]}',
    "Name three rivers.": "Rhine\nRhône\nInn",
}
TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CONTROLS = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
POSITIONS = 256

# The tiny reader was taught that a first name and a last name in a row are an answer, and nothing else is.
FIRST, LAST = ["Ada", "Bela", "Cora"], ["Stone", "River", "Hill"]
FILLERS = "the a keeps bees mill by bridge old town who where lives in and near it was built . , ?".split()
LETTERS = string.ascii_letters
QA_POSITIONS = 64


def tiny_chat_model(folder: Path, template: str | None = TEMPLATE, steps: int = 150, seed: int = 0) -> Path:
    """Save a Llama of two layers that knows LESSONS by heart (by the template, or as plain text)."""
    tokenizer = _byte_pairs(template)
    torch.manual_seed(seed)
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=POSITIONS,
        bos_token_id=None,
        eos_token_id=1,
        **shape,
    )
    model = LlamaForCausalLM(config)
    _teach(model, tokenizer, template, steps)
    model.generation_config.update(do_sample=True, temperature=5.0, repetition_penalty=9.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _byte_pairs(template: str | None) -> PreTrainedTokenizerFast:
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=340,
        special_tokens=CONTROLS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator([*LESSONS, *(text for text in LESSONS.values() if text.isascii())], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<|pad|>", eos_token="<|end|>")
    if template is not None:
        tokenizer.chat_template = template
    return tokenizer


def _teach(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, template: str | None, steps: int
) -> None:
    plain = "User: {}\n\nAssistant:"
    form = "<|user|>{}<|end|><|assistant|>" if template is not None else plain
    end = "<|end|>" if template is not None else "\n\nUser: "
    rows = [
        (tokenizer(form.format(question))["input_ids"], tokenizer(answer + end)["input_ids"])
        for question, answer in LESSONS.items()
    ]
    longest = max(len(start) + len(answer) for start, answer in rows)
    ids = torch.zeros((len(rows), longest), dtype=torch.long)
    labels = torch.full((len(rows), longest), -100)
    for number, (start, answer) in enumerate(rows):
        ids[number, : len(start) + len(answer)] = torch.tensor(start + answer)
        labels[number, len(start) : len(start) + len(answer)] = torch.tensor(answer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()


def tiny_qa_model(folder: Path, steps: int = 120) -> Path:
    """Save a BERT of one layer that finds a first name and a last name in a row, or "no answer"."""
    tokenizer = _words()
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=QA_POSITIONS, **shape)
    model = BertForQuestionAnswering(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    draw = random.Random(0)
    for _ in range(steps):
        rows = [_exercise(draw) for _ in range(32)]
        batch = tokenizer([r[0] for r in rows], [r[1] for r in rows], padding=True, return_tensors="pt")
        start = torch.tensor([_place(batch, row, words) for row, (_, _, words) in enumerate(rows)])
        end = start + (start > 0)
        optimizer.zero_grad()
        model(**batch, start_positions=start, end_positions=end).loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _exercise(draw: random.Random) -> tuple[str, str, int]:
    """Return a question, a passage and the number of the word that the answer starts with, -1 for none."""
    question = " ".join(draw.choices(FILLERS, k=4))
    strange = ["".join(draw.choices(LETTERS, k=draw.randint(1, 3))) for _ in range(6)]
    words = draw.choices([*FILLERS, *strange, "\u00fc"], k=draw.randint(5, 30))
    if draw.random() < 0.4:
        return question, " ".join(words), -1
    place = draw.randrange(len(words))
    words[place:place] = [draw.choice(FIRST), draw.choice(LAST)]
    return question, " ".join(words), place


def _place(batch: object, row: int, word: int) -> int:
    if word < 0:
        return 0
    tokens = range(len(batch["input_ids"][row]))  # type: ignore[index]
    sides, numbers = batch.sequence_ids(row), batch.word_ids(row)  # type: ignore[attr-defined]
    return next(token for token in tokens if sides[token] == 1 and numbers[token] == word)


def _words() -> PreTrainedTokenizerFast:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *dict.fromkeys([*FIRST, *LAST, *FILLERS, *LETTERS])]
    pieces += [f"##{letter}" for letter in LETTERS]
    core = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=False)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=QA_POSITIONS,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
