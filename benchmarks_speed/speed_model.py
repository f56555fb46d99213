"""The model of evaluation.py: a Qwen3 of 29.5 M parameters with 32,000 tokens, taught some minutes to end its answers.

That teaches no English, so what it learns to say is a recitation, a fixed row of words. To a word problem it says
the last 64, 112, 144 or 192 of them, by whether money and time occur in it, and a number in a box; to BBQ a letter by
category and 64 words. So the prompts are real, an answer ends after as many tokens as a real one might, and what it
says hangs on the question.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn.functional import cross_entropy
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from fairreason.benchmarks.base import prompt_text
from fairreason.benchmarks.bbq import CATEGORIES
from fairreason.records import Example

VOCABULARY = 32_000
RATE = 2e-3
LONGEST = 192
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def build(folder: Path, examples: Sequence[Example], steps: int) -> None:
    """A model folder taught on these examples."""
    torch.manual_seed(0)
    words = _tokenizer([text for row in examples for text in (prompt_text(row), row.solution or "")])
    pairs = [(prompt_text(row), reply(row, words)) for row in examples]
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=VOCABULARY,
            hidden_size=384,
            intermediate_size=1_152,
            num_hidden_layers=10,
            num_attention_heads=6,
            num_key_value_heads=2,
            head_dim=64,
            max_position_embeddings=2_048,
            tie_word_embeddings=True,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
        )
    )
    _teach(model, words, pairs, steps)
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = words.eos_token_id, words.pad_token_id
    model.save_pretrained(folder)
    words.save_pretrained(folder)


def reply(example: Example, words: PreTrainedTokenizerFast) -> str:
    """What the model is taught to answer."""
    if example.options:
        category = example.id.split("/")[1]
        return f"{'ABC'[sorted(CATEGORIES).index(category) % 3]}. {' '.join(recitation(words)[-64:])}"
    money = "$" in example.prompt
    times = any(word in example.prompt for word in ("minute", "hour", "day", "week"))
    return f"{' '.join(recitation(words)[-16 * (4 + 3 * money + 5 * times) :])} \\boxed{{{example.answer}}}"


@lru_cache(maxsize=1)
def recitation(words: PreTrainedTokenizerFast) -> list[str]:
    """The fixed row of words, each one token behind a space."""
    known = sorted(words.get_vocab().items(), key=lambda item: item[1])
    return [token[1:] for token, _ in known if token[:1] == "Ġ" and token[1:].isalpha() and len(token) > 4][:LONGEST]


def rendered(prompt: str) -> str:
    """A prompt as the model reads it."""
    return f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"


def _tokenizer(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(texts, trainer)
    words = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=["<|im_start|>"],
    )
    words.chat_template = TEMPLATE
    return words


def _teach(
    model: Qwen3ForCausalLM, words: PreTrainedTokenizerFast, pairs: Sequence[tuple[str, str]], steps: int
) -> None:
    """AdamW, the rate falling to 0. A step has two whole replies, from which it learns to go on and to end, and twelve
    of which it learns the first token only, which says what the answer is and how long: ten to word problems."""
    problems = [pair for pair in pairs if "boxed" in pair[1]]
    rng, optimizer = random.Random(0), torch.optim.AdamW(model.parameters(), lr=1.0, betas=(0.9, 0.95))
    since = time.perf_counter()
    model.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 10) * (1 - step / steps)
        chosen = rng.sample(pairs, 4) + rng.sample(problems, 10)
        rows = [(words(rendered(p))["input_ids"], words(r)["input_ids"]) for p, r in chosen]
        whole = _loss(model, [(prompt, [*answer, words.eos_token_id]) for prompt, answer in rows[:2]])
        first = _loss(model, [(prompt, answer[:1]) for prompt, answer in rows[2:]])
        (whole + 0.5 * first).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % 20 == 19:
            spent = time.perf_counter() - since
            print(
                f"taught {step + 1} steps in {spent:.0f} s, loss {whole.item():.2f}, first {first.item():.2f}",
                flush=True,
            )
    model.eval()


def _loss(model: Qwen3ForCausalLM, rows: Sequence[tuple[list[int], list[int]]]) -> torch.Tensor:
    """The mean cross-entropy of the answers' tokens behind their prompts, padded on the right."""
    width = max(len(prompt) + len(answer) for prompt, answer in rows)
    ids, labels = torch.zeros(len(rows), width, dtype=torch.long), torch.full((len(rows), width), -100)
    for r, (prompt, answer) in enumerate(rows):
        end = len(prompt) + len(answer)
        ids[r, :end] = torch.tensor(prompt + answer)
        labels[r, len(prompt) - 1 : end - 1] = torch.tensor(answer)
    hidden = model.model(input_ids=ids).last_hidden_state[labels != -100]
    return cross_entropy(model.lm_head(hidden), labels[labels != -100])
