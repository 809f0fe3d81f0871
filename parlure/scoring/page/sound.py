"""A clip as a ``data:`` URI that every browser plays."""

from __future__ import annotations

import base64
from io import BytesIO

from parlure.speech.audio import SAMPLE_RATE, Samples

# (libsndfile format, subtype, MIME type), the first that this machine's libsndfile can write: MP3 plays in every
# browser at a tenth of the size of WAV, Ogg/Opus not in older Safari.
_FORMATS = (
    ("MP3", "MPEG_LAYER_III", "audio/mpeg"),
    ("OGG", "OPUS", "audio/ogg"),
    ("WAV", "PCM_16", "audio/wav"),
)


def audio_data_uri(samples: Samples) -> str:
    """16 kHz mono samples, shape ``(n_samples,)``, as a ``data:`` URI of MP3, else Opus, else WAV."""
    import soundfile

    for container, subtype, mime in _FORMATS:
        if not soundfile.check_format(container, subtype):
            continue
        encoded = BytesIO()
        soundfile.write(encoded, samples, SAMPLE_RATE, format=container, subtype=subtype)
        return f"data:{mime};base64,{base64.b64encode(encoded.getvalue()).decode('ascii')}"
    raise AssertionError("libsndfile always writes WAV")
