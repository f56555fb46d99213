"""One tokenization for everybody: evaluation, training and teachers ask and answer in exactly the same tokens.

A prompt is the chat template around one user turn (pictures first, then the text). The template is rendered with a mark
in the place of the text, cut there, and the text's own tokens are put in between, so nothing that a question says can
become a control token or a picture slot (law 8). For ordinary text the tokens equal those of
`processor.apply_chat_template` (tests/models/test_encode.py).

    <|im_start|>user\n<|vision_start|><|image_pad|>...<|vision_end|>  TEXT  <|im_end|>\n<|im_start|>assistant\n
    `---------------------- head, by the processor -----------------'        `-------------- tail -------------'

Completion: `<think>\n{reasoning}\n</think>\n\n{answer}`; the tail may already hold `<think>\n`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import torch

from fairreason.errors import ModelError

if TYPE_CHECKING:
    from PIL.Image import Image

    from fairreason.models.load import Loaded

Thinking = Literal["on", "off"]
MARK = "\ue0a1the text\ue0a2"  # private-use characters: no template and no question has them
THINK, END_THINK = "<think>", "</think>"
TOKEN_FIELDS = ("mm_token_type_ids", "token_type_ids")  # one number a token; every other field belongs to the pictures


@dataclass(frozen=True)
class Encoded:
    """One row: its tokens, and its fields. Token fields are 1-D over the prompt, picture fields have the pictures' own
    first axis (patches, pictures or tiles) and are joined along it."""

    input_ids: list[int]
    fields: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def plus(self, ids: Sequence[int]) -> Encoded:
        """The row with more tokens behind it, such as a completion."""
        return Encoded([*self.input_ids, *ids], self.fields)


def encode_prompt(loaded: Loaded, text: str, images: list[Image], thinking: Thinking) -> Encoded:
    """One prompt as tokens and picture fields."""
    if images and not loaded.is_vl:
        raise ModelError(f"{loaded.name}: takes no pictures, but the question has {len(images)}")
    head, tail = _frame(loaded.processor, loaded.is_vl, len(images), thinking)
    middle = encode_text(loaded, text) + _ids(loaded.tokenizer, tail)
    if not images:
        return Encoded([*_head_ids(loaded.processor, loaded.is_vl, head), *middle])
    fields = dict(
        loaded.processor(text=[head], images=images, return_tensors="pt", **_specials(loaded.processor, head))
    )
    ids = fields.pop("input_ids")[0].tolist()
    fields.pop("attention_mask", None)
    for name in TOKEN_FIELDS:
        if name in fields:
            fields[name] = torch.cat([fields[name][0], fields[name].new_zeros(len(middle))])
    return Encoded(ids + middle, fields)


def slot_ids(loaded: Loaded, text: str, pictures: int, thinking: Thinking) -> list[int]:
    """One prompt's tokens with a single slot a picture, for engines that widen it to the picture's size themselves."""
    if pictures and not loaded.is_vl:
        raise ModelError(f"{loaded.name}: takes no pictures, but the question has {pictures}")
    head, tail = _frame(loaded.processor, loaded.is_vl, pictures, thinking)
    return [*_head_ids(loaded.processor, loaded.is_vl, head), *encode_text(loaded, text), *_ids(loaded.tokenizer, tail)]


def encode_text(loaded: Loaded, text: str) -> list[int]:
    """A text's tokens, where everything that looks like a control token stays text."""
    pieces = _apart(text, _control_tokens(loaded.tokenizer))
    return [token for piece in pieces for token in _ids(loaded.tokenizer, piece)]


def encode_completion(loaded: Loaded, text: str) -> list[int]:
    """A completion's tokens with the end of turn. The think tags stay what they are in this vocabulary (one token or
    several); every other control token in it stays text."""
    tags = set(_control_tokens(loaded.tokenizer)) & {THINK, END_THINK}
    parts = re.split("(" + "|".join(map(re.escape, sorted(tags))) + ")", text) if tags else [text]
    ids: list[int] = []
    for part in parts:
        ids += [loaded.tokenizer.convert_tokens_to_ids(part)] if part in tags else encode_text(loaded, part)
    return [*ids, end_of_turn(loaded)]


def end_of_turn(loaded: Loaded) -> int:
    """The token that ends the assistant's turn: the tokenizer's eos."""
    eos = loaded.tokenizer.eos_token_id
    if eos is None:
        raise ModelError(f"{loaded.name}: its tokenizer has no end-of-text token")
    return eos


def next_token(loaded: Loaded, text: str, thinking: Thinking) -> int | None:
    """The one token that `text` is right behind a prompt; None where it is several, or merges with the prompt's end."""
    tail = _frame(loaded.processor, loaded.is_vl, 0, thinking)[1]
    before, ids = _ids(loaded.tokenizer, tail), _ids(loaded.tokenizer, tail + text)
    return ids[-1] if ids[:-1] == before else None


def prompt_ends_in_think(loaded: Loaded, thinking: Thinking) -> bool:
    """Whether the generation prompt has opened the thinking part, so that a completion starts inside it."""
    tail = _frame(loaded.processor, loaded.is_vl, 0, thinking)[1]
    return THINK in tail and END_THINK not in tail.rpartition(THINK)[2]


