"""A checkpoint made ready to run: its network, tokenizer and where they compute."""

import logging
from dataclasses import dataclass, field

import torch
from torch import nn

from subwhisper.engine.device import Placement, lack_of_memory, place
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.errors import ModelError
from subwhisper.model import catalog
from subwhisper.model.checkpoints import Checkpoint
from subwhisper.model.compiled.decoder import CompiledDecoder, can_compile, matrix_shapes
from subwhisper.model.compiled.packing import Shelf
from subwhisper.model.few_rows import suit_few_rows
from subwhisper.model.fusion import fuse, shorten
from subwhisper.model.graphs import recording
from subwhisper.model.quantization import quantize
from subwhisper.model.tiles import TiledEncoder, multiplies_tiles
from subwhisper.model.whisper import Whisper, sinusoids

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class SpeechModel:
    """Everything of a model that a recording needs; only where and how precisely it computes may change."""

    name: str
    fingerprint: str
    """Of the weights, see `model.fingerprint`."""
    placement: Placement
    network: Whisper
    tokenizer: Tokenizer
    alignment_heads: tuple[tuple[int, int], ...]
    suppress_tokens: tuple[int, ...] | None
    """The checkpoint's own list of tokens never to write, if it has one."""
    checkpoint: Checkpoint
    """Where the weights come from, should they be needed again in another precision."""
    intended: Placement = field(init=False)
    """Where it was to compute when it was built."""

    def __post_init__(self) -> None:
        self.intended = self.placement

    @classmethod
    def build(cls, checkpoint: Checkpoint, *, device: str = "auto", compute: str = "auto") -> "SpeechModel":
        """Put a checkpoint on a device, in a precision; see `Transcriber` for both.

        Where there is too little memory for that, it is put where it needs less.

        Raises:
            OptionError: no such device or precision.
            ModelError: the checkpoint's tensors do not fit its dimensions, or there is not enough memory at all.
        """
        intended = place(device, compute)
        network, placement = _placed(checkpoint, intended)
        model = cls(
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
            checkpoint=checkpoint,
        )
        model.intended = intended
        return model

    def move(self, placement: Placement) -> None:
        """Compute elsewhere, or in a smaller precision, from now on; whoever holds the network holds the same one."""
        network = self.network
        network.encoder = network.decoder = nn.Module()  # type: ignore[assignment]  # their memory is needed
        self.placement = placement
        fresh = ready(_network(self.checkpoint), placement, self.fingerprint)
        network.encoder, network.decoder = fresh.encoder, fresh.decoder

    def restore(self) -> None:
        """Build the layers again if they were lost because there was no memory left to move them."""
        if type(self.network.encoder) is nn.Module:
            self.move(self.placement)

    @property
    def window_frames(self) -> int:
        """Mel frames that the network hears at once: 3000 (30 s) for Whisper's own."""
        return self.network.dims.n_frames

    @property
    def can_translate(self) -> bool:
        """Whether the model was trained to put other languages into English."""
        entry = catalog.known(self.name)
        return self.tokenizer.can_translate and (entry is None or entry.can_translate)


def ready(network: Whisper, placement: Placement, fingerprint: str = "") -> Whisper:
    """A network of plain layers where it will run, with those that are quickest there; changed in place.

    Args:
        network: still on the processor.
        placement: where it will run, and in which precision.
        fingerprint: SHA-256 of its weights, by which those in 8 bits are found again; empty where nobody knows it.
    """
    fuse(network.encoder)
    is_whole = placement.compute == "int8"
    in_tiles = is_whole and placement.device.type == "cpu" and multiplies_tiles()
    steps_in_c = placement.device.type == "cpu" and placement.dtype == torch.float32 and can_compile(network.decoder)
    if steps_in_c:
        network.decoder = _in_8_bits(network, fingerprint) if is_whole else CompiledDecoder(network.decoder, int8=False)
    else:
        fuse(network.decoder)
    if is_whole:
        network.float()
        quantize(network.decoder if in_tiles else network, placement.device)
    elif placement.compute == "float32" and placement.device.type == "cpu":
        network.float()
        suit_few_rows(network)
    network.to(placement.device, placement.dtype)
    if in_tiles:
        network.encoder = TiledEncoder(network.encoder)
    if not steps_in_c:
        shorten(network)
    network.decoder = recording(network.decoder, placement.device)
    return network


def _in_8_bits(network: Whisper, fingerprint: str) -> CompiledDecoder:
    """The decoder in C, with the matrices of an earlier process where they were kept."""
    shelf = Shelf.of(fingerprint, matrix_shapes(network.decoder))
    known = shelf.read() if shelf else {}
    decoder = CompiledDecoder(network.decoder, int8=True, packed=known)
    if shelf and not known:
        shelf.keep(decoder.matrices)
    return decoder


def _placed(checkpoint: Checkpoint, intended: Placement) -> tuple[Whisper, Placement]:
    """The network ready to run, and where there was memory for it."""
    placement: Placement = intended
    while True:
        try:
            return ready(_network(checkpoint), placement, checkpoint.fingerprint), placement
        except (MemoryError, RuntimeError) as error:
            complaint = lack_of_memory(error)
            if complaint is None:
                raise
        lighter = placement.lighter()
        if lighter is None:
            hint = "use a smaller model, or close other programs"
            raise ModelError(f"there is not enough memory for the model {checkpoint.name}: {complaint}", hint=hint)
        _log.info("no memory for %s in %s, so %s is tried (%s)", checkpoint.name, placement, lighter, complaint)
        placement = lighter


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
