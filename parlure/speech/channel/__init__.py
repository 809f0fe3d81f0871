"""What a telephone does to speech, as an augmentation and as a test condition.

Read ``conditions`` first: a table of names, functions and parameters. ``expression`` turns what a person writes,
``g711 > loss(0.05)``, into a :class:`parlure.speech.channel.expression.Channel`. Everything here keeps length and
place in time, and follows from a key alone.
"""
