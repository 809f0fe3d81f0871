"""Telephone calls as CHAT transcripts with their recordings: made up, in Québec French, for tests and pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile as sf

CALL = """\ufeff@UTF8
@PID:\t11312/a-00000000-1
@Begin
@Languages:\tfra, eng
@Participants:\tMAR Martine Participant, GIL Gilles Participant
@ID:\tfra|essai|MAR|34;02.|female|urbain||Participant|collège||
@ID:\tfra|essai|GIL||male|||Participant|||
@Media:\tappel1, audio
@Transcriber:\tinventé
@Comment:\tun appel qui n'a jamais eu lieu
*MAR:\tallô , oui ? \x150_900\x15
*GIL:\tsalut Martine , c' est Gilles .
\t[+ ouv] \x151000_2400\x15
%com:\til est au char
@Bg:\tchalet
*MAR:\tah ben &-euh j(e) t(e) rappelle tantôt parce que <chus> [/] chus
\tpas mal +... \x152500_5200\x15
%mor:\tco|ah co|ben
*GIL:\t<c' est beau> [>] . \x155000_5900\x15
*MAR:\t+< <tu viens> [//] tu descends &+sa samedi \x155300_6600\x15 au
\tchalet \x156800_7600\x15 ? \x157700_8000\x15
*GIL:\txxx fin de semaine . \x158100_9000\x15
*GIL:\t[- eng] see you ! \x159100_9700\x15
*MAR:\t0 [=! rit] . \x159800_9900\x15
*MAR:\tbon ben bye .
@Eg:\tchalet
@End
"""


def write_calls(folder: Path, n_calls: int = 1, length_s: float = 10.0) -> Path:
    """Calls ``appel1.cha``, ``appel2.cha`` …, each with a recording of noise beside it; other speakers in each."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(1).normal(0, 0.1, round(length_s * 8000))
    for number in range(1, n_calls + 1):
        text = CALL.replace("appel1", f"appel{number}")
        if number > 1:
            text = text.replace("MAR", f"MA{number}").replace("GIL", f"GI{number}")
        (folder / f"appel{number}.cha").write_text(text, encoding="utf-8")
        sf.write(folder / f"appel{number}.wav", np.roll(noise, number), 8000)
    return folder
