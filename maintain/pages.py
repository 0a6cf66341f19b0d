"""Writes the pages that are generated from the lessons and checks: `python -m maintain.pages`.

docs/names.md, docs/promises.md, docs/pictures/imports.svg and docs/mistakes.md. The last one runs
every wrong answer, which takes a minute.
"""

import sys

from maintain import imports, mistakes, names, promises


def main(arguments):
    if arguments:
        print(__doc__)
        return 2
    return max(module.main([]) for module in (names, promises, imports, mistakes))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
