"""Weights in ggml's small blocks: 32 numbers that share one scale, and in some types one offset.

Source: the formats of ggml (https://github.com/ggml-org/ggml), quantisation version 2. A block begins with its scale
(float16), then its smallest value (float16, types ending in 1), the fifth bits of its codes (32 of them, five-bit
types), and the codes: bytes, or half-bytes of which the lower halves are the first 16 numbers. Types ending in 0
count from the middle of their range, types ending in 1 from its bottom.

Shapes: N blocks, B = 32 numbers of a block.
"""

from dataclasses import dataclass

import numpy as np

BLOCK = 32
"""Numbers in a block."""

Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

_AT_ONCE = 2**17  # blocks worked on together: 16 MB of float32, so that memory stays small beside the weights


@dataclass(frozen=True, slots=True)
class BlockType:
    """One way to store 32 numbers."""

    name: str
    bits: int
    """Of each code: 4, 5 or 8."""
    has_offset: bool

    @property
    def n_bytes(self) -> int:
        """Size of one block."""
        return 2 + 2 * self.has_offset + BLOCK * self.bits // 8

    @property
    def middle(self) -> int:
        """The code that stands for zero, where there is no offset."""
        return 0 if self.bits == 8 or self.has_offset else 2 ** (self.bits - 1)

    def decode(self, stored: Bytes) -> Floats:
        """Bytes of whole blocks to (N * 32,) numbers, exactly as ggml does."""
        blocks = stored.reshape(-1, self.n_bytes)
        numbers = np.empty((len(blocks), BLOCK), np.float32)
        for first in range(0, len(blocks), _AT_ONCE):
            part = blocks[first : first + _AT_ONCE]
            numbers[first : first + _AT_ONCE] = self._decoded(part)
        return numbers.reshape(-1)

    def encode(self, numbers: Floats) -> Bytes:
        """Encode (N * 32,) finite numbers as bytes, each code the one ggml's own quantiser takes.

        Numbers beyond what float16 scales can hold come out infinite.
        """
        rows = numbers.reshape(-1, BLOCK)
        stored = np.empty((len(rows), self.n_bytes), np.uint8)
        for first in range(0, len(rows), _AT_ONCE):
            part = rows[first : first + _AT_ONCE]
            stored[first : first + _AT_ONCE] = self._encoded(part)
        return stored.reshape(-1)

    def _decoded(self, blocks: Bytes) -> Floats:
        """(N, n_bytes) -> (N, 32)."""
        scale = _half(blocks, 0)
        rest = blocks[:, 2:]
        if self.bits == 8:
            return scale * np.ascontiguousarray(rest).view(np.int8)
        offset = _half(blocks, 2) if self.has_offset else 0
        rest = rest[:, 2 * self.has_offset :]
        codes = _joined(rest[:, -16:])
        if self.bits == 5:
            codes |= np.unpackbits(rest[:, :4], axis=1, bitorder="little") << 4
        decoded = (codes.astype(np.float32) - np.float32(self.middle)) * scale
        return decoded + offset

    def _encoded(self, rows: Floats) -> Bytes:
        """(N, 32) -> (N, n_bytes)."""
        if self.bits == 8:
            scale = np.abs(rows).max(axis=1, keepdims=True) / np.float32(127)
            signed = _away_from_zero(rows * _inverse(scale)).astype(np.int8)
            return np.hstack([_as_half(scale), signed.view(np.uint8)])
        largest = 2**self.bits - 1
        if self.has_offset:
            offset = rows.min(axis=1, keepdims=True)
            scale = (rows.max(axis=1, keepdims=True) - offset) / np.float32(largest)
            codes = (rows - offset) * _inverse(scale) + np.float32(0.5)
        else:
            at = np.abs(rows).argmax(axis=1)[:, None]
            scale = np.take_along_axis(rows, at, axis=1) / np.float32(-self.middle)  # its own code is 0
            codes = rows * _inverse(scale) + np.float32(self.middle + 0.5)
        codes = np.minimum(codes.astype(np.uint8), largest)
        parts = [_as_half(scale)]
        if self.has_offset:
            parts.append(_as_half(offset))
        if self.bits == 5:
            parts.append(np.packbits(codes >> 4, axis=1, bitorder="little"))
        parts.append((codes[:, :16] & 0xF) | (codes[:, 16:] & 0xF) << 4)
        return np.hstack(parts)


def _half(blocks: Bytes, at: int) -> Floats:
    """The float16 at a byte of each block, (N, 1)."""
    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2").astype(np.float32)


def _as_half(values: Floats) -> Bytes:
    """(N, 1) -> (N, 2)."""
    with np.errstate(over="ignore"):
        return values.astype("<f2").view(np.uint8)


def _joined(halves: Bytes) -> Bytes:
    """(N, 16) bytes -> (N, 32) half-bytes, the lower ones first."""
    return np.hstack([halves & 0xF, halves >> 4])


def _inverse(scale: Floats) -> Floats:
    return np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale != 0)


def _away_from_zero(values: Floats) -> Floats:
    """Round as C does: halves away from zero."""
    return np.trunc(values + np.copysign(np.float32(0.5), values))


BLOCK_TYPES = {
    2: BlockType("q4_0", 4, has_offset=False),
    3: BlockType("q4_1", 4, has_offset=True),
    6: BlockType("q5_0", 5, has_offset=False),
    7: BlockType("q5_1", 5, has_offset=True),
    8: BlockType("q8_0", 8, has_offset=False),
}
"""By the number ggml gives each."""
