"""A checkpoint made ready to run: its network, tokenizer and where they compute."""

from dataclasses import dataclass, field

import torch

from subwhisper.engine.device import Placement, place
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.errors import ModelError
from subwhisper.model import catalog
from subwhisper.model.checkpoints import Checkpoint
from subwhisper.model.few_rows import suit_few_rows
from subwhisper.model.fusion import fuse
from subwhisper.model.quantization import quantize
from subwhisper.model.whisper import Whisper, sinusoids


@dataclass(slots=True, eq=False)
class SpeechModel:
    """Everything of a model that a recording needs; only where and how precisely it computes may change."""

    name: str
    fingerprint: str
    """SHA-256 of the weights' file."""
    placement: Placement
    network: Whisper
    tokenizer: Tokenizer
    alignment_heads: tuple[tuple[int, int], ...]
    suppress_tokens: tuple[int, ...] | None
    """The checkpoint's own list of tokens never to write, if it has one."""
    intended: Placement = field(init=False)
    """Where it was to compute when it was built."""

    def __post_init__(self) -> None:
        self.intended = self.placement

    @classmethod
    def build(cls, checkpoint: Checkpoint, *, device: str = "auto", compute: str = "auto") -> "SpeechModel":
        """Put a checkpoint on a device, in a precision; see `Transcriber` for both.

        Raises:
            OptionError: no such device or precision.
            ModelError: the checkpoint's tensors do not fit its dimensions.
        """
        placement = place(device, compute)
        network = _network(checkpoint)
        fuse(network)
        if placement.compute == "int8":
            network.float()
            quantize(network, placement.device)
        elif placement.compute == "float32" and placement.device.type == "cpu":
            network.float()
            suit_few_rows(network)
        network.to(placement.device, placement.dtype)
        return cls(
            name=checkpoint.name,
            fingerprint=checkpoint.fingerprint,
            placement=placement,
            network=network,
            tokenizer=Tokenizer(
                checkpoint.vocabulary,
                is_multilingual=checkpoint.is_multilingual,
                reads_prompts=checkpoint.reads_prompts,
            ),
            alignment_heads=checkpoint.alignment_heads,
            suppress_tokens=checkpoint.suppress_tokens,
        )

    def move(self, placement: Placement) -> None:
        """Compute elsewhere, or in a smaller precision, from now on; whoever holds the network holds the same one."""
        if placement.compute == "int8" and self.placement.compute != "int8":
            quantize(self.network, placement.device)
        self.network.to(placement.device, placement.dtype)
        self.placement = placement

    @property
    def window_frames(self) -> int:
        """Mel frames that the network hears at once: 3000 (30 s) for Whisper's own."""
        return self.network.dims.n_frames

    @property
    def can_translate(self) -> bool:
        """Whether the model was trained to put other languages into English."""
        entry = catalog.known(self.name)
        return self.tokenizer.can_translate and (entry is None or entry.can_translate)


def _network(checkpoint: Checkpoint) -> Whisper:
    """The network with its weights still where the checkpoint has them: nothing is copied yet."""
    tensors = dict(checkpoint.tensors)
    dims = checkpoint.dims
    positions = "encoder.positional_embedding"  # a formula; some checkpoints leave it out
    tensors.setdefault(positions, sinusoids(dims.n_audio_ctx, dims.n_audio_state))
    with torch.device("meta"):
        model = Whisper(dims)
    try:
        model.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise ModelError(f"the weights of {checkpoint.name} do not fit a Whisper network: {error}") from error
    return model.eval().requires_grad_(False)
