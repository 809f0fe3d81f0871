"""Models put to the test of Whisper's skills: the one room of scoring that runs them.

What they answer goes to disk as evidence, one line a clip; the numbers are made of it in
:mod:`parlure.scoring.evidence`, without a model.
"""

from parlure.scoring.skills.evaluation import evaluate

__all__ = ["evaluate"]
