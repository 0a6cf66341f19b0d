"""The error that a blank exercise of the student's edition raises."""


class NotYet(NotImplementedError):
    """An exercise that has not been solved yet; `exercise` is its number, such as "03.2"."""

    def __init__(self, exercise):
        super().__init__(f"exercise {exercise} is still blank: solve it, then run this again")
        self.exercise = exercise

    def _render_traceback_(self):
        """A notebook shows one line and no traceback, since there is no mistake to look for."""
        return [f"NotYet: {self}"]
