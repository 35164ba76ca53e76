"""`python -m persona_cases` is the command line."""

import sys

from persona_cases.cli import main

if __name__ == "__main__":
    sys.exit(main())
