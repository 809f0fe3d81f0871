"""What people say in the synthetic corpus: service calls in Québec French, seeded sentences from templates.

Two parties, a customer and an agent, talk about telephony, the Internet, snow clearing, appliances, cars and food.
The sentences are invented; they repeat Québec's words often and themselves hardly ever, which is what lets a tuned
model learn the words and a test show that it did. Numbers are written in words, a question ends in " ?".
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Final

# Words of this domain, each in a template below; none is in the language that nano was trained on.
_DOMAIN = """
tuque char blonde chum dépanneur forfait cellulaire magasiner souper bienvenue courriel stationnement
abonnement débit modem borne dégât poutine motoneige tempête déneigement chaudière érable bleuets mitaines
balayeuse laveuse sécheuse arrière achaler jaser pantoute routeur décodeur manette thermostat thermopompe
génératrice souffleuse cabanon sirop dollars piastres facturation succursale soumission résiliation
prélèvement versement solde rabais promotion taxes relevé réseau fibre câble prise antenne verglas poudrerie
gadoue bordée pelle gratte pneus essence garderie tourtière cretons beigne orignal chalet canot galerie
fournaise plinthe toiture gouttière clôture haie gazon bébelles patente niaiser placoter magasinage
dispendieux tannée pogné débarrer tantôt icitte astheure coudonc frette chicane débrancher redémarrer
clignote déneiger pelleter résilier technicienne superviseur répartitrice abonné équipement courant
disjoncteur transfert garantie entrée asphalte remorque foulard chandail épluchette cabane traîneau
patinoire hockey conteneur recyclage écran mensualité signal rallonge
"""
DOMAIN_WORDS: Final = frozenset(_DOMAIN.split())


def _options(text: str) -> list[str]:
    return [" ".join(option.split()) for option in text.split(";")]


_RULES: Final[dict[str, list[str]]] = {
    # openings and closings
    "agent_opening": [
        "bienvenue chez <company>, ici <agent>",
        "<company> bonjour, <agent> au service <service>",
        "service <service> de <company>, mon nom est <agent>",
        "merci de patienter, ici <agent> pour le <plan>",
        "bienvenue au service <service>, c'est <agent> à l'écoute",
    ],
    "client_opening": [
        "oui allô, c'est <client>, j'appelle pour <matter>",
        "bonjour <agent>, je veux placoter de <matter>",
        "allô, <client> à l'appareil, c'est à propos de <matter>",
        "oui bonjour, je suis abonné et j'ai une question sur <matter>",
        "coudonc, j'essaie depuis <since> de vous jaser de <matter>",
    ],
    "agent_closing": [
        "bienvenue <client>, bonne fin de semaine et attention <hazard>",
        "c'est réglé pour <matter>, passez un beau souper",
        "je vous envoie le <paper> <later>, bonne journée",
        "gardez votre <paper>, et bonne fin de semaine <where>",
    ],
    "client_closing": [
        "merci bien <agent>, je m'en vais <errand>",
        "parfait, on se rejase <later>, bonne fin de semaine",
        "merci, <person> va s'occuper de <matter>",
        "bon, je vous laisse, il faut <errand> avant le souper",
    ],
    # what is said in between
    "agent_turn": [
        "est-ce que <device> <sign> encore ?",
        "avez-vous essayé de <fix> <device> ?",
        "il faut <fix> <device> pendant <number> secondes.",
        "est-ce qu'on doit <chore> <where> <later> ?",
        "notre gars peut <chore> <later>, pour <number> piastres.",
        "la soumission pour <job> est de <number> dollars.",
        "j'ai envoyé <stuff> par la poste <past>.",
        "je vois un <money> de <number> dollars sur votre <paper>.",
        "la technicienne passera <later>, entre <hour> et <late_hour>.",
        "votre <plan> vient avec <number> gigas et <gift>.",
        "le rabais sur <device> finit <later>.",
        "la succursale <where> a encore <gift>.",
        "le débit monte à <number> mégas avec le <plan>.",
        "notre répartitrice a noté <trouble> <where>.",
        "je vous transfère à la répartitrice pour <matter>.",
        "avant les taxes, <device> revient à <number> piastres.",
        "le solde du relevé est de <number> dollars et <small> sous.",
        "le superviseur va vous rappeler <later> pour <matter>.",
        "votre numéro de soumission, c'est le <number>.",
        "le prélèvement de <number> dollars est passé <past>.",
        "voulez-vous ajouter <gift> à votre <plan> ?",
        "le voyant de <device> est-il vert ou <colour> ?",
        "la garantie couvre <device> contre <hazard_noun>.",
        "on va débarrer <device> <later>, sans frais de <money_plain>.",
        "c'est <number> piastres pour <job>, plus les taxes.",
        "désolé, le réseau est en panne <where> à cause <hazard_of>.",
        "à quelle adresse faut-il livrer <gift> ?",
        "je peux vous offrir <gift> pour <small> dollars de plus.",
        "votre mensualité descend à <number> dollars <later>.",
        "il reste <small> jours de promotion pour le <plan>.",
        "parfait, <device> est en garantie jusqu'à <month>.",
        *["<everyday>"] * 16,
    ],
    "client_turn": [
        "<device> <fails> depuis <since>.",
        "<person> a <broke> <device> <past>.",
        "<device> <fails> à cause <hazard_of>.",
        "on vend <dish> <where> pour <small> piastres.",
        "<person> prépare <dish> pour le souper.",
        "<person> s'occupe de <job> <later>.",
        "c'est ben trop dispendieux, <number> piastres pour <device>.",
        "je veux résilier <plan_of> <later>.",
        "ma blonde est tannée de <chore> <where>.",
        "astheure, <device> <sign> <where>.",
        "on a eu <trouble> <past>.",
        "il fait frette icitte, <device> <fails>.",
        "ça marche pas pantoute, <device> <fails>.",
        "j'arrive de <errand>, et <device> <fails>.",
        "<person> veut <errand> <later>.",
        "est-ce que <job> coûte <number> dollars ?",
        "arrêtez de m'achaler avec le <plan>.",
        "le <paper> parle de <number> dollars de <money_plain>, c'est ben dispendieux.",
        "il y a <trouble> devant <place>.",
        "mon char est pogné <where> avec <stuff>.",
        "j'ai laissé <stuff> et <stuff> <where>.",
        "faut pas niaiser, il y aura <trouble> <later>.",
        "on mange <dish> <later> avec <person>.",
        "<person> a acheté <stuff> pour <small> piastres.",
        "tantôt, <person> va <chore> <where>.",
        "le gars du <crew> a oublié <stuff> <where>.",
        "avez-vous <gift> dans le <plan> ?",
        "combien coûte <job> avec le <plan> ?",
        "j'ai payé <number> dollars à la succursale <past>.",
        "mon courriel a changé, et <device> <fails>.",
        "<person> cherche <stuff> <where> depuis <since>.",
        "j'ai fait une chicane avec <person> pour <stuff>.",
        "<dish>, c'est meilleur <where> que <where>.",
        *["<everyday>"] * 16,
    ],
    # in words that everybody uses, everywhere: a third of the turns between greeting and farewell
    "everyday": [
        "je vous rappelle <weekday> à <time>",
        "le rendez-vous est <weekday> à <time>",
        "pouvez-vous me rappeler demain matin vers <time> ?",
        "je voudrais prendre un rendez-vous <weekday> matin",
        "mon numéro de client est <number>",
        "votre référence est <number>, vous pouvez noter",
        "je voudrais changer la date de la livraison, <weekday> si c'est possible",
        "pouvez-vous répéter le numéro, s'il vous plaît ?",
        "attendez une minute, je vérifie votre dossier",
        "je voudrais laisser un message pour <relative>",
        "merci beaucoup, c'est parfait, à <weekday>",
        "est-ce que vous êtes libre <weekday> à <time> ?",
        "le magasin est ouvert <weekday> à <time>",
        "j'habite au <small> rue du Moulin, deuxième étage",
        "<relative> a perdu la clé <weekday> matin",
        "<relative> travaille à la banque depuis <weekday>",
        "le médecin est absent <weekday> matin",
        "je n'ai pas reçu la lettre <weekday>",
        "le train part à <time>, il faut attendre <small> minutes",
        "il y a un problème avec la machine à laver depuis <weekday>",
        "quel est votre numéro de téléphone ?",
        "<relative> cherche la gare depuis <time>",
        "je préfère payer par carte, merci beaucoup",
        "<relative> a <small> ans",
        "il faut confirmer l'adresse, c'est le <small> rue des Lilas",
        "nous arrivons <weekday> à <time> chez <relative>",
    ],
    # what fills them
    "company": _options(
        """
        Télé-Nord; Réseau Boréal; Câble Saguenay; Déneigement Tremblay; Fibre Laurentides; Chauffage Gagnon;
        Services Outaouais
        """
    ),
    "agent": _options(
        """
        Maxime Gagnon; Karine Bouchard; Sylvain Tremblay; Mélanie Gauthier; Yves Pelletier; Josée Bergeron;
        Stéphane Ouellet; Annie Lévesque
        """
    ),
    "client": _options(
        """
        Ginette Côté; Réjean Boucher; Guylaine Fortin; Normand Cloutier; Lise Gagné; Francine Paquette; Gaétan
        Morin; Diane Thibault; Alexis Roy
        """
    ),
    "service": _options(
        """
        technique; de dépannage; de facturation; à la clientèle; de déneigement; de résiliation; de recyclage
        """
    ),
    "crew": _options("déneigement; dépannage; recyclage; magasin; cabanon; réseau"),
    "plan": _options(
        """
        forfait cellulaire; forfait fibre; forfait famille; forfait chalet; abonnement annuel; abonnement
        hockey
        """
    ),
    "plan_of": _options(
        """
        mon abonnement; mon forfait cellulaire; le forfait du chalet; le déneigement; l'abonnement de ma
        blonde
        """
    ),
    "device": _options(
        """
        le modem; la borne; le cellulaire; la manette; le décodeur; le routeur; la laveuse; la sécheuse; la
        chaudière; la balayeuse; la thermopompe; la génératrice; le thermostat; la souffleuse; la motoneige;
        la fournaise; la plinthe; l'antenne; le câble; la prise; le disjoncteur; l'écran; le char;
        l'équipement; la rallonge
        """
    ),
    "fails": _options(
        """
        clignote sans arrêt; marche pas pantoute; fait un bruit bizarre; perd le signal; manque de courant; a
        gelé; a sauté; coule; chauffe trop; s'arrête tout le temps; refuse de redémarrer; perd son débit; sent
        le brûlé
        """
    ),
    "sign": _options("clignote; chauffe; redémarre; capte le signal; affiche une erreur; répond"),
    "fix": _options("débrancher; redémarrer; rebrancher; réinitialiser; nettoyer; débarrer"),
    "broke": _options("échappé; brisé; débranché; barré; magané; prêté"),
    "matter": _options(
        """
        mon abonnement; ma soumission; le déneigement; un dégât d'eau; mes frais de transfert; la garantie de
        <device>; la résiliation; mon stationnement; le débit de ma fibre; un prélèvement; le rabais de
        <number> dollars; la panne de courant; le conteneur de recyclage
        """
    ),
    "paper": _options("relevé; courriel; contrat de garantie; numéro de soumission; solde; reçu du dépanneur"),
    "money": _options("rabais; versement; solde; prélèvement; frais de transfert; crédit de dépannage"),
    "money_plain": _options("stationnement; facturation; mensualité; résiliation; dépannage; transfert"),
    "gift": _options(
        """
        un cellulaire; un décodeur; une deuxième manette; un modem neuf; un routeur; une borne de recharge; du
        sirop d'érable; une tuque; la fibre; un rabais; l'appel en attente
        """
    ),
    "job": _options(
        """
        le déneigement; la souffleuse; le dépannage; la toiture; la gouttière; le transfert; le stationnement;
        l'asphalte de l'entrée; la clôture; le ménage de la galerie; la réparation de <device>
        """
    ),
    "trouble": _options(
        """
        un dégât d'eau; une grosse bordée; une tempête; du verglas; de la poudrerie; une panne de courant; un
        orignal; un banc de neige; de la gadoue; une chicane; une fuite de chaudière
        """
    ),
    "hazard": _options("au verglas; à la poudrerie; à la gadoue; à la tempête; aux bancs de neige; aux orignaux"),
    "hazard_noun": _options("le verglas; le frette; les dégâts d'eau; la tempête"),
    "hazard_of": _options(
        """
        du verglas; de la tempête; du frette; de la poudrerie; d'une panne; d'un dégât d'eau; de l'antenne; du
        déneigement
        """
    ),
    "person": _options(
        """
        mon chum; ma blonde; mon beau-frère; ma belle-sœur; la voisine d'en arrière; mon coloc; la gardienne;
        le gars du dépanneur; mon mononcle Réal; la technicienne
        """
    ),
    "chore": _options(
        """
        pelleter; passer la balayeuse; déneiger le char; gratter les vitres; tondre le gazon; tailler la haie;
        poser les pneus; ramasser les bébelles; pelleter l'entrée
        """
    ),
    "errand": _options(
        """
        magasiner une tuque; magasiner des pneus; chercher les enfants à la garderie; mettre de l'essence;
        jouer au hockey; passer au dépanneur; manger une poutine; placoter avec mon chum; pelleter la galerie;
        faire du magasinage; jaser avec ma blonde
        """
    ),
    "place": _options(
        """
        le dépanneur; la garderie; la succursale; le chalet; le cabanon; la patinoire; la cabane à sucre; le
        stationnement
        """
    ),
    "where": _options(
        """
        au dépanneur; au chalet; dans la cour arrière; dans le stationnement; sur la galerie; dans le cabanon;
        à la garderie; à Chicoutimi; à Trois-Rivières; en Gaspésie; à Rimouski; à Gatineau; à la cabane à
        sucre; à la patinoire; dans l'entrée; au sous-sol
        """
    ),
    "stuff": _options(
        """
        mes mitaines; ma tuque; mon foulard; mon chandail de hockey; la pelle; la gratte; les pneus; la
        remorque; le canot; le traîneau; mes bébelles; une patente; la balayeuse; la manette; le sirop
        d'érable; des bleuets; le conteneur
        """
    ),
    "dish": _options(
        """
        une poutine; la tourtière; des cretons; un beigne; des bleuets; du blé d'Inde; une épluchette; du
        sirop d'érable; un pâté chinois
        """
    ),
    "since": _options(
        """
        la tempête; la fin de semaine; le souper; le verglas; <small> jours; la panne de courant; la dernière
        bordée; le magasinage
        """
    ),
    "past": _options(
        """
        en fin de semaine; avant-hier; après le souper; pendant la tempête; à l'automne; l'hiver passé;
        tantôt; pendant le hockey
        """
    ),
    "later": _options(
        """
        tantôt; en fin de semaine; après le souper; après la tempête; au printemps; dans <small> jours; la fin
        de semaine prochaine; après le verglas
        """
    ),
    "colour": _options("rouge; bleu; jaune; orange; blanc"),
    "hour": _options("huit heures; neuf heures; dix heures; onze heures"),
    "late_hour": _options("treize heures; quatorze heures; seize heures; dix-sept heures"),
    "month": _options("mars; juin; septembre; décembre"),
    "weekday": _options("lundi; mardi; mercredi; jeudi; vendredi; samedi; dimanche"),
    "time": _options(
        """
        huit heures; neuf heures et quart; dix heures et demie; onze heures vingt; midi; quatorze heures; quinze heures
        dix; seize heures et demie; dix-huit heures
        """
    ),
    "relative": _options(
        "ma mère; mon père; ma sœur; mon frère; ma fille; mon fils; mon mari; ma femme; mon oncle; ma voisine"
    ),
}

_SYMBOL = re.compile(r"<(\w+)>")
_UNITS = _options(
    """
    zéro; un; deux; trois; quatre; cinq; six; sept; huit; neuf; dix; onze; douze; treize; quatorze; quinze; seize;
    dix-sept; dix-huit; dix-neuf
    """
)
_TENS = ["", "", "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre-vingt", "quatre-vingt"]


def call_turns(rng: random.Random, n_turns: int) -> list[str]:
    """The sentences of one call, agent and customer by turns, the agent first.

    Args:
        rng: decides what is said.
        n_turns: an even number of at least 4: a greeting and a farewell each, and what lies between.

    Returns:
        ``n_turns`` sentences, capitalised, ended by ``.`` or `` ?``.
    """
    rules = {**_RULES, **{party: [rng.choice(_RULES[party])] for party in ("company", "agent", "client")}}
    middle = ["agent_turn", "client_turn"] * ((n_turns - 4) // 2)
    parts = ["agent_opening", "client_opening", *middle, "agent_closing", "client_closing"]
    return [_sentence(rng, part, rules) for part in parts]


def _sentence(rng: random.Random, symbol: str, rules: Mapping[str, list[str]]) -> str:
    text = _expand(f"<{symbol}>", rng, rules)
    for long, short in ((" de le ", " du "), (" de les ", " des "), (" à le ", " au ")):
        text = text.replace(long, short)
    text = re.sub(r"\b(d|l|qu)[ea] (?!onze)(?=[aeéèêiouâô])", r"\1'", text)
    if text[-1] not in ".?":
        text += "."
    return text[0].upper() + text[1:]


def number(n: int) -> str:
    """A number below a million in words, with traditional hyphens."""
    if n < 20:
        return _UNITS[n]
    if n < 100:
        ten, unit = divmod(n, 10)
        if ten in (7, 9):
            unit += 10
        if unit == 0:
            return _TENS[ten] + ("s" if ten == 8 else "")
        return _TENS[ten] + (" et " if unit in (1, 11) and ten < 8 else "-") + _UNITS[unit]
    size, word = (100, "cent") if n < 1000 else (1000, "mille")
    count, rest = divmod(n, size)
    plural = "s" if word == "cent" and count > 1 and not rest else ""
    head = word if count == 1 else f"{number(count)} {word}{plural}"
    return head + (f" {number(rest)}" if rest else "")


def _expand(text: str, rng: random.Random, rules: Mapping[str, list[str]]) -> str:
    def fill(match: re.Match[str]) -> str:
        symbol = match.group(1)
        if symbol == "number":
            return number(int(10 ** rng.uniform(1, 3)))
        if symbol == "small":
            return number(rng.randint(2, 59))
        return _expand(rng.choice(rules[symbol]), rng, rules)

    return _SYMBOL.sub(fill, text)
