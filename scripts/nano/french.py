"""French telephone talk: the sentences nano learns from. No word of the demo's Québec domain is among them."""

from __future__ import annotations

import random
import re

from nano.grammar import Grammar
from parlure.speech.service_calls import number

_MONTHS = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"]
_DAYS = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"]


def _time(rng: random.Random) -> str:
    hour = rng.randint(7, 21)
    tail = rng.choice(["", "", " et quart", " et demie", " moins le quart", " " + number(rng.choice([5, 10, 20, 25, 40, 50]))])
    return rng.choice([f"{number(hour)} heures{tail}", f"{number(hour)} heures{tail}", "midi", "midi et demi"])


def _date(rng: random.Random) -> str:
    day = rng.randint(1, 31)
    return f"le {rng.choice([*_DAYS, ''])} {'premier' if day == 1 else number(day)} {rng.choice(_MONTHS)}"


def _phone(rng: random.Random) -> str:
    return " ".join(number(rng.randint(10, 99)) for _ in range(rng.randint(3, 5)))


def _elide(text: str) -> str:
    text = re.sub(r"\b(de|le|la|que|je|ne|se|me|te|jusque|lorsque) (?=[aeiouyéèêàâîôœ]|h(?:eure|eures|ôtel|ôpital|iver|omme|ier|abitude|istoire))",
                  lambda m: m.group(1)[:-1] + "'", text, flags=re.IGNORECASE)
    for long, short in (("de le ", "du "), ("de les ", "des "), ("à le ", "au "), ("à les ", "aux ")):
        text = text.replace(" " + long, " " + short)
    return text


