"""The bridge from a service in Python to its view in a notebook, built on anywidget.

A service is a plain object: `METHODS` names the methods that a view may call, `info` is a dictionary
that the view shows from the beginning. The playground and the chat are such services.
"""

import numpy as np

from minigrad.apps import web


def answer(service, message):
    """The answer to a message of the view, and the arrays that travel beside it as bytes."""
    buffers = []

    def packed(value):
        if isinstance(value, np.ndarray):
            buffers.append(np.ascontiguousarray(value, np.float32).tobytes())
            return {"array": len(buffers) - 1}
        if isinstance(value, dict):
            return {name: packed(part) for name, part in value.items()}
        return [packed(part) for part in value] if isinstance(value, list) else value

    try:
        if message["method"] not in service.METHODS:
            raise ValueError(f"there is no method {message['method']!r}")
        value = getattr(service, message["method"])(*message["parameters"])
        return {"id": message["id"], "value": packed(value)}, buffers
    except Exception as error:  # whatever it is, the reader gets it in words
        return {"id": message["id"], "error": str(error) or type(error).__name__}, []


def widget(name, scripts, service, settings, without):
    """A widget with the view of these scripts, and the service that answers it.

    Raises ModuleNotFoundError where anywidget is missing; `without` says what still works then.
    """
    try:
        import anywidget
        import traitlets
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"this view needs anywidget, which is not installed; without it, {without}"
        ) from None

    class Widget(anywidget.AnyWidget):
        _esm = web.joined(scripts, last_exports=True)
        _css = web.text("view.css")
        info = traitlets.Dict().tag(sync=True)
        settings = traitlets.Dict().tag(sync=True)

        def __init__(self):
            super().__init__(info=service.info, settings=settings)
            self.service = service
            self.on_msg(self._receive)

        def __repr__(self):
            return f"{name}({self.info['name']!r})"

        def _receive(self, _, message, __):
            reply, buffers = answer(service, message)
            self.info = service.info  # sent if it has changed: another model, for example
            self.send(reply, buffers)

    return Widget()
