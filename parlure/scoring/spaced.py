"""Raw texts → a caution where one side writes its punctuation apart (``oui , c'est bon .``) and the other does not.

Where punctuation counts, as under ``raw``, a mark that stands alone is a word of its own, and a mark that does not
makes another word of the one before it. So ``bon .`` against ``bon.`` is a substitution and a deletion: two errors
that nobody hears. Corpora of the CHAT family are written so, and a model that has merely learnt to write `` .``
seems to have learnt to listen. Both sides spaced alike (``Ça va ?`` as French has it) are no cause for a caution.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from parlure.scoring.utterances import ScoredUtterance

_ALONE = re.compile(r"""(?<!\S)[.,;:!?…"“”„«»()¿¡。，、！？；：؟،؛।॥]+(?!\S)""")
_ERRORS_A_MARK = 2  # the mark itself, and the word that it is attached to on the other side
_SHARE_THAT_MATTERS = 0.01  # of the reference's words: below it, it moves the rate by less than 2 points


def marks_alone(text: str) -> int:
    """How many words of a text are nothing but punctuation: 2 in ``oui , c'est bon .``."""
    return len(_ALONE.findall(text))


def spacing_cautions(utterances: Sequence[ScoredUtterance]) -> list[str]:
    """A sentence for each system whose punctuation is spaced unlike the references', if ``raw`` was scored at all."""
    if not utterances or "raw" not in utterances[0].counts:
        return []
    n_words = sum(len(utterance.reference.split()) for utterance in utterances)
    in_references = sum(marks_alone(utterance.reference) for utterance in utterances)
    cautions = []
    for system in utterances[0].hypotheses:
        in_hypotheses = sum(marks_alone(utterance.hypotheses[system]) for utterance in utterances)
        difference = abs(in_references - in_hypotheses)
        if difference > _SHARE_THAT_MATTERS * n_words and n_words:
            points = 100.0 * _ERRORS_A_MARK * difference / n_words
            cautions.append(
                f"Spaced punctuation: marks that stand alone count as words under raw, {in_references} in the "
                f"references and {in_hypotheses} in the hypotheses of {system}. That alone can make up to "
                f"{points:.1f} points of its raw error rate, which nobody hears: go by a profile without punctuation."
            )
    return cautions
