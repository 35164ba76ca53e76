"""`python -m persona_cases` runs the command line."""

import sys

from persona_cases.cli import main

if __name__ == "__main__":
    sys.exit(main())
