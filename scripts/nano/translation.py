"""French sentences with their English translation, for nano's task ``translate``: one grammar that writes both at once.

Every rule pairs a French and an English text with the same <symbols>. Numbers are drawn once and spelt in both. The
words are those that ``french`` and ``english`` use, so that the vocabulary stays what it is.
"""

from __future__ import annotations

import random
import re

from nano import english
from nano.french import _elide
from nano.grammar import is_held_out
from parlure.speech.service_calls import number

_SYMBOL = re.compile(r"<(\w+)>")

PAIRS: dict[str, list[tuple[str, str]]] = {
    "sentence": [
        ("<greeting>, <wish>.", "<greeting>, <wish>."),
        ("<wish>, s'il vous plaît.", "<wish>, please."),
        ("<fact>.", "<fact>."),
        ("<fact>.", "<fact>."),
        ("<fact>, mais <fact2>.", "<fact>, but <fact2>."),
        ("<fact> parce que <fact2>.", "<fact> because <fact2>."),
        ("<question> ?", "<question>?"),
        ("<question> ?", "<question>?"),
        ("<answer>, <fact>.", "<answer>, <fact>."),
        ("<answer>.", "<answer>."),
        ("<when>, <fact>.", "<when>, <fact>."),
        ("<someone> <does> <thing>.", "<someone> <does> <thing>."),
        ("<someone> <does> <thing> <place>.", "<someone> <does> <thing> <place>."),
        ("<someone> <does> <thing> <when>.", "<someone> <does> <thing> <when>."),
        ("<count> <goods> et <count2> <goods2>.", "<count> <goods> and <count2> <goods2>."),
        ("merci beaucoup, <bye>.", "thank you very much, <bye>."),
    ],
    "greeting": [
        ("bonjour", "hello"),
        ("bonsoir", "good evening"),
        ("allô", "hello"),
        ("oui bonjour", "yes hello"),
        ("salut", "hi"),
    ],
    "bye": [
        ("au revoir", "goodbye"),
        ("bonne journée", "have a good day"),
        ("à demain", "see you tomorrow"),
        ("à bientôt", "see you soon"),
        ("bonne soirée", "have a good evening"),
    ],
    "answer": [
        ("oui", "yes"),
        ("non", "no"),
        ("bien sûr", "of course"),
        ("peut-être", "maybe"),
        ("je ne sais pas", "I don't know"),
        ("pas de problème", "no problem"),
        ("très bien", "very well"),
        ("d'accord", "all right"),
        ("c'est parfait", "it's perfect"),
        ("pas encore", "not yet"),
    ],
    "wish": [
        ("je voudrais <thing>", "I would like <thing>"),
        ("je cherche <thing>", "I am looking for <thing>"),
        ("j'ai besoin de <thing>", "I need <thing>"),
        ("je voudrais parler à <someone>", "I would like to speak to <someone>"),
        ("je voudrais payer par carte", "I would like to pay by card"),
        ("je voudrais laisser un message", "I would like to leave a message"),
        ("je voudrais réserver une table pour <count> personnes", "I would like to book a table for <count> people"),
    ],
    "fact": [
        ("j'ai perdu <thing>", "I have lost <thing>"),
        ("<someone> a oublié <thing>", "<someone> has forgotten <thing>"),
        ("<someone> a acheté <thing>", "<someone> has bought <thing>"),
        ("<someone> est <place>", "<someone> is <place>"),
        ("<thing> est <adjective>", "<thing> is <adjective>"),
        ("il fait <weather> <when>", "it is <weather> <when>"),
        ("ça coûte <count> euros", "it costs <count> euros"),
        ("<someone> a <count> ans", "<someone> is <count> years old"),
        ("<someone> travaille <place>", "<someone> works <place>"),
        ("le train part à <count> heures", "the train leaves at <count> o'clock"),
        ("nous avons <count> enfants", "we have <count> children"),
        ("<someone> arrive <when>", "<someone> arrives <when>"),
        ("<someone> mange <food> <place>", "<someone> eats <food> <place>"),
        ("<someone> boit <drink>", "<someone> drinks <drink>"),
        ("je vous rappelle <when>", "I will call you back <when>"),
        ("le magasin est fermé <when>", "the shop is closed <when>"),
        ("ma voiture est <colour>", "my car is <colour>"),
        ("il y a un problème avec <thing>", "there is a problem with <thing>"),
    ],
    "fact2": [
        ("<someone> est malade", "<someone> is ill"),
        ("il pleut", "it is raining"),
        ("c'est trop cher", "it is too expensive"),
        ("je suis fatigué", "I am tired"),
        ("nous sommes en retard", "we are late"),
        ("la batterie est vide", "the battery is empty"),
        ("tout le monde est content", "everyone is happy"),
        ("c'est très loin", "it is very far"),
        ("la porte est ouverte", "the door is open"),
    ],
    "question": [
        ("où est <thing>", "where is <thing>"),
        ("combien coûte <thing>", "how much is <thing>"),
        ("est-ce que <someone> est <place>", "is <someone> <place>"),
        ("avez-vous <thing>", "do you have <thing>"),
        ("qui a appelé <when>", "who called <when>"),
        ("est-ce que <thing> est <adjective>", "is <thing> <adjective>"),
        ("voulez-vous <drink>", "do you want <drink>"),
        ("quel temps fait-il", "what is the weather like"),
    ],
    "someone": [
        ("ma mère", "my mother"),
        ("mon père", "my father"),
        ("ma sœur", "my sister"),
        ("mon frère", "my brother"),
        ("ma fille", "my daughter"),
        ("mon fils", "my son"),
        ("mon mari", "my husband"),
        ("ma femme", "my wife"),
        ("le médecin", "the doctor"),
        ("le facteur", "the postman"),
        ("la voisine", "the neighbour"),
        ("le directeur", "the manager"),
        ("la cliente", "the customer"),
        ("le professeur", "the teacher"),
        ("Marie", "Marie"),
        ("Pierre", "Pierre"),
        ("Julie", "Julie"),
        ("Thomas", "Thomas"),
    ],
    "does": [
        ("regarde", "looks at"),
        ("cherche", "looks for"),
        ("apporte", "brings"),
        ("trouve", "finds"),
        ("vend", "sells"),
        ("nettoie", "cleans"),
        ("répare", "repairs"),
        ("montre", "shows"),
        ("refuse", "refuses"),
        ("choisit", "chooses"),
        ("casse", "breaks"),
        ("garde", "keeps"),
    ],
    "thing": [
        ("un billet", "a ticket"),
        ("mon passeport", "my passport"),
        ("la clé", "the key"),
        ("un ordinateur", "a computer"),
        ("le colis", "the parcel"),
        ("une lampe", "a lamp"),
        ("le frigo", "the fridge"),
        ("un vélo", "a bicycle"),
        ("un livre", "a book"),
        ("la télévision", "the television"),
        ("le contrat", "the contract"),
        ("une montre", "a watch"),
        ("un parapluie", "an umbrella"),
        ("une valise", "a suitcase"),
        ("la facture", "the invoice"),
        ("le document", "the document"),
        ("un téléphone", "a telephone"),
        ("la radio", "the radio"),
        ("un cadeau", "a gift"),
        ("la fenêtre", "the window"),
        ("un miroir", "a mirror"),
        ("une échelle", "a ladder"),
        ("un marteau", "a hammer"),
        ("une guitare", "a guitar"),
        ("la maison", "the house"),
        ("la lettre", "the letter"),
        ("le journal", "the newspaper"),
        ("un couteau", "a knife"),
        ("la machine", "the machine"),
        ("une carte", "a map"),
    ],
    "adjective": [
        ("en panne", "out of order"),
        ("énorme", "huge"),
        ("magnifique", "beautiful"),
        ("sale", "dirty"),
        ("propre", "clean"),
        ("rapide", "fast"),
        ("fragile", "fragile"),
        ("utile", "useful"),
        ("disponible", "available"),
        ("rouge", "red"),
        ("jaune", "yellow"),
        ("moderne", "modern"),
        ("pratique", "practical"),
    ],  # alike for both genders
    "food": [
        ("du poulet", "chicken"),
        ("une soupe", "a soup"),
        ("du poisson", "fish"),
        ("une salade", "a salad"),
        ("du fromage", "cheese"),
        ("du riz", "rice"),
        ("du jambon", "ham"),
        ("une pizza", "a pizza"),
        ("des carottes", "carrots"),
        ("une orange", "an orange"),
    ],
    "drink": [
        ("un café", "a coffee"),
        ("un thé", "a tea"),
        ("un verre de vin", "a glass of wine"),
        ("une bière", "a beer"),
        ("un jus de fruits", "a fruit juice"),
    ],
    "place": [
        ("au restaurant", "at the restaurant"),
        ("à la gare", "at the station"),
        ("dans la rue", "in the street"),
        ("au bureau", "at the office"),
        ("au marché", "at the market"),
        ("dans le jardin", "in the garden"),
        ("dans la cuisine", "in the kitchen"),
        ("à la banque", "at the bank"),
        ("à l'hôpital", "at the hospital"),
        ("à la maison", "at home"),
    ],
    "when": [
        ("demain matin", "tomorrow morning"),
        ("ce soir", "this evening"),
        ("la semaine prochaine", "next week"),
        ("aujourd'hui", "today"),
        ("<weekday>", "on <weekday>"),
        ("<weekday> matin", "on <weekday> morning"),
        ("dans <count> minutes", "in <count> minutes"),
    ],
    "weekday": [
        ("lundi", "Monday"),
        ("mardi", "Tuesday"),
        ("mercredi", "Wednesday"),
        ("jeudi", "Thursday"),
        ("vendredi", "Friday"),
        ("samedi", "Saturday"),
        ("dimanche", "Sunday"),
    ],
    "weather": [("chaud", "warm"), ("froid", "cold"), ("beau", "nice"), ("mauvais", "bad")],
    "colour": [
        ("rouge", "red"),
        ("bleue", "blue"),
        ("verte", "green"),
        ("jaune", "yellow"),
        ("noire", "black"),
        ("blanche", "white"),
        ("grise", "grey"),
    ],
    "goods": [
        ("bouteilles", "bottles"),
        ("enveloppes", "envelopes"),
        ("assiettes", "plates"),
        ("chaises", "chairs"),
        ("ampoules", "bulbs"),
        ("stylos", "pens"),
    ],
    "goods2": [
        ("tomates", "tomatoes"),
        ("timbres", "stamps"),
        ("bougies", "candles"),
        ("tasses", "cups"),
        ("boîtes", "boxes"),
        ("lettres", "letters"),
    ],
}


def _expand(pair: tuple[str, str], rng: random.Random) -> tuple[str, str]:
    """Fill the symbols of both texts alike; each stands once in either."""
    found: dict[str, tuple[str, str]] = {}
    for symbol in sorted(set(_SYMBOL.findall(pair[0] + pair[1]))):
        if symbol.startswith("count"):
            n = rng.randint(2, 60)
            found[symbol] = (number(n), english.number(n))
        else:
            found[symbol] = _expand(rng.choice(PAIRS[symbol]), rng)
    french, translation = (
        _SYMBOL.sub(lambda match, side=side: found[match.group(1)][side], text) for side, text in enumerate(pair)
    )
    return french, translation


def draw_pair(rng: random.Random, held_out: bool) -> tuple[str, str]:
    """A French sentence from the training or the held-out side, and its translation."""
    while True:
        french, translation = _expand(rng.choice(PAIRS["sentence"]), rng)
        french, translation = (text[0].upper() + text[1:] for text in (_elide(french), translation))
        if is_held_out(french) == held_out:
            return french, translation
