"""English telephone talk: the sentences nano learns from."""

from __future__ import annotations

import random

from nano.grammar import Grammar

_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"]
_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def number(n: int) -> str:
    """A number below a million in words."""
    if n < 20:
        return _UNITS[n]
    if n < 100:
        ten, unit = divmod(n, 10)
        return _TENS[ten] + (f"-{_UNITS[unit]}" if unit else "")
    if n < 1000:
        hundred, rest = divmod(n, 100)
        return f"{_UNITS[hundred]} hundred" + (f" and {number(rest)}" if rest else "")
    thousand, rest = divmod(n, 1000)
    return f"{number(thousand)} thousand" + (f" {number(rest)}" if rest else "")


def _time(rng: random.Random) -> str:
    hour = _UNITS[rng.randint(1, 12)]
    tail = rng.choice([" o'clock", " thirty", " fifteen", " in the morning", " in the evening", " forty-five"])
    return rng.choice([f"{hour}{tail}", f"half past {hour}", f"a quarter to {hour}", f"a quarter past {hour}", "noon"])


def _date(rng: random.Random) -> str:
    return f"{rng.choice(_MONTHS)} {rng.choice(_ORDINALS)}"


def _phone(rng: random.Random) -> str:
    return " ".join(_UNITS[rng.randint(0, 9)] for _ in range(rng.randint(4, 8)))


