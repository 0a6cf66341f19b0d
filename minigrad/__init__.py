"""minigrad: a small deep-learning library in NumPy, built in the notebooks of this course.

    import minigrad as mg

Each module is loaded when one of its names is first used, so a half-finished course works.
"""

import importlib
import math

import numpy as np

__version__ = "0.1.0"

float32, float64, int32, int64 = np.float32, np.float64, np.int32, np.int64
pi, e, inf, nan, newaxis = math.pi, math.e, math.inf, math.nan, None

# Which module each name comes from.
_NAMES = {
    "tensor": "Tensor array arange empty_like eye full linspace ones ones_like zeros zeros_like",
    "ops": "abs add argmax argmin clip cos cumprod cumsum div dot exp floor_divide log matmul max "
    "maximum mean min minimum mm mul neg norm pow prod remainder round sin sqrt std sub sum tan tanh "
    "var",
    "shapes": "all any bitwise_and bitwise_or bitwise_xor cat ceil concatenate diagonal equal "
    "expand_dims flatten floor greater greater_equal invert isfinite isinf isnan less less_equal "
    "masked_fill not_equal permute ravel repeat reshape sign split squeeze stack trace transpose "
    "tril triu unsqueeze view where",
    "op": "differentiable",
    "random": "manual_seed",
    "backprop": "check_gradients detect_anomaly draw_graph no_grad",
    "functional": "dropout embedding gelu layer_norm linear log_softmax relu sigmoid softmax "
    "softplus cross_entropy_loss mse_loss",
    "data": "load_shakespeare load_text",
}
_MODULES = (
    "attention backprop bpe chat data functional gpt2_shakespeare init llama llama_layers lora nn op "
    "ops optim quantised random real_gpt2 shapes tensor"
).split()
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}
_HOME["load_pretrained"] = "apps.pretrained"  # the model that comes with the course


def __getattr__(name):
    if name in _HOME:
        value = getattr(importlib.import_module(f"minigrad.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return importlib.import_module(f"minigrad.{name}")
    raise AttributeError(f"module 'minigrad' has no attribute '{name}'")


def __dir__():
    return sorted({*globals(), *_HOME, *_MODULES})
