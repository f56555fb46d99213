"""The optimizer of the lab's courses: the rates that stand in its groups are those that it steps with."""

import torch
from torch import nn

from fairreason.lab.optimizer import MuonAdamW


def stepped(rate):
    """A layer's parameters before and after a step at this rate, set as a trainer sets it."""
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))
    optimizer = MuonAdamW(layer, 1e-2)
    optimizer.load_state_dict(optimizer.state_dict())  # as accelerate does when it prepares an optimizer
    for group in optimizer.param_groups:
        group["lr"] = rate
    before = [parameter.clone() for parameter in layer.parameters()]
    layer(torch.randn(8, 4)).square().sum().backward()
    optimizer.step()
    return list(zip(before, layer.parameters(), strict=True))


def test_it_steps_with_the_rate_that_a_scheduler_sets_after_a_trainer_has_prepared_it():
    assert all(torch.equal(before, after) for before, after in stepped(0.0))
    assert not any(torch.equal(before, after) for before, after in stepped(1e-2)[:2])
