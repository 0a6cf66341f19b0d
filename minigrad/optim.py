"""Optimizers: how a gradient becomes a step."""

import math

import numpy as np

from minigrad.functional import blocks


# --- What every optimizer shares ---


class Optimizer:
    """Updates parameters in place from their gradients.

    `parameters`: a list of parameters, or a list of groups, dictionaries with "params" and the
    options that differ in that group ({"params": [...], "weight_decay": 0.0}).
    `lr`, the learning rate, may be set between steps.
    """

    def __init__(self, parameters, lr, **defaults):
        groups = list(parameters)
        if groups and not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.groups = [{**defaults, **group, "params": list(group["params"])} for group in groups]
        self.parameters = [p for group in self.groups for p in group["params"]]
        if not self.parameters:
            raise ValueError(f"{type(self).__name__}: there are no parameters to optimize")
        for group in self.groups:
            unknown = group.keys() - defaults.keys() - {"params"}
            if unknown:
                raise ValueError(f"{type(self).__name__}: unknown options {sorted(unknown)}")
            if group["weight_decay"] < 0:
                raise ValueError(f"{type(self).__name__}: weight_decay must not be negative")
        if not lr >= 0:
            raise ValueError(f"{type(self).__name__}: lr must not be negative, not {lr}")
        if len({id(p) for p in self.parameters}) < len(self.parameters):
            raise ValueError(f"{type(self).__name__}: a parameter is given twice")
        self.lr = lr
        self.steps = 0

    def zero_grad(self):
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self):
        """One step of every parameter that has a gradient."""
        self.steps += 1
        number = 0
        for group in self.groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.update(number, parameter, group)
                number += 1

    def update(self, number, parameter, group):
        """Move the `number`-th parameter one step."""
        raise NotImplementedError

    def buffers(self):
        """The optimizer's own arrays, as {name: list with one array for each parameter}."""
        return {}

    def state_dict(self):
        """A copy of what the optimizer remembers, as {name: number or array}."""
        arrays = {
            f"{name}.{number}": array.copy()
            for name, arrays in self.buffers().items()
            for number, array in enumerate(arrays)
        }
        return {"lr": self.lr, "steps": self.steps, **arrays}

    def load_state_dict(self, state):
        """Take over `state`, as `state_dict` gives it, all of it or none."""
        own = self.state_dict()
        wrong = sorted(
            name
            for name in own.keys() | state.keys()
            if name not in own or name not in state or np.shape(own[name]) != np.shape(state[name])
        )
        if wrong:
            raise ValueError(
                f"load_state_dict of {type(self).__name__}: missing, unknown or of another shape: "
                f"{', '.join(wrong)}"
            )
        for name, arrays in self.buffers().items():
            for number, array in enumerate(arrays):
                array[...] = state[f"{name}.{number}"]
        self.lr, self.steps = float(state["lr"]), int(state["steps"])


# --- SGD ---


class SGD(Optimizer):
    """Stochastic gradient descent: velocity = momentum · velocity + gradient, step -lr · velocity.

    `weight_decay` adds that much of the parameter itself to its gradient.
    Source: Sutskever et al., 2013, in PyTorch's form.
    """

    def __init__(self, parameters, lr=0.01, momentum=0.0, weight_decay=0.0):
        super().__init__(parameters, lr, momentum=momentum, weight_decay=weight_decay)
        self.velocity = [np.zeros(p.shape, p.dtype) for p in self.parameters]

    def update(self, number, parameter, group):
        gradient = parameter.grad + group["weight_decay"] * parameter.data
        velocity = self.velocity[number]
        velocity *= group["momentum"]
        velocity += gradient
        parameter.data -= self.lr * velocity

    def buffers(self):
        return {"velocity": self.velocity}


# --- AdamW ---


class AdamW(Optimizer):
    """Adam with decoupled weight decay.

    mean = β₁ mean + (1 - β₁) g;  square = β₂ square + (1 - β₂) g²;  each divided by 1 - βᵗ, since
    it started at 0;  step -lr (mean / (√square + eps) + weight_decay · parameter).
    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2.
    """

    def __init__(self, parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay)
        self.mean = [np.zeros(p.shape, p.dtype) for p in self.parameters]
        self.square = [np.zeros(p.shape, p.dtype) for p in self.parameters]

    def update(self, number, parameter, group):
        beta1, beta2 = group["betas"]
        rate = self.lr / (1 - beta1**self.steps)
        root_of_correction = math.sqrt(1 - beta2**self.steps)
        shrink = 1 - self.lr * group["weight_decay"]
        parameter.data = np.asarray(parameter.data, order="C")  # blocks must not get a copy
        arrays = parameter.data, parameter.grad, self.mean[number], self.square[number]
        for p, g, mean, square in blocks(*arrays):
            mean *= beta1
            mean += (1 - beta1) * g
            square *= beta2
            square += (1 - beta2) * (g * g)
            p *= shrink
            p -= rate * mean / (np.sqrt(square) / root_of_correction + group["eps"])

    def buffers(self):
        return {"mean": self.mean, "square": self.square}


# --- Around the step ---


def clip_grad_norm_(parameters, max_norm):
    """Scale all gradients so that their common length is at most `max_norm`; returns what it was.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training RNNs", 2013, algorithm 1.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))
    if norm > max_norm:
        for g in gradients:
            g *= max_norm / norm
    return norm


def warmup_cosine(step, warmup_steps, total_steps, lr, min_lr=0.0):
    """The learning rate at a step (from 0): linear up to `lr`, then a cosine down to `min_lr`.

    Source: Loshchilov and Hutter, "SGDR", 2017, equation 5, without restarts.
    """
    if step < warmup_steps:
        return lr * (step + 1) / warmup_steps
    if step >= total_steps:
        return min_lr
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    return min_lr + 0.5 * (lr - min_lr) * (1 + math.cos(math.pi * progress))