def completion_text(reasoning: str | None, answer: str, prompt_ends_in_think: bool, thinking: Thinking) -> str:
    """The completion in the frame that the template dictates. With thinking off the reasoning stands before the answer
    without tags; think tags inside either are written apart, since they would end the frame early.

    >>> completion_text("2 + 2 = 4", "4", False, "on")
    '<think>\\n2 + 2 = 4\\n</think>\\n\\n4'
    >>> completion_text("", "B", True, "on")
    '\\n</think>\\n\\nB'
    """
    reasoning, answer = _plain(reasoning or ""), _plain(answer)
    if thinking == "off":
        return f"{reasoning}\n\n{answer}" if reasoning else answer
    opened = "" if prompt_ends_in_think else f"{THINK}\n"
    return f"{opened}{reasoning}\n{END_THINK}\n\n{answer}"


def decode(loaded: Loaded, ids: Sequence[int]) -> str:
    """The text of generated tokens: control tokens left out, think tags kept as text even where they are special."""
    hidden = _hidden_ids(loaded.tokenizer)
    kept = [i for i in ids if i not in hidden]
    return loaded.tokenizer.decode(kept, skip_special_tokens=False, clean_up_tokenization_spaces=False)


def collate(rows: Sequence[Encoded], pad_id: int, side: Literal["left", "right"] = "left") -> dict[str, torch.Tensor]:
    """Rows as one batch: `input_ids`, `attention_mask` (both rows x longest), token fields padded with 0, picture
    fields joined in row order. Rows with and without pictures may be mixed."""
    width = max(len(row.input_ids) for row in rows)
    batch = {"input_ids": _padded([row.input_ids for row in rows], width, pad_id, side)}
    batch["attention_mask"] = _padded([[1] * len(row.input_ids) for row in rows], width, 0, side)
    for name in dict.fromkeys(name for row in rows for name in row.fields):
        if name in TOKEN_FIELDS:
            numbers = [row.fields[name].tolist() if name in row.fields else [] for row in rows]
            whole = [n + [0] * (len(row.input_ids) - len(n)) for n, row in zip(numbers, rows, strict=True)]
            batch[name] = _padded(whole, width, 0, side)
        else:
            batch[name] = torch.cat([row.fields[name] for row in rows if name in row.fields])
    return batch


def _padded(rows: list[list[int]], width: int, fill: int, side: str) -> torch.Tensor:
    pads = [[fill] * (width - len(row)) for row in rows]
    return torch.tensor([p + r if side == "left" else r + p for p, r in zip(pads, rows, strict=True)], dtype=torch.long)


@functools.lru_cache(maxsize=64)
def _frame(processor: Any, is_vl: bool, pictures: int, thinking: Thinking) -> tuple[str, str]:
    """The rendered template before and after the user's text."""
    slots = [{"type": "image"}] * pictures
    content: Any = [*slots, {"type": "text", "text": MARK}] if is_vl else MARK
    rendered = processor.apply_chat_template(
        [{"role": "user", "content": content}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=thinking == "on",
    )
    if rendered.count(MARK) != 1:
        raise ModelError("the model's chat template does not write the user's text exactly once")
    head, _, tail = rendered.partition(MARK)
    return head, tail


@functools.lru_cache(maxsize=64)
def _head_ids(processor: Any, is_vl: bool, head: str) -> tuple[int, ...]:
    tokenizer = getattr(processor, "tokenizer", processor)
    specials = _specials(processor, head) if is_vl else {"add_special_tokens": False}
    return tuple(tokenizer(head, **specials)["input_ids"])


def _specials(processor: Any, head: str) -> dict[str, bool]:
    """As `ProcessorMixin.apply_chat_template` decides: no second beginning-of-text token."""
    bos = getattr(processor, "tokenizer", processor).bos_token
    return {"add_special_tokens": False} if bos is not None and head.startswith(bos) else {}


def _ids(tokenizer: Any, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False)["input_ids"] if text else []


@functools.lru_cache(maxsize=8)
def _control_tokens(tokenizer: Any) -> tuple[str, ...]:
    """Special tokens and added tokens of the shape <...>: what must not be readable in a text. Longest first."""
    added = tokenizer.added_tokens_decoder.values()
    tokens = {t.content for t in added if t.special or re.fullmatch(r"<\S+>", t.content)}
    return tuple(sorted(tokens | set(tokenizer.all_special_tokens), key=lambda t: (-len(t), t)))


@functools.lru_cache(maxsize=8)
def _hidden_ids(tokenizer: Any) -> frozenset[int]:
    tags = {tokenizer.convert_tokens_to_ids(tag) for tag in (THINK, END_THINK)}
    return frozenset(tokenizer.all_special_ids) - tags


def _apart(text: str, tokens: Sequence[str]) -> list[str]:
    """The text in pieces none of which holds one of the tokens: each is cut behind its first character.

    >>> _apart("a<eos>b", ["<eos>"])
    ['a<', 'eos>b']
    """
    pieces, start = [], 0
    pattern = re.compile("|".join(map(re.escape, tokens))) if tokens else None
    while pattern is not None and (match := pattern.search(text, start)):
        pieces.append(text[start : match.start() + 1])
        start = match.start() + 1
    return [*pieces, text[start:]]


def _plain(text: str) -> str:
    return text.replace(THINK, "< think>").replace(END_THINK, "</ think>").strip()
