"""The names that Whisper has for its languages → their codes, as tools write them: ``french`` → ``fr``."""

from __future__ import annotations

# openai-whisper's table of languages and of other names for them; a test holds it against that of transformers
_NAMES = (
    "en:english zh:chinese de:german es:spanish ru:russian ko:korean fr:french ja:japanese pt:portuguese tr:turkish "
    "pl:polish ca:catalan nl:dutch ar:arabic sv:swedish it:italian id:indonesian hi:hindi fi:finnish vi:vietnamese "
    "he:hebrew uk:ukrainian el:greek ms:malay cs:czech ro:romanian da:danish hu:hungarian ta:tamil no:norwegian "
    "th:thai ur:urdu hr:croatian bg:bulgarian lt:lithuanian la:latin mi:maori ml:malayalam cy:welsh sk:slovak "
    "te:telugu fa:persian lv:latvian bn:bengali sr:serbian az:azerbaijani sl:slovenian kn:kannada et:estonian "
    "mk:macedonian br:breton eu:basque is:icelandic hy:armenian ne:nepali mn:mongolian bs:bosnian kk:kazakh "
    "sq:albanian sw:swahili gl:galician mr:marathi pa:punjabi si:sinhala km:khmer sn:shona yo:yoruba so:somali "
    "af:afrikaans oc:occitan ka:georgian be:belarusian tg:tajik sd:sindhi gu:gujarati am:amharic yi:yiddish lo:lao "
    "uz:uzbek fo:faroese ht:haitian_creole ps:pashto tk:turkmen nn:nynorsk mt:maltese sa:sanskrit lb:luxembourgish "
    "my:myanmar bo:tibetan tl:tagalog mg:malagasy as:assamese tt:tatar haw:hawaiian ln:lingala ha:hausa ba:bashkir "
    "jw:javanese su:sundanese yue:cantonese my:burmese ca:valencian nl:flemish ht:haitian lb:letzeburgesch "
    "ps:pushto pa:panjabi ro:moldavian ro:moldovan si:sinhalese es:castilian zh:mandarin"
)
_CODE_OF = {name.replace("_", " "): code for code, _, name in (pair.partition(":") for pair in _NAMES.split())}


def code_of(language: str) -> str:
    """The code of a language that Whisper knows by this name; anything else is returned as it is."""
    return _CODE_OF.get(language.strip().lower(), language)


def is_code(tag: str) -> bool:
    """Whether a tag such as ``fr`` or ``fr-CA`` begins with the code of one of Whisper's languages."""
    return tag.lower().replace("_", "-").partition("-")[0] in _CODE_OF.values()
