"""Builds the tiny models of tests/conftest.py: real configs, processors and chat templates, random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GotOcr2ImageProcessor,
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLProcessor,
    InternVLVideoProcessor,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    Qwen3Config,
    Qwen3ForCausalLM,
)

TEXT = [
    "Who is left-handed? A. the baker B. the farmer C. cannot be determined",
    "Tom has 12 apples and buys 30 more. How many apples does he have? 12 + 30 = 42",
    "The answer is \\boxed{B}. not enough information, undetermined, unknown",
]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
QWEN_VL = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
INTERNVL = ["<img>", "</img>", "<IMG_CONTEXT>", "<video>"]

# The three families' own templates, without tools, system turns and history.
PIECES = """{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}
{%- if part.type == 'image' %}IMAGE{% elif part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endif -%}
<|im_end|>
{% endfor -%}
{%- if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and enable_thinking is false %}<think>

</think>

{% endif %}{% endif -%}"""


def tokenizer(extra: list[str], think_tokens: bool, **named: str) -> PreTrainedTokenizerFast:
    """A byte-level BPE of about 400 tokens. `named` are special tokens that a processor asks for by name."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL + extra,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(TEXT, trainer)
    if think_tokens:
        backend.add_tokens([AddedToken(tag, special=False) for tag in ("<think>", "</think>")])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=named or ["<|im_start|>", *extra],
    )


def text_config(size: int) -> dict:
    return {
        "vocab_size": size,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 2048,
        "initializer_range": 0.2,  # ten times the usual: answers that differ from prompt to prompt
        "tie_word_embeddings": True,
    }


def build_qwen3(folder: Path) -> Path:
    words = tokenizer([], think_tokens=True)
    words.chat_template = PIECES
    torch.manual_seed(0)
    model = Qwen3ForCausalLM(Qwen3Config(**text_config(len(words)), head_dim=16))
    return save(folder, model, words)


def build_qwen2_5_vl(folder: Path) -> Path:
    words = tokenizer(QWEN_VL, think_tokens=True)
    ids = words.convert_tokens_to_ids
    config = Qwen2_5_VLConfig(
        text_config={
            **text_config(len(words)),
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10_000.0},
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 32,
            "window_size": 56,
            "fullatt_block_indexes": [1],
        },
        image_token_id=ids("<|image_pad|>"),
        video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"),
        vision_end_token_id=ids("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    size = {"shortest_edge": 56 * 56, "longest_edge": 112 * 112}
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size),
        tokenizer=words,
        video_processor=Qwen2VLVideoProcessor(size=size),
        chat_template=PIECES.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>"),
    )
    torch.manual_seed(0)
    return save(folder, Qwen2_5_VLForConditionalGeneration(config), processor)


def build_internvl(folder: Path) -> Path:
    words = tokenizer(
        INTERNVL,
        think_tokens=False,  # as in InternVL3: the tags are ordinary text of several tokens
        start_image_token="<img>",
        end_image_token="</img>",
        context_image_token="<IMG_CONTEXT>",
        video_token="<video>",
    )
    config = InternVLConfig(
        text_config={**text_config(len(words)), "model_type": "qwen2"},
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": [56, 56],
            "patch_size": [14, 14],
        },
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        downsample_ratio=0.5,
        tie_word_embeddings=True,
    )
    size = {"height": 56, "width": 56}
    processor = InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=size, crop_to_patches=True, max_patches=2),
        tokenizer=words,
        video_processor=InternVLVideoProcessor(size=size),
        image_seq_length=4,
        chat_template=PIECES.replace("IMAGE", "<IMG_CONTEXT>\n"),
    )
    torch.manual_seed(0)
    return save(folder, InternVLForConditionalGeneration(config), processor)


def save(folder: Path, model, processor) -> Path:
    words = getattr(processor, "tokenizer", processor)
    model.generation_config.eos_token_id = words.eos_token_id
    model.generation_config.pad_token_id = words.pad_token_id
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
