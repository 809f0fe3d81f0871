"""Is an exported model still the model? WER of both on the same utterances, in both windows that runtimes use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from parlure.corpus.manifest import Utterance
from parlure.errors import ParlureError
from parlure.scoring.normalize import headline_profile
from parlure.scoring.rates import Counts
from parlure.scoring.significance import Comparison, compare
from parlure.scoring.skills.listening import Window
from parlure.scoring.utterances import score_text
from parlure.transcribing.clips import clips_of
from parlure.transcribing.decode import DecodingOptions
from parlure.transcribing.engines.interface import Engine

MAX_LOSS = 1.0  # points of WER that an export may lose, at most, with 95 % confidence


@dataclass(frozen=True)
class Parity:
    """What one window showed.

    Attributes:
        window: ``full`` (30 s) or ``short``.
        original: WER of the model before, in per cent.
        exported: WER of the export.
        comparison: of the two, paired; its difference is exported − original, in points.
        n_utterances: that were compared.
        n_same: of them, those with the same text.
        passed: every text is the same, or the upper end of the difference's 95 % interval is within the limit. Too
            few speakers for an interval prove nothing: then it takes the same texts.
    """

    window: Window
    original: float
    exported: float
    comparison: Comparison
    n_utterances: int
    n_same: int
    passed: bool

    def line(self) -> str:
        """For a person."""
        place = "30 s windows" if self.window == "full" else "short windows"
        interval = self.comparison.ci95
        bounds = f"{interval[0]:+.1f} to {interval[1]:+.1f}" if interval else "too few speakers for an interval"
        return (
            f"{place}: WER {self.original:.1f} % → {self.exported:.1f} % ({bounds}), "
            f"{self.n_same} of {self.n_utterances} texts the same: {'passed' if self.passed else 'FAILED'}"
        )


def check_parity(
    utterances: Sequence[Utterance],
    original: Engine,
    exported: Engine,
    *,
    windows: Sequence[Window] = ("full", "short"),
    max_loss: float = MAX_LOSS,
    batch_size: int = 16,
) -> list[Parity]:
    """Decode utterances with a model and its export, and compare their word errors.

    Args:
        utterances: of one split, each at most 30 s; translations are left out.
        original: the model before.
        exported: the model after.
        windows: to decode in.
        max_loss: points of WER, at least 0.
        batch_size: utterances decoded together.

    Returns:
        What each window showed.

    Raises:
        ParlureError: nobody says a word in these utterances, or one cannot be read.
    """
    spoken = [u for u in utterances if u.task == "transcribe"]
    found = []
    for window in windows:
        options = DecodingOptions(window=window, batch_size=batch_size)
        before, after = (_texts(engine, spoken, options) for engine in (original, exported))
        counts = [_counts(spoken, texts) for texts in (before, after)]
        rates = [Counts.total(own).rate for own in counts]
        if rates[0] is None or rates[1] is None:
            raise ParlureError(
                "nobody says a word in the utterances that the export is judged by", "choose another split or corpus"
            )
        comparison = compare(counts[0], counts[1], [u.speaker for u in spoken], [u.session for u in spoken])
        interval, n_same = comparison.ci95, sum(map(str.__eq__, before, after))
        passed = n_same == len(spoken) or (interval is not None and interval[1] <= max_loss)
        found.append(Parity(window, rates[0], rates[1], comparison, len(spoken), n_same, passed))
    return found


def _texts(engine: Engine, utterances: Sequence[Utterance], options: DecodingOptions) -> list[str]:
    """What an engine hears, each utterance in its own language."""
    texts: dict[int, str] = {}
    for language in sorted({u.language for u in utterances}):
        places = [index for index, u in enumerate(utterances) if u.language == language]
        heard = engine.decode(clips_of(utterances[index] for index in places), replace(options, language=language))
        texts |= {index: one.text for index, one in zip(places, heard, strict=True)}
    return [texts[index] for index in range(len(utterances))]


def _counts(utterances: Sequence[Utterance], texts: Sequence[str]) -> list[Counts]:
    pairs = zip(utterances, texts, strict=True)
    return [score_text(headline_profile(u.language), u.text, text).words for u, text in pairs]
