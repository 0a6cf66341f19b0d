"""Predictions: a guess that is written down before a cell is run, and seen beside its result."""


def predict(guess):
    """Show `guess` above the result of this cell; an empty guess shows nothing.

    It is kept nowhere but in the cell. Any value is accepted: words, a number, a list.
    """
    if str(guess).strip():
        print(f"You predicted: {guess}")
