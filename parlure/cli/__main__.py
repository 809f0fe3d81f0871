"""``python -m parlure.cli``, which torchrun starts."""

from parlure.cli import main

main()
