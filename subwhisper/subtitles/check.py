"""Do captions keep the rules of a profile? `check` gives a certificate: every rule, and every cue that breaks it."""

from dataclasses import dataclass, replace
from typing import Any

from subwhisper.subtitles.check_frames import frame_rate_of
from subwhisper.subtitles.check_rules import RULES, Context, Rule
from subwhisper.subtitles.layout.frames import NO_PICTURE, Picture
from subwhisper.subtitles.layout.profile import Profile
from subwhisper.subtitles.layout.standards import load_profile
from subwhisper.subtitles.track import Track

UNKNOWN = "und"


@dataclass(frozen=True, slots=True)
class Finding:
    """One cue that breaks a rule."""

    cue: int
    """Its number in the file, from 1."""
    start_ms: int
    text: str
    what: str
    cause: str | None
    """Why the rule could not be kept, and what was chosen; `None` when that is not known."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "cue": self.cue,
            "start": self.start_ms / 1000,
            "what": self.what,
            "cause": self.cause,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule and how it is kept."""

    rule: str
    title: str
    limit: str
    required: bool
    """Advice does not decide whether the captions pass."""
    checked: int
    findings: tuple[Finding, ...]

    @property
    def rate(self) -> float:
        """Share of the cues that keep it; 1 when there are none."""
        return 1 - len(self.findings) / self.checked if self.checked else 1.0

    def to_dict(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "limit": self.limit,
            "required": self.required,
            "checked": self.checked,
            "broken": len(self.findings),
            "pass_rate": round(self.rate, 6),
            "findings": [finding.to_dict() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was found in one track."""

    profile: str
    source: str
    """Where the profile's numbers come from."""
    language: str
    frame_rate: float | None
    """Frames a second that frames were counted in; `None`: not known, so only what breaks a rule at any rate does."""
    cues: int
    verdicts: tuple[Verdict, ...]

    @property
    def passes(self) -> bool:
        """Whether no required rule is broken."""
        return not any(verdict.findings for verdict in self.verdicts if verdict.required)

    @property
    def broken(self) -> tuple[int, ...]:
        """Numbers of the cues that break a required rule."""
        verdicts = (verdict for verdict in self.verdicts if verdict.required)
        return tuple(sorted({finding.cue for verdict in verdicts for finding in verdict.findings}))

    @property
    def rate(self) -> float:
        """Share of the cues that keep every required rule; 1 when there are none."""
        return 1 - len(self.broken) / self.cues if self.cues else 1.0

    def to_dict(self) -> dict[str, Any]:
        return {
            "profile": self.profile,
            "source": self.source,
            "language": self.language,
            "frame_rate": self.frame_rate and round(self.frame_rate, 3),
            "passes": self.passes,
            "cues": self.cues,
            "cues_broken": len(self.broken),
            "pass_rate": round(self.rate, 6),
            "rules": [verdict.to_dict() for verdict in self.verdicts],
        }


def check(
    track: Track,
    profile: Profile | None = None,
    picture: Picture = NO_PICTURE,
    *,
    language: str | None = None,
) -> Certificate:
    """Check captions by the rules of a profile; rules that it does not have are left out.

    Args:
        track: from a file or from `lay_out`, whose cues also tell why a rule could not be kept.
        profile: Netflix's when not given.
        picture: frame rate and shot changes of the video; without its frame rate, that of the captions' own times.
        language: of the text, where the track does not know it.
    """
    whole = profile or load_profile()
    code = language or track.language or UNKNOWN
    seen = replace(picture, frame_rate=picture.frame_rate or frame_rate_of(track))
    at = Context(track, whole.in_language(code), seen, code)
    return Certificate(
        profile=whole.name,
        source=whole.source,
        language=code,
        frame_rate=seen.frame_rate,
        cues=len(track.cues),
        verdicts=tuple(_verdict(rule, limit, at) for rule in RULES if (limit := rule.limit(at)) is not None),
    )


def _verdict(rule: Rule, limit: str, at: Context) -> Verdict:
    findings = tuple(
        Finding(breach.index + 1, at.cues[breach.index].start_ms, at.cues[breach.index].text, breach.what, breach.cause)
        for breach in rule.breaches(at)
    )
    return Verdict(rule.name, rule.title, limit, rule.required, len(at.cues), findings)
