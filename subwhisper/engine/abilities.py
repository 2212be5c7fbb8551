"""What a model can be asked for; everything else is refused before anything is read."""

from collections.abc import Collection

from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.errors import ModelError, OptionError
from subwhisper.languages import LANGUAGES, language_code
from subwhisper.model import catalog
from subwhisper.model.checkpoints import Checkpoint


def check(model: SpeechModel, options: TranscribeOptions) -> None:
    """Refuse what the model cannot do.

    Raises:
        OptionError: an option that this model cannot serve.
        ModelError: translation with a model that cannot.
    """
    _check_translation(model.name, options, can_translate=model.can_translate)
    prompts = {"--initial-prompt": options.initial_prompt, "--hotwords": options.hotwords}
    given = [name for name, text in prompts.items() if text]
    if given and model.tokenizer.sot_prev is None:
        raise OptionError(f"the model {model.name} reads no prompts", hint=f"leave {given[0]} out")
    known = model.tokenizer.language_tokens if model.tokenizer.is_multilingual else None
    _check_languages(model.name, known, options)


def check_language(checkpoint: Checkpoint, language: str) -> None:
    """Refuse a language that a model does not know, before its network is built.

    Raises:
        OptionError: it does not know it, or nobody does.
    """
    known = checkpoint.vocabulary.languages if checkpoint.is_multilingual else None
    _check_languages(checkpoint.name, known, TranscribeOptions(language=language))


def _check_languages(name: str, known: Collection[str] | None, options: TranscribeOptions) -> None:
    """Refuse languages that are not known; `None` is English only."""
    if known is None:
        _check_english(name, options)
        return
    unknown = _asked(options) - {*known}
    if unknown:
        raise OptionError(f"the model {name} does not know {_names(unknown)}", hint=f"it knows {', '.join(known)}")


def check_public(name: str, options: TranscribeOptions) -> None:
    """Refuse what is known of a public model without its files: nobody should fetch gigabytes to hear of it.

    Args:
        name: one of the catalog's, or any other, of which nothing is known.
        options: of the job.

    Raises:
        OptionError: a language that this model cannot serve.
        ModelError: translation with a model that cannot.
    """
    entry = catalog.known(name)
    if entry is None:
        return
    _check_translation(name, options, can_translate=entry.can_translate)
    if entry.name.endswith(".en"):
        _check_english(name, options)


def _check_translation(name: str, options: TranscribeOptions, *, can_translate: bool) -> None:
    if options.translates and not can_translate:
        able = ", ".join(entry.name for entry in catalog.CATALOG.values() if entry.can_translate)
        raise ModelError(f"the model {name} cannot translate", hint=f"models that can: {able}")


def _check_english(name: str, options: TranscribeOptions) -> None:
    hint = "use a multilingual model, such as base or small"
    others = _asked(options) - {"en"}
    if others:
        raise OptionError(f"the model {name} knows English only, not {_names(others)}", hint=hint)
    if options.multilingual:
        raise OptionError(f"the model {name} knows English only, so it can tell no languages apart", hint=hint)


def _asked(options: TranscribeOptions) -> set[str]:
    return {language_code(options.language)} if options.language else {*options.candidates}


def _names(languages: set[str]) -> str:
    return " and ".join(LANGUAGES[code] for code in sorted(languages))