_RULES = {
    "sentence": [
        "<greeting>, <intro>.", "<greeting>, <request>.", "<request>, <polite>.", "<question> ?", "<question> ?",
        "<statement>.", "<statement>.", "<statement>.", "<answer>, <statement>.", "<answer>.", "<statement> et <statement>.",
        "<statement>, mais <statement>.", "<statement> parce que <statement>.", "<chat>.", "<chat>.", "<when>, <statement>.",
        "<thanks>, <bye>.", "<order>.", "<address_line>.", "<number_line>.", "<narration>.", "<narration>.", "<narration> <place>.",
        "<greeting> <firstname>, <question> ?", "<narration>, <narration>.",
    ],
    "greeting": ["bonjour", "bonsoir", "allô", "bonjour madame", "bonjour monsieur", "oui bonjour", "salut"],
    "intro": ["c'est <firstname> à l'appareil", "ici <person>", "je suis <person>", "je m'appelle <firstname> <surname>",
              "vous êtes bien chez <person>", "c'est <person>, je vous rappelle", "je vous appelle au sujet <topic>"],
    "polite": ["s'il vous plaît", "si c'est possible", "merci d'avance", "si vous voulez bien", "quand vous pourrez"],
    "person": ["madame <surname>", "monsieur <surname>", "docteur <surname>", "<firstname> <surname>", "<firstname>"],
    "firstname": ["Marie", "Pierre", "Julie", "Nicolas", "Sophie", "Antoine", "Camille", "Lucas", "Claire", "Thomas", "Nathalie", "Olivier", "Hélène", "Martin", "Isabelle", "Daniel", "Céline", "Hugo", "Louise", "Gabriel", "Simon", "Chantal", "André", "Manon", "Jérôme", "Valérie", "Philippe", "Catherine", "Denis", "Brigitte", "Rachel", "Samuel", "Arthur", "Émilie", "Mathieu", "Florence"],
    "surname": ["Bernard", "Dubois", "Moreau", "Laurent", "Girard", "Lefèvre", "Fontaine", "Rousseau", "Mercier", "Blanchard", "Garnier", "Chevalier", "Lambert", "Bonnet", "Dupont", "Marchand", "Perrin", "Lemaire", "Renard", "Colin", "Barbier", "Carpentier", "Vasseur", "Picard", "Leclerc", "Fabre", "Guérin", "Boyer"],
    "topic": ["de ma facture", "du rendez-vous", "de la livraison", "de votre annonce", "de mon dossier", "du contrat", "de la réunion",
              "de l'assurance", "du voyage", "de la commande numéro <smallnumber>", "de votre message", "de la réparation"],
    "request": ["je voudrais <wish>", "j'aimerais <wish>", "est-ce que je pourrais <wish>", "pouvez-vous <favour>", "il faudrait <favour>",
                "je vous appelle pour <wish>", "j'ai besoin de <wish>"],
    "wish": ["prendre un rendez-vous <when>", "parler à <person>", "réserver une table pour <people>", "annuler ma commande", "changer la date de mon voyage",
             "connaître vos horaires", "acheter <thing>", "savoir le prix de <thing>", "recevoir ma facture par courrier", "louer une voiture <when>",
             "visiter l'appartement", "payer par carte", "laisser un message", "vendre <thing>", "modifier mon adresse", "obtenir un remboursement",
             "réserver une chambre pour deux nuits", "inscrire mon fils à un cours de <activity>", "échanger <thing>"],
    "favour": ["me rappeler <when>", "répéter le numéro", "vérifier mon dossier", "envoyer un technicien", "parler plus lentement", "attendre une minute",
               "confirmer l'adresse", "épeler votre nom", "me donner le prix", "réparer <thing>", "livrer <thing> <when>", "fermer la porte", "noter mon numéro",
               "me passer <person>", "signer le document", "ouvrir un compte", "préparer la salle"],
    "when": ["demain matin", "ce soir", "<weekday> prochain", "<weekday> à <time>", "la semaine prochaine", "<date>", "cet après-midi", "dans <smallnumber> minutes",
             "avant <time>", "après le déjeuner", "pendant les vacances", "à la fin du mois", "aujourd'hui", "vers <time>", "hier soir", "tout de suite", "depuis <weekday>"],
    "weekday": _DAYS,
    "people": ["deux personnes", "quatre personnes", "six personnes", "<smallnumber> personnes"],
    "question": ["à quelle heure <passes>", "combien coûte <thing>", "où se trouve <placename>", "quel est votre numéro de <kind>", "quand est-ce que <event>",
                 "pourquoi <event>", "qui a appelé <when>", "est-ce que vous avez <thing>", "est-ce que <event>", "comment allez-vous <when>", "vous habitez où maintenant",
                 "avez-vous reçu <thing>", "peut-on stationner près de <placename>", "c'est encore loin <placename>", "tu viens <when>", "tu as vu <relative> <when>",
                 "quel temps fait-il chez vous", "vous êtes libre <when>", "combien de temps dure <activity>", "quelle taille faites-vous"],
    "passes": ["arrive le train", "ferme le magasin", "commence la réunion", "ouvre la banque", "part l'autobus", "finit le spectacle"],
    "kind": ["téléphone", "client", "dossier", "compte", "contrat", "chambre"],
    "event": ["le train est en retard", "le paiement a été refusé", "la livraison arrive <when>", "le médecin peut me recevoir", "le magasin est ouvert <weekday>",
              "vous passez <when>", "<relative> est à la maison", "il reste des places", "la machine ne marche plus", "le colis est arrivé", "on mange <food>"],
    "statement": ["j'ai perdu <thing>", "je n'ai pas reçu <thing>", "<relative> travaille à <placename>", "le rendez-vous est <when>", "il y a un problème avec <thing>",
                  "<thing> est <adjective>", "nous arrivons <when>", "je vous rappelle <when>", "le prix est de <number> euros", "ça coûte <number> euros", "on se retrouve devant <placename>",
                  "je préfère <food>", "elle a acheté <thing>", "il fait <weather> <when>", "la réunion commence à <time>", "mon train part à <time>", "j'habite près de <placename>",
                  "vous devez appuyer sur le bouton <colour>", "il manque une signature", "c'est trop cher pour moi", "le médecin est absent <when>", "nous avons <smallnumber> enfants",
                  "je cherche <placename>", "tout le monde est content", "je ne comprends pas la question", "le dossier est complet", "il a oublié <thing>", "ma voiture est <colour>",
                  "j'ai mal <body>", "la connexion est très lente", "le téléphone ne sonne plus", "<relative> a <number> ans", "la batterie est vide", "il faut attendre <smallnumber> jours"],
    "answer": ["oui", "non", "d'accord", "bien sûr", "peut-être", "je ne sais pas", "pas de problème", "très bien", "ah bon", "tant pis", "exactement", "c'est parfait", "désolé", "au contraire", "évidemment", "pas encore"],
    "thanks": ["merci beaucoup", "merci bien", "je vous remercie", "merci de votre appel", "merci quand même"],
    "bye": ["au revoir", "bonne journée", "à bientôt", "bonne soirée", "à demain", "bon week-end", "bonne fin de journée", "à la prochaine"],
    "chat": ["on a mangé <food> <when>", "<relative> adore <activity>", "les enfants jouent dans <room>", "j'ai regardé un film avec <relative>", "il pleut depuis <weekday>",
             "<relative> est parti en vacances", "je fais <activity> chaque <weekday>", "on va boire <drink> <place>", "le chat dort sur <furniture>", "tu devrais essayer <food>",
             "la musique était très forte", "le voisin a un nouveau chien", "je me lève à <time>", "nous avons bien ri", "<relative> cuisine <food> pour tout le monde", "mon frère répare <thing>",
             "elle porte <clothing> <colour>", "j'ai mis <clothing> dans <furniture>", "il parle souvent de <activity>", "on annonce <weather2> pour <weekday>"],
    "place": ["au restaurant", "à la gare", "dans la rue", "chez <relative>", "au bureau", "à la campagne", "au bord de la mer", "en ville", "au marché", "devant l'école", "sur la place", "derrière l'église"],
    "placename": ["la gare", "la pharmacie", "l'hôpital", "la mairie", "l'école", "la bibliothèque", "le marché", "l'hôtel", "la banque", "l'aéroport", "le musée", "la piscine", "le garage", "la boulangerie", "le cinéma", "le pont", "le parc", "la poste", "l'usine", "le stade"],
    "relative": ["ma mère", "mon père", "ma sœur", "mon frère", "ma fille", "mon fils", "mon mari", "ma femme", "ma grand-mère", "mon oncle", "ma tante", "mon cousin", "ma voisine", "mon collègue", "mon patron", "mon meilleur ami"],
    "thing": ["un billet", "mon passeport", "la clé", "les clés", "un ordinateur", "le colis", "une lampe", "le frigo", "la machine à laver", "un vélo", "mes lunettes", "un livre", "la télévision", "le contrat", "une montre", "le chauffage", "un parapluie",
              "une valise", "mon portefeuille", "la facture", "le document", "un téléphone portable", "une tondeuse", "la radio", "des chaussures", "un cadeau", "le robinet", "une imprimante", "la fenêtre", "un miroir", "le tapis", "une échelle", "un marteau", "le certificat", "un chèque", "une guitare", "la poussette"],
    "adjective": ["cassé", "trop petit", "très lourd", "presque neuf", "gratuit", "en panne", "perdu", "magnifique", "fragile", "sale", "propre", "rapide", "disponible", "différent", "dangereux", "inutile", "bruyant", "solide"],
    "food": ["du poulet", "une soupe", "des pâtes", "du poisson", "une salade", "un gâteau au chocolat", "des fraises", "du fromage", "une omelette", "des légumes", "du riz", "une tarte aux pommes", "du jambon", "des champignons", "une pizza", "des œufs", "du pain frais", "des carottes", "une orange", "des haricots", "du miel"],
    "drink": ["un café", "un thé", "un verre de vin", "une bière", "un jus de fruits", "de l'eau fraîche", "un chocolat chaud", "une limonade"],
    "activity": ["la natation", "la danse", "le football", "la peinture", "la lecture", "le jardinage", "la cuisine", "le piano", "la marche", "la photographie", "le ski", "la pêche", "le théâtre", "la couture", "les échecs"],
    "room": ["le jardin", "la cuisine", "le salon", "la chambre", "la cave", "le grenier", "la cour", "le couloir", "l'escalier"],
    "furniture": ["le canapé", "le lit", "la table", "l'armoire", "le fauteuil", "le tiroir", "l'étagère", "le bureau"],
    "clothing": ["une robe", "un manteau", "une chemise", "un pantalon", "une écharpe", "des gants", "un chapeau", "une jupe", "une veste", "des bottes", "une cravate"],
    "colour": ["rouge", "bleu", "vert", "jaune", "noir", "blanc", "gris", "orange", "violet", "rose", "brun", "beige"],
    "weather": ["chaud", "froid", "beau", "mauvais", "sombre", "doux", "humide", "frais"],
    "weather2": ["de la pluie", "du soleil", "de la neige", "du vent", "un orage", "du brouillard", "des nuages", "du gel"],
    "body": ["à la tête", "au dos", "au ventre", "à la gorge", "aux dents", "au genou", "à l'épaule", "à la main", "au pied", "à l'oreille"],
    "order": ["je prends <food> et <drink>", "mettez-moi <smallnumber> <goods>", "il me faut <smallnumber> <goods> et <drink>", "commandez <food> pour <people>", "ajoutez <smallnumber> <goods> <colour>"],
    "goods": ["bouteilles", "enveloppes", "assiettes", "chaises", "ampoules", "stylos", "serviettes", "bouquets", "cartons", "tomates", "timbres", "cahiers", "bougies", "planches", "coussins", "rideaux", "tasses", "cuillères", "boîtes", "lettres"],
    "address_line": ["j'habite au <smallnumber> <street>", "notre bureau est au <smallnumber> <street>", "l'adresse est <smallnumber> <street>, <floor>", "livrez au <smallnumber> <street> <when>"],
    "street": ["rue de la République", "avenue Victor Hugo", "boulevard des Platanes", "rue du Moulin", "place du Château", "rue des Lilas", "avenue de la Gare", "chemin des Vignes", "rue Pasteur", "quai du Port", "allée des Cerisiers", "rue de l'Abbaye", "impasse du Puits"],
    "floor": ["premier étage", "deuxième étage", "troisième étage", "au fond de la cour", "porte de gauche", "porte de droite", "bâtiment principal", "rez-de-chaussée"],
    "number_line": ["mon numéro est le <phone>", "le code est <number>", "votre référence est <number>", "composez le <phone>", "mon numéro de client est <number>", "la facture est de <number> euros et <smallnumber> centimes", "rappelez au <phone>", "il y avait <number> voitures", "le total fait <number>"],
    "narration": ["<relative> <verb> <complement>", "<relative> <verb> <complement> <when>", "le <job> <verb> <complement>", "la <job2> <verb> <complement>", "les <crowd> <verbs> <complement>", "un <job> <adjective2> <verb> <complement>"],
    "job": ["boulanger", "facteur", "plombier", "médecin", "professeur", "chauffeur", "jardinier", "policier", "vendeur", "dentiste", "serveur", "directeur", "mécanicien", "journaliste", "pompier", "coiffeur", "avocat", "cuisinier", "pharmacien", "pilote"],
    "job2": ["secrétaire", "vendeuse", "infirmière", "directrice", "caissière", "gardienne", "chanteuse", "voisine", "cliente", "stagiaire", "comptable", "bouchère", "touriste"],
    "crowd": ["ouvriers", "élèves", "passagers", "voisins", "clients", "musiciens", "visiteurs", "étudiants", "joueurs", "invités", "employés", "habitants"],
    "verb": ["regarde", "cherche", "apporte", "prépare", "oublie", "trouve", "demande", "accepte", "refuse", "montre", "vend", "nettoie", "dessine", "raconte", "emprunte", "photographie", "mesure", "explique", "casse", "rapporte", "découvre", "transporte", "choisit", "imagine", "admire", "soulève"],
    "verbs": ["regardent", "cherchent", "apportent", "préparent", "oublient", "trouvent", "demandent", "refusent", "montrent", "vendent", "nettoient", "racontent", "choisissent", "visitent", "traversent", "construisent", "écoutent", "gardent"],
    "complement": ["<thing>", "<food>", "le <noun>", "la <noun2>", "les <nouns>", "un <noun> <adjective2>", "une <noun2> <adjective2>"],
    "noun": ["village", "fleuve", "bateau", "camion", "nuage", "journal", "tableau", "château", "tunnel", "moteur", "sac", "panier", "cheval", "canard", "mouton", "secret", "projet", "travail", "résultat", "voyage", "exercice", "morceau", "couteau", "plafond", "mur", "toit", "arbre", "oiseau", "lac", "sentier", "dessin", "tambour", "costume", "masque", "fromage", "manuel", "bâton"],
    "noun2": ["montagne", "rivière", "forêt", "plage", "route", "ferme", "colline", "maison", "lettre", "histoire", "chanson", "réponse", "idée", "erreur", "machine", "couleur", "carte", "ficelle", "corde", "pierre", "étoile", "lune", "vache", "poule", "souris", "abeille", "feuille", "racine", "branche", "ceinture", "poche", "boutique", "statue", "fontaine", "moquette", "brosse", "couverture", "bague"],
    "nouns": ["fleurs", "bagages", "nouvelles", "photos", "règles", "horaires", "outils", "meubles", "chiffres", "graines", "feuilles", "miettes", "marches", "plumes", "vitres", "briques", "étiquettes", "pièces", "perles", "ailes"],
    "adjective2": ["étrange", "énorme", "tranquille", "célèbre", "utile", "simple", "facile", "agréable", "triste", "jeune", "rapide", "fragile", "calme", "sauvage", "pratique", "moderne", "honnête", "fantastique", "ridicule", "timide", "terrible", "mince", "large", "confortable"],
}

GRAMMAR = Grammar(
    language="fr",
    rules=_RULES,
    makers={
        "number": lambda rng: number(int(10 ** rng.uniform(1, 4.5))),
        "smallnumber": lambda rng: number(rng.randint(2, 99)),
        "time": _time,
        "date": _date,
        "phone": _phone,
    },
    finish=_elide,
)
