"""Reading each prompt once gives what reading it for every completion gives."""

from __future__ import annotations

import pytest
import torch
from rows import asked, mixture
from trl.trainer.utils import add_fused_lm_head

from fairreason.models.load import load
from fairreason.models.read import fields_of, is_plain
from fairreason.training.batches import Rows
from fairreason.training.rollout import Draw, _draw, sample
from fairreason.training.shared import groups, score


@pytest.fixture
def setting(taught):
    recipe = asked(taught)
    mixed = mixture(recipe, pictures="qwen3" not in str(taught))
    rows = Rows(load(str(taught)), mixed.examples, "on", keep=64)
    return rows, mixed.sampler.next_batch()


def draw(loaded, **changes):
    banned = [loaded.model.config.image_token_id] if loaded.is_vl else []
    return Draw(3, 16, 1.0, sorted(loaded.eos_ids), banned)._replace(**changes)


def sampled(rows, batch, draw):
    return sample(rows.loaded.model, [rows.prompt(row) for row in batch], draw)


def test_the_three_families_share_prompts(setting):
    assert is_plain(setting[0].loaded.model)


def test_the_coldest_samples_are_generate_s_greedy_ones(setting):
    rows, batch = setting
    loaded = rows.loaded
    cold = draw(loaded, copies=2, temperature=1e-6)
    found = sampled(rows, batch, cold)
    for k, row in enumerate(batch):
        inputs = rows.prompts([row])
        out = loaded.model.generate(
            **inputs, max_new_tokens=16, do_sample=False, suppress_tokens=list(cold.banned) or None
        )[0, inputs["input_ids"].shape[1] :].tolist()
        assert found[2 * k] == found[2 * k + 1] == out


def test_a_token_is_drawn_with_its_probability():
    """20,000 draws from (.5, .3, .2, banned): each share within four standard errors."""
    torch.manual_seed(0)
    logits = torch.tensor([0.5, 0.3, 0.2, 1.0]).log().expand(20_000, 4).clone()
    counts = torch.bincount(_draw(logits, Draw(1, 1, 1.0, (), (3,))), minlength=4) / 20_000
    assert counts.tolist() == pytest.approx([0.5, 0.3, 0.2, 0], abs=4 * 0.5 / 20_000**0.5) and counts[3] == 0


def test_scores_equal_those_of_every_completion_alone(setting):
    rows, batch = setting
    model = rows.loaded.model
    torch.manual_seed(1)
    found = sampled(rows, batch, draw(rows.loaded))
    assert len({len(ids) for ids in found}) > 1  # completions of several lengths, in rows of several widths
    each = [row for row in batch for _ in range(3)]
    ids, mask = torch.zeros(len(found), 16, dtype=torch.long), torch.zeros(len(found), 16, dtype=torch.long)
    for n, tokens in enumerate(found):
        ids[n, : len(tokens)], mask[n, : len(tokens)] = torch.tensor(tokens), 1
    mixed_up = torch.randperm(len(each))
    each, ids, mask = [each[i] for i in mixed_up.tolist()], ids[mixed_up], mask[mixed_up]
    expected = torch.zeros(ids.shape)
    for n, row in enumerate(each):
        inputs, length = rows.prompts([row]), int(mask[n].sum())
        full = torch.cat([inputs["input_ids"], ids[n : n + 1, :length]], dim=1)
        fields = fields_of(inputs)
        if "mm_token_type_ids" in fields:
            fields["mm_token_type_ids"] = torch.nn.functional.pad(fields["mm_token_type_ids"], (0, length))
        with torch.no_grad():
            logits = model(input_ids=full, attention_mask=torch.ones_like(full), **fields).logits
        logps = logits[0, -length - 1 : -1].log_softmax(-1)
        expected[n, :length] = logps.gather(1, ids[n, :length, None])[:, 0]
    add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    grouped = groups(each, ids, mask, lambda row: rows.prompt(row).input_ids)
    logps, entropies = score(model, grouped, tuple(ids.shape), rows.prompts)
    assert torch.allclose(logps, expected, atol=1e-4)
    assert entropies is not None and (entropies[mask == 0] == 0).all() and (entropies >= 0).all()
