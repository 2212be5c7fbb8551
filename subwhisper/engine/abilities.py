"""What a model can be asked for; everything else is refused before anything is read."""

from subwhisper.engine.options import TranscribeOptions
from subwhisper.engine.speech_model import SpeechModel
from subwhisper.errors import ModelError, OptionError
from subwhisper.languages import LANGUAGES, language_code
from subwhisper.model import catalog


def check(model: SpeechModel, options: TranscribeOptions) -> None:
    """Refuse what the model cannot do.

    Raises:
        OptionError: an option that this model cannot serve.
        ModelError: translation with a model that cannot.
    """
    if options.translates and not model.can_translate:
        able = ", ".join(name for name, entry in catalog.CATALOG.items() if entry.can_translate)
        raise ModelError(f"the model {model.name} cannot translate", hint=f"models that can: {able}")
    prompts = {"--initial-prompt": options.initial_prompt, "--hotwords": options.hotwords}
    given = [name for name, text in prompts.items() if text]
    if given and model.tokenizer.sot_prev is None:
        raise OptionError(f"the model {model.name} reads no prompts", hint=f"leave {given[0]} out")
    _check_languages(model, options)


def _check_languages(model: SpeechModel, options: TranscribeOptions) -> None:
    asked = {language_code(options.language)} if options.language else {*options.candidates}
    if model.tokenizer.is_multilingual:
        unknown = asked - {*model.tokenizer.language_tokens}
        if unknown:
            names = " and ".join(LANGUAGES[code] for code in sorted(unknown))
            hint = f"it knows {', '.join(model.tokenizer.language_tokens)}"
            raise OptionError(f"the model {model.name} does not know {names}", hint=hint)
        return
    hint = "use a multilingual model, such as base or small"
    if asked - {"en"}:
        names = " and ".join(LANGUAGES[code] for code in sorted(asked - {"en"}))
        raise OptionError(f"the model {model.name} knows English only, not {names}", hint=hint)
    if options.multilingual:
        raise OptionError(f"the model {model.name} knows English only, so languages cannot be mixed", hint=hint)
