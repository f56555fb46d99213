"""`python -m fairreason.cli`, the same as the program `fairreason`."""

from fairreason.cli import main

main()
