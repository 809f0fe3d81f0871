"""What other tools' manifests say in their own way: paths, splits, languages and genders → parlure's."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

from parlure.corpus.split import given_split
from parlure.errors import ParlureError

_LEVELS = 3  # folders above a manifest from which its paths may count: data/train/wav.scp is read from the third
_GENDERS = {"m": "male", "f": "female"}
# Whisper's languages: its code, the codes of ISO 639-2 and 639-3, the English name (and others it goes by)
_LANGUAGES = """
en eng english/zh zho chi cmn chinese mandarin/de deu ger german/es spa spanish castilian/ru rus russian/ko kor korean
fr fra fre french/ja jpn japanese/pt por portuguese/tr tur turkish/pl pol polish/ca cat catalan valencian
nl nld dut dutch flemish/ar ara arabic/sv swe swedish/it ita italian/id ind indonesian/hi hin hindi/fi fin finnish
vi vie vietnamese/he heb hebrew/uk ukr ukrainian/el ell gre greek/ms msa may malay/cs ces cze czech
ro ron rum romanian moldavian moldovan/da dan danish/hu hun hungarian/ta tam tamil/no nor norwegian/th tha thai
ur urd urdu/hr hrv croatian/bg bul bulgarian/lt lit lithuanian/la lat latin/mi mri mao maori/ml mal malayalam
cy cym wel welsh/sk slk slo slovak/te tel telugu/fa fas per persian/lv lav latvian/bn ben bengali/sr srp serbian
az aze azerbaijani/sl slv slovenian/kn kan kannada/et est estonian/mk mkd mac macedonian/br bre breton
eu eus baq basque/is isl ice icelandic/hy hye arm armenian/ne nep nepali/mn mon mongolian/bs bos bosnian
kk kaz kazakh/sq sqi alb albanian/sw swa swahili/gl glg galician/mr mar marathi/pa pan punjabi panjabi
si sin sinhala sinhalese/km khm khmer/sn sna shona/yo yor yoruba/so som somali/af afr afrikaans/oc oci occitan
ka kat geo georgian/be bel belarusian/tg tgk tajik/sd snd sindhi/gu guj gujarati/am amh amharic/yi yid yiddish
lo lao/uz uzb uzbek/fo fao faroese/ht hat haitian/ps pus pashto pushto/tk tuk turkmen/nn nno nynorsk/mt mlt maltese
sa san sanskrit/lb ltz luxembourgish letzeburgesch/my mya bur myanmar burmese/bo bod tib tibetan/tl tgl tagalog
mg mlg malagasy/as asm assamese/tt tat tatar/haw hawaiian/ln lin lingala/ha hau hausa/ba bak bashkir
jw jv jav javanese/su sun sundanese/yue cantonese
"""
_NOT_KNOWN = ("unk", "unknown", "und", "mul", "auto")
_CODES = {name: entry.split()[0] for entry in re.split(r"[/\n]", _LANGUAGES.strip()) for name in entry.split()}


def found_from(name: str, folder: Path) -> Path:
    """The file that a manifest in a folder names: absolute, or relative to the folder or to one of those above it.

    Kaldi and Lhotse count paths from where they are run, which is above their data; what is nearest goes first.
    Where there is no such file, the path as it would be in the folder.
    """
    # os.path, not Path, which raises for a name longer than names can be
    for place in _places(folder):
        if os.path.isfile(os.path.join(place, name)):  # noqa: PTH113, PTH118
            return Path(place, name)
    return folder / name


@cache
def _places(folder: Path) -> tuple[str, ...]:
    return tuple(map(str, (folder, *folder.absolute().parents[:_LEVELS])))


def split_named(name: str) -> str | None:
    """The split that a file or folder is named after: ``train_clean_100`` is of train, ``train_dev`` of none."""
    found = set()
    for part in re.split(r"[-_. ]", name):
        try:
            found.add(given_split(part))
        except ParlureError:
            continue
    return found.pop() if len(found) == 1 else None


def splits_named(names: Collection[str]) -> dict[str, str | None]:
    """The split of each name; None for all if one of them says none: half a split is not one."""
    splits = {name: split_named(name) for name in names}
    return splits if all(splits.values()) else dict.fromkeys(names)


def spoken_language(name: str) -> str:
    """Whisper's code of a language: ``fr`` for ``French``, ``fra`` and ``fr-CA``.

    What says that it is not known (``unk``, ``und``) is the empty string; any other name is left as it is.
    """
    wanted = name.strip().lower()
    if wanted in _NOT_KNOWN:
        return ""
    return _CODES.get(wanted) or _CODES.get(re.split("[-_ ]", wanted)[0]) or name


def is_whispers(code: str) -> bool:
    """Whether a code is that of one of Whisper's languages."""
    return _CODES.get(code) == code


def gender(value: str) -> str:
    """``male`` and ``female`` for M and F; what else there is as it stands."""
    return _GENDERS.get(value.strip().lower(), value.strip())
