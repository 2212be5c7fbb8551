"""`python -m subwhisper` is the command line."""

from subwhisper.cli import main

main()