_RULES = {
    "sentence": [
        "<greeting>, <intro>.", "<greeting>, <request>.", "<request>, <polite>.", "<question>?", "<question>?", "<statement>.", "<statement>.",
        "<statement>.", "<answer>, <statement>.", "<answer>.", "<statement> and <statement>.", "<statement>, but <statement>.",
        "<statement> because <statement>.", "<chat>.", "<chat>.", "<when> <statement>.", "<thanks>, <bye>.", "<order>.", "<address_line>.",
        "<number_line>.", "<narration>.", "<narration>.", "<narration> <place>.", "<greeting> <firstname>, <question>?", "<narration>, and <narration>.",
    ],
    "greeting": ["hello", "good morning", "good evening", "hi", "good afternoon", "hello sir", "hello madam"],
    "intro": ["this is <person> speaking", "my name is <firstname> <surname>", "it is <firstname> from the <shop>", "I am calling about <topic>", "<person> here", "you have reached the <shop>"],
    "polite": ["please", "if possible", "thank you", "when you can", "if you don't mind"],
    "person": ["Mister <surname>", "Missus <surname>", "Doctor <surname>", "<firstname> <surname>", "<firstname>"],
    "firstname": ["Mary", "Peter", "Julia", "Nicholas", "Sarah", "Anthony", "Emma", "Lucas", "Clare", "Thomas", "Linda", "Oliver", "Helen", "Martin", "Rachel", "Daniel", "Alice", "Henry", "Grace", "Gabriel", "Simon", "Laura", "Andrew", "Margaret", "Jacob", "Valerie", "Philip", "Karen", "Dennis", "Susan", "Edward", "Hannah", "Robert", "Victoria"],
    "surname": ["Johnson", "Walker", "Bennett", "Cooper", "Harrison", "Murphy", "Parker", "Foster", "Russell", "Gardner", "Hughes", "Chapman", "Lambert", "Griffin", "Spencer", "Marshall", "Fletcher", "Webster", "Holland", "Dixon", "Porter", "Barker", "Manning", "Lawson", "Burton", "Carter", "Sanders", "Whitfield"],
    "shop": ["bakery", "garage", "pharmacy", "library", "hospital", "bank", "school", "museum", "clinic", "office", "hotel", "station", "restaurant", "warehouse"],
    "topic": ["my bill", "the appointment", "the delivery", "your advertisement", "my file", "the contract", "the meeting", "the insurance", "the trip", "order number <smallnumber>", "your message", "the repair"],
    "request": ["I would like to <wish>", "I want to <wish>", "could I <wish>", "could you <favour>", "can you <favour>", "I am calling to <wish>", "I need to <wish>"],
    "wish": ["make an appointment <when>", "speak to <person>", "book a table for <people>", "cancel my order", "change the date of my trip", "know your opening hours", "buy <thing>", "ask the price of <thing>",
             "get my bill by mail", "rent a car <when>", "visit the apartment", "pay by card", "leave a message", "sell <thing>", "change my address", "get a refund", "book a room for two nights", "exchange <thing>", "learn <activity>"],
    "favour": ["call me back <when>", "repeat the number", "check my file", "send a technician", "speak more slowly", "wait a minute", "confirm the address", "spell your name", "tell me the price", "repair <thing>", "deliver <thing> <when>",
               "close the door", "write down my number", "transfer me to <person>", "sign the document", "open an account", "prepare the room"],
    "when": ["tomorrow morning", "tonight", "next <weekday>", "on <weekday> at <time>", "next week", "on <date>", "this afternoon", "in <smallnumber> minutes", "before <time>", "after lunch", "during the holidays", "at the end of the month", "today", "around <time>", "last night", "right away", "since <weekday>"],
    "weekday": _DAYS,
    "people": ["two people", "four people", "six people", "<smallnumber> people"],
    "question": ["what time does <passes>", "how much is <thing>", "where is <placename>", "what is your <kind> number", "when will <event>", "why did <event2>", "who called <when>", "do you have <thing>", "how are you <when>", "where do you live now", "have you received <thing>",
                 "can we park near <placename>", "is <placename> still far", "are you coming <when>", "did you see <relative> <when>", "what is the weather like", "are you free <when>", "how long does <activity> take", "which size do you wear"],
    "passes": ["the train arrive", "the store close", "the meeting begin", "the bank open", "the bus leave", "the show finish"],
    "kind": ["phone", "customer", "file", "account", "contract", "room"],
    "event": ["the train leave", "the package arrive", "the doctor see me", "the store open", "you come by", "<relative> be at home", "the machine work again"],
    "event2": ["the payment fail", "the train stop", "<relative> leave", "the alarm ring", "they refuse <thing>", "you choose <food>"],
    "statement": ["I lost <thing>", "I have not received <thing>", "<relative> works at <placename>", "the appointment is <when>", "there is a problem with <thing>", "<thing> is <adjective>", "we arrive <when>", "I will call you back <when>", "the price is <number> dollars", "it costs <number> dollars", "let us meet in front of <placename>",
                  "I prefer <food>", "she bought <thing>", "it is <weather> <when>", "the meeting begins at <time>", "my train leaves at <time>", "I live near <placename>", "you must press the <colour> button", "a signature is missing", "it is too expensive for me", "the doctor is away <when>", "we have <smallnumber> children",
                  "I am looking for <placename>", "everybody is happy", "I do not understand the question", "the file is complete", "he forgot <thing>", "my car is <colour>", "my <body> hurts", "the connection is very slow", "the phone does not ring anymore", "<relative> is <number> years old", "the battery is empty", "we should wait <smallnumber> days"],
    "answer": ["yes", "no", "all right", "of course", "maybe", "I don't know", "no problem", "very well", "really", "too bad", "exactly", "that's perfect", "sorry", "not yet", "certainly", "absolutely"],
    "thanks": ["thank you very much", "thanks a lot", "thank you for your call", "thanks anyway", "many thanks"],
    "bye": ["goodbye", "have a nice day", "see you soon", "good night", "see you tomorrow", "have a good weekend", "take care", "talk to you later"],
    "chat": ["we ate <food> <when>", "<relative> loves <activity>", "the children are playing in <room>", "I watched a movie with <relative>", "it has been raining since <weekday>", "<relative> went on holiday", "I practise <activity> every <weekday>", "let's drink <drink> <place>", "the cat is sleeping on <furniture>", "you should try <food>",
             "the music was very loud", "the neighbour has a new dog", "I get up at <time>", "we laughed a lot", "<relative> cooks <food> for everyone", "my brother repairs <thing>", "she wears <clothing> <when>", "I put <clothing> in <furniture>", "he often talks about <activity>", "they announced <weather2> for <weekday>"],
    "place": ["at the restaurant", "at the station", "in the street", "with <relative>", "at the office", "in the country", "by the sea", "in town", "at the market", "outside the school", "on the square", "behind the church"],
    "placename": ["the station", "the pharmacy", "the hospital", "the town hall", "the school", "the library", "the market", "the hotel", "the bank", "the airport", "the museum", "the swimming pool", "the garage", "the bakery", "the cinema", "the bridge", "the park", "the post office", "the factory", "the stadium"],
    "relative": ["my mother", "my father", "my sister", "my brother", "my daughter", "my son", "my husband", "my wife", "my grandmother", "my uncle", "my aunt", "my cousin", "my neighbour", "my colleague", "my boss", "my best friend"],
    "thing": ["a ticket", "my passport", "the key", "the keys", "a computer", "the package", "a lamp", "the fridge", "the washing machine", "a bicycle", "my glasses", "a book", "the television", "the contract", "a watch", "the heating", "an umbrella", "a suitcase", "my wallet", "the invoice", "the document", "a mobile phone", "a lawnmower", "the radio", "some shoes",
              "a present", "the tap", "a printer", "the window", "a mirror", "the carpet", "a ladder", "a hammer", "the certificate", "a cheque", "a guitar", "the blanket"],
    "adjective": ["broken", "too small", "very heavy", "almost new", "free", "out of order", "lost", "beautiful", "fragile", "dirty", "clean", "fast", "available", "different", "dangerous", "useless", "noisy", "strong"],
    "food": ["chicken", "some soup", "pasta", "fish", "a salad", "chocolate cake", "strawberries", "some cheese", "an omelette", "vegetables", "rice", "apple pie", "ham", "mushrooms", "pizza", "boiled eggs", "fresh bread", "carrots", "an orange", "green beans", "honey"],
    "drink": ["a coffee", "a cup of tea", "a glass of wine", "a beer", "fruit juice", "cold water", "hot chocolate", "lemonade"],
    "activity": ["swimming", "dancing", "football", "painting", "reading", "gardening", "cooking", "piano", "walking", "photography", "skiing", "fishing", "theatre", "sewing", "chess"],
    "room": ["the garden", "the kitchen", "the living room", "the bedroom", "the cellar", "the attic", "the yard", "the corridor", "the basement"],
    "furniture": ["the sofa", "the bed", "the table", "the cupboard", "the armchair", "the drawer", "the shelf", "the desk"],
    "clothing": ["a dress", "a coat", "a shirt", "trousers", "a scarf", "gloves", "a hat", "a skirt", "a jacket", "boots", "a necktie"],
    "colour": ["red", "blue", "green", "yellow", "black", "white", "grey", "orange", "purple", "pink", "brown", "golden"],
    "weather": ["hot", "cold", "nice", "bad", "dark", "mild", "humid", "cool", "windy", "foggy"],
    "weather2": ["rain", "sunshine", "snow", "wind", "thunder", "fog", "clouds", "frost"],
    "body": ["head", "back", "stomach", "throat", "tooth", "knee", "shoulder", "hand", "foot", "ear", "elbow", "ankle"],
    "order": ["I will have <food> and <drink>", "give me <smallnumber> <goods>", "we need <smallnumber> <goods> and <drink>", "order <food> for <people>", "add <smallnumber> <colour> <goods>"],
    "goods": ["bottles", "envelopes", "plates", "chairs", "bulbs", "pencils", "towels", "bouquets", "boxes", "tomatoes", "stamps", "notebooks", "candles", "planks", "cushions", "curtains", "cups", "spoons", "parcels", "letters"],
    "address_line": ["I live at <smallnumber> <street>", "our office is at <smallnumber> <street>", "the address is <smallnumber> <street>, <floor>", "deliver to <smallnumber> <street> <when>"],
    "street": ["Republic Street", "Victoria Avenue", "Maple Road", "Mill Lane", "Castle Square", "Lilac Street", "Station Road", "Vineyard Lane", "Church Street", "Harbour Drive", "Cherry Avenue", "Abbey Road", "King Street"],
    "floor": ["first floor", "second floor", "third floor", "on the left", "on the right", "main building", "ground floor", "back door"],
    "number_line": ["my number is <phone>", "the code is <number>", "your reference is <number>", "dial <phone>", "my customer number is <number>", "the bill is <number> dollars and <smallnumber> cents", "call back at <phone>", "there were <number> cars", "the total is <number>"],
    "narration": ["<relative> <verb> <complement>", "<relative> <verb> <complement> <when>", "the <job> <verb> <complement>", "the <crowd> <verbs> <complement>", "a <adjective2> <job> <verb> <complement>"],
    "job": ["baker", "postman", "plumber", "doctor", "teacher", "driver", "gardener", "policeman", "salesman", "dentist", "waiter", "manager", "mechanic", "journalist", "fireman", "hairdresser", "lawyer", "cook", "pharmacist", "pilot", "secretary", "nurse", "cashier", "singer", "accountant", "butcher", "tourist"],
    "crowd": ["workers", "pupils", "passengers", "neighbours", "customers", "musicians", "visitors", "students", "players", "guests", "employees", "farmers"],
    "verb": ["watches", "brings", "prepares", "forgets", "finds", "requests", "accepts", "refuses", "shows", "sells", "cleans", "draws", "describes", "borrows", "photographs", "measures", "explains", "breaks", "discovers", "carries", "chooses", "imagines", "admires", "lifts", "follows", "throws"],
    "verbs": ["watch", "bring", "prepare", "forget", "find", "request", "refuse", "show", "sell", "clean", "describe", "choose", "visit", "cross", "build", "hear", "keep", "follow"],
    "complement": ["<thing>", "<food>", "the <noun>", "the <nouns>", "the <adjective2> <noun>", "a <adjective2> <noun>"],
    "noun": ["village", "river", "boat", "truck", "cloud", "newspaper", "picture", "castle", "tunnel", "engine", "bag", "basket", "horse", "duck", "sheep", "secret", "project", "job", "result", "journey", "exercise", "piece", "knife", "ceiling", "wall", "roof", "tree", "bird", "lake", "path", "drawing", "drum", "costume", "mask", "mountain", "forest", "beach", "road", "farm", "hill", "house", "letter", "story", "song", "answer", "idea", "mistake", "colour", "map", "string", "rope", "stone", "star", "moon", "cow", "mouse", "bee", "leaf", "root", "branch", "belt", "pocket", "statue", "fountain", "brush", "ring"],
    "nouns": ["flowers", "bags", "news", "photos", "rules", "timetables", "tools", "chairs", "figures", "seeds", "leaves", "crumbs", "steps", "feathers", "windows", "bricks", "labels", "coins", "pearls", "wings"],
    "adjective2": ["strange", "huge", "quiet", "famous", "useful", "simple", "easy", "pleasant", "sad", "young", "quick", "fragile", "calm", "wild", "practical", "modern", "honest", "fantastic", "ridiculous", "shy", "terrible", "thin", "large", "comfortable"],
}

GRAMMAR = Grammar(
    language="en",
    rules=_RULES,
    makers={
        "number": lambda rng: number(int(10 ** rng.uniform(1, 4.5))),
        "smallnumber": lambda rng: number(rng.randint(2, 99)),
        "time": _time,
        "date": _date,
        "phone": _phone,
    },
    finish=lambda text: text,
)
