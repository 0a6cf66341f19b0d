"""How soon two cores reach a loss with NumPy alone: the rules are in docs/speedrun.md."""
