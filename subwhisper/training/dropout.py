"""Channels of the network that are left out at random while it learns, so that no few of them know a voice by heart.

Source: Tompson et al. 2015, Efficient object localization using convolutional networks, arXiv:1411.4280: neighbouring
positions are so alike that a number left out is read off the next one, so a channel is left out at all positions.
It also costs a tenth of drawing every number for itself.
"""

from typing import Any

from torch import Tensor, nn

from subwhisper.model.whisper import DecoderBlock, EncoderBlock, Whisper


def leave_out(network: Whisper, share: float) -> None:
    """Have every branch of every block lose a share of its channels, other ones in each row, in training mode only.

    Args:
        network: changes; what it exports does not.
        share: 0 to 1.
    """

    def lose(module: nn.Module, _: Any, heard: Tensor) -> Tensor:
        """(B, T, D) without some of its D channels."""
        if not module.training or not share:
            return heard
        kept = heard.new_empty(heard.shape[0], 1, heard.shape[2]).bernoulli_(1 - share) / (1 - share)
        return heard * kept

    for block in network.modules():
        if isinstance(block, EncoderBlock | DecoderBlock):
            for branch in (block.attn, getattr(block, "cross_attn", None), block.mlp):
                if isinstance(branch, nn.Module):
                    branch.register_forward_hook(lose)
