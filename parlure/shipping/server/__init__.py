"""A model behind OpenAI's API: ``serving`` is the command, ``app`` what answers, ``worker`` what decodes."""
