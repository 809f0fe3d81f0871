"""A language that Whisper lacks: a token for it, which the tokenizer's settings name and every loader finds there.

The token is one that Whisper has for a language that is not needed, and then every runtime can ask for it by that
language's code; or a new one behind all others. Whisper's runtimes derive ids and languages from the vocabulary's size
(51,865 or 51,866), so a new one is for Hugging Face and parlure's torch engine alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from transformers import WhisperForConditionalGeneration, WhisperTokenizer
from transformers.models.whisper.tokenization_whisper import LANGUAGES

from parlure.errors import ParlureError
from parlure.sections import LanguageSection
from parlure.whisper.prompt import LANGUAGE_TOKENS, LENT_TOKENS, language_tokens, token_id

_CODE = re.compile(r"[a-z]{2,8}(-[a-z0-9]{2,8})*")


@dataclass(frozen=True)
class NewLanguage:
    """What is to be spoken of.

    Attributes:
        code: of the language, as a corpus has it.
        token: code of the language whose token it takes over; its own where a token is inserted.
        like: code of the language whose token it begins as; empty: as the token it takes over, or the mean of all.
    """

    code: str
    token: str
    like: str = ""

    @classmethod
    def of(cls, asked: LanguageSection) -> NewLanguage | None:
        """What a recipe asks for; None where that is nothing.

        Raises:
            ParlureError: there is no code, or it is none.
        """
        if not asked.code:
            if asked.token or asked.like:
                raise ParlureError("language.token and language.like go with language.code", 'for example code = "eo"')
            return None
        if not _CODE.fullmatch(asked.code):
            raise ParlureError(f"language.code {asked.code!r} is no code", "two letters or more, such as eo")
        return cls(asked.code, asked.token or asked.code, asked.like)

    @property
    def is_inserted(self) -> bool:
        """Whether it has a token of its own."""
        return self.token == self.code


def is_inserted(token: str) -> bool:
    """Whether the token of this code is none of Whisper's."""
    return token not in LANGUAGES


def teach(tokenizer: WhisperTokenizer, language: NewLanguage) -> None:
    """Give a language its token, in a tokenizer that is changed in place; a second time changes nothing.

    Raises:
        ParlureError: Whisper has the language, or not the one whose token is wanted.
    """
    named = {language.code: {"token": language.token, "like": language.like}}
    if tokenizer.init_kwargs.get(LANGUAGE_TOKENS) == named:
        return
    if language.code in language_ids(tokenizer):
        raise ParlureError(
            f"this Whisper has the language {language.code} already", "leave out [language], and tune as for any other"
        )
    for other in ("" if language.is_inserted else language.token, language.like):
        if other and other not in language_ids(tokenizer):
            raise ParlureError(
                f"this Whisper has no language {other!r} to take a token from", f"it has {_codes(tokenizer)}"
            )
    if language.is_inserted:
        tokenizer.add_tokens([f"<|{language.code}|>"], special_tokens=True)
    tokenizer.init_kwargs[LANGUAGE_TOKENS] = {**language_tokens(tokenizer), **named}


def _codes(tokenizer: WhisperTokenizer) -> str:
    return ", ".join(sorted(language_ids(tokenizer)))


def lend(tokenizer: WhisperTokenizer, taught: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Let a model that was not taught a language be asked for its nearest instead: what a base can do.

    It does not know the language any better for that, and never identifies it.

    Args:
        tokenizer: changed in place, for decoding alone.
        taught: :func:`parlure.whisper.prompt.language_tokens` of the model that was.

    Returns:
        Code → the code that it is asked for instead, of those that it lacks.
    """
    if not taught:
        return {}
    known = language_ids(tokenizer)
    lent = {code: how["like"] or how["token"] for code, how in taught.items() if code not in known}
    lent = {code: token for code, token in lent.items() if token in known}
    if lent:
        tokenizer.init_kwargs[LENT_TOKENS] = lent
    return lent


def language_ids(tokenizer: WhisperTokenizer) -> dict[str, int]:
    """Language code → id of its token, of the languages that a model knows; one whose token was taken over is gone."""
    taught = {code: how["token"] for code, how in language_tokens(tokenizer).items()}
    codes = {code: code for code in LANGUAGES if code not in taught.values()} | taught
    known = {code: token_id(tokenizer, f"<|{token}|>") for code, token in codes.items()}
    return {code: id_ for code, id_ in known.items() if id_ is not None}


def language_of(tokenizer: WhisperTokenizer, token: str) -> str:
    """The code of what a token such as ``<|la|>`` stands for."""
    code = token[2:-2]
    return next((one for one, how in language_tokens(tokenizer).items() if how["token"] == code), code)


def language_name(code: str) -> str:
    """The English name of a language in small letters, as OpenAI's API gives it; the code of one without a name."""
    return str(LANGUAGES.get(code, code))


@torch.no_grad()
def give_token(model: WhisperForConditionalGeneration, tokenizer: WhisperTokenizer, language: NewLanguage) -> int:
    """Make the token's embedding what it begins as, in a model that is changed in place.

    Args:
        model: as it was before.
        tokenizer: which was taught the language.
        language: which.

    Returns:
        The token's id.

    Raises:
        ParlureError: the tokenizer has other tokens than the model, so that one behind them would be another's.
    """
    fit_vocabulary(model, tokenizer)
    ids = language_ids(tokenizer)
    own = ids[language.code]
    if language.like:
        weight = model.get_input_embeddings().weight
        weight[own] = weight[ids[language.like]]
    return own


@torch.no_grad()
def fit_vocabulary(model: WhisperForConditionalGeneration, tokenizer: WhisperTokenizer) -> None:
    """Room for the tokens that were inserted, each the mean of the languages' until something else is loaded over it.

    Raises:
        ParlureError: they do not stand right behind the model's own.
    """
    inserted = [code for code, how in language_tokens(tokenizer).items() if is_inserted(how["token"])]
    n_before = len(tokenizer) - len(inserted)
    if not inserted or model.config.vocab_size == len(tokenizer):
        return
    if n_before != model.config.vocab_size:
        raise ParlureError(
            f"a token cannot be inserted: the tokenizer has {n_before} tokens, the model {model.config.vocab_size}",
            'take over one that is there: [language] token = "la"',
        )
    ids = language_ids(tokenizer)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    weight = model.get_input_embeddings().weight
    weight[n_before:] = weight[[id_ for id_ in ids.values() if id_ < n_before]].mean(0)
    settings = model.generation_config
    settings.lang_to_id = {**settings.lang_to_id, **{f"<|{code}|>": ids[code] for code in inserted}}
    # ids above the timestamps' are taken for times: they must never be written
    settings.suppress_tokens = [*(settings.suppress_tokens or []), *range(n_before, len(tokenizer))]


def refuse_inserted(tokenizer: WhisperTokenizer, model: str, runtime: str) -> None:
    """See to it that a runtime can tell the model's languages.

    Raises:
        ParlureError: a token was inserted.
    """
    inserted = [code for code, how in language_tokens(tokenizer).items() if is_inserted(how["token"])]
    if inserted:
        raise ParlureError(
            f"{model} has a token of its own for {', '.join(inserted)}, and {runtime} counts on Whisper's vocabulary",
            'tune it with a token taken over, such as [language] token = "la"; this one runs in Hugging Face and torch',
        )
