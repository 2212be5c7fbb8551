"""The numbers that fix the shape of a Whisper network."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from subwhisper.errors import ModelError

_LARGEST = 1_000_000
_MOST_LAYERS, _MOST_POSITIONS = 1000, 100_000  # what no file need hold may not be claimed without limit


@dataclass(frozen=True, slots=True)
class ModelDims:
    """Shape of one Whisper network, under the names OpenAI's checkpoints use."""

    n_mels: int
    n_audio_ctx: int
    """Encoder positions of a full window, 20 ms each."""
    n_audio_state: int
    n_audio_head: int
    n_audio_layer: int
    n_vocab: int
    n_text_ctx: int
    n_text_state: int
    n_text_head: int
    n_text_layer: int

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            largest = _MOST_LAYERS if name.endswith("layer") else _MOST_POSITIONS if name.endswith("ctx") else _LARGEST
            if type(value) is not int or not 0 < value <= largest:
                raise ModelError(f"{name} must be a positive whole number up to {largest:,}, got {value!r}")
        for side in ("audio", "text"):
            width, heads = getattr(self, f"n_{side}_state"), getattr(self, f"n_{side}_head")
            if width % heads:
                raise ModelError(f"n_{side}_state ({width}) is not a multiple of n_{side}_head ({heads})")
        if self.n_audio_state != self.n_text_state:
            raise ModelError(f"encoder width {self.n_audio_state} differs from decoder width {self.n_text_state}")

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> "ModelDims":
        """Build from a checkpoint's own table; extra names are ignored, missing ones are an error."""
        missing = [f.name for f in fields(cls) if f.name not in values]
        if missing:
            raise ModelError(f"the checkpoint does not state {', '.join(missing)}")
        return cls(**{f.name: values[f.name] for f in fields(cls)})  # type: ignore[arg-type]  # checked in __post_init__

    @property
    def n_frames(self) -> int:
        """Mel frames of a full window: two per encoder position."""
        return 2 * self.n_audio_ctx

    @property
    def upper_half_heads(self) -> tuple[tuple[int, int], ...]:
        """(layer, head) of every head in the upper half of the decoder: the default alignment heads."""
        first = self.n_text_layer // 2
        return tuple((layer, head) for layer in range(first, self.n_text_layer) for head in range(self.n_text_head))
