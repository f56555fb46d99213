"""The lab's models before they are taught: a Qwen2.5-VL of 1.2 million parameters, tokenizer, picture processor.

All with transformers' own classes; 84x84 pictures become nine tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)

from fairreason.benchmarks.base import answer_text, prompt_text
from fairreason.lab import tokenizer as tokens
from fairreason.lab.lessons import KINDS, Curriculum, Lessons
from fairreason.models.encode import completion_text
from fairreason.world.drawing import SIDE

HIDDEN, LAYERS, PATCH = 128, 4, 14


def new_model(tokenizer: Any) -> Qwen2_5_VLForConditionalGeneration:
    """An untrained Qwen2.5-VL for this tokenizer, about 1.2 million parameters."""
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in tokens.SPECIAL}
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": HIDDEN,
        "intermediate_size": 3 * HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
        "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [4, 6, 6]},
        "bos_token_id": None,
        "eos_token_id": ids[tokens.IM_END],
        "pad_token_id": ids[tokens.END_OF_TEXT],
    }
    vision = {
        "depth": 2,
        "hidden_size": HIDDEN // 2,
        "intermediate_size": 3 * HIDDEN // 2,
        "num_heads": 4,
        "out_hidden_size": HIDDEN,
        "patch_size": PATCH,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "window_size": SIDE,
        "fullatt_block_indexes": [0, 1],
    }
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=ids[tokens.IMAGE_PAD],
        video_token_id=ids[tokens.VIDEO_PAD],
        vision_start_token_id=ids[tokens.VISION_START],
        vision_end_token_id=ids[tokens.VISION_END],
        tie_word_embeddings=True,
    )
    return Qwen2_5_VLForConditionalGeneration(config)


def new_processor() -> Qwen2_5_VLProcessor:
    """Tokenizer, picture processor and chat template, the tokenizer trained on a few thousand lessons."""
    tokenizer = tokens.train(_sentences())
    pixels = {"shortest_edge": SIDE * SIDE // 4, "longest_edge": SIDE * SIDE}
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=PATCH, merge_size=2, temporal_patch_size=2, size=pixels),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=tokens.CHAT_TEMPLATE,
    )


def _sentences() -> Iterator[str]:
    everyone = {"stereotype": 0.4, "anti": 0.2, "unknown": 0.4}
    for lesson in Lessons(Curriculum(dict.fromkeys(KINDS, 1.0), everyone), 14_000, "tokenizer"):
        yield prompt_text(lesson) + completion_text(lesson.trace, answer_text(lesson), False, "on")
