"""What the exercises of lesson 05 must do, on parameters of a few numbers."""

import numpy as np

from course.checks.vocabulary import Wrong, check, near

# --- 05.1: the step of every optimizer ---


def probe_calls(mg, gradients, rounds, first=2):
    """What `update` is called with: rows [number, parameter's place, its decay, steps]."""
    calls = []

    class Watched(mg.optim.Optimizer):
        def update(self, number, parameter, group):
            place = [p is parameter for p in parameters].index(True)
            calls.append([int(number), place, float(group["weight_decay"]), int(self.steps)])

    parameters = [mg.nn.Parameter(np.zeros(1)) for _ in gradients]
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = None if gradient is None else np.full(1, gradient)
    groups = [{"params": parameters[:first]}, {"params": parameters[first:], "weight_decay": 0.5}]
    optimizer = Watched(groups, lr=0.1, weight_decay=0.0)
    for _ in range(rounds):
        optimizer.step()
    kept = [p.grad is not None for p in parameters]
    return {"calls": calls, "steps": int(optimizer.steps), "kept": kept}


@check("05.1")
def step(student):
    four = "four parameters with gradients, in two groups of two; one step"
    calls = student.run(probe_calls, [1.0] * 4, 1)["calls"]
    places = [place for _, place, _, _ in calls]
    if sorted(places) != [0, 1, 2, 3]:
        raise Wrong(
            "every parameter of every group that has a gradient is handed to update once",
            input=four,
            expected="parameters 0, 1, 2, 3",
            got=f"parameters {places}",
        )
    yield "each parameter is updated once"
    numbers = [number for number, _, _, _ in sorted(calls, key=lambda call: call[1])]
    if numbers != [0, 1, 2, 3]:
        words = "parameter 3 must come with the number 3, since its buffers are the ones at 3"
        if numbers == [0, 1, 0, 1]:
            words = (
                "the number starts again in the second group, so that its parameters would use "
                "the buffers of the first: it counts through all groups"
            )
        raise Wrong(words, input=four, expected=[0, 1, 2, 3], got=numbers)
    for first in (1, 3):
        calls_then = student.run(probe_calls, [1.0] * 4, 1, first)["calls"]
        numbers = [number for number, _, _, _ in sorted(calls_then, key=lambda call: call[1])]
        if numbers != [0, 1, 2, 3]:
            raise Wrong(
                "the number is right for groups of equal length only: the second group begins "
                "where the first one ends, however long either is",
                input=f"groups of {first} and {4 - first} parameters; one step",
                expected=[0, 1, 2, 3],
                got=numbers,
            )
    decays = [decay for _, _, decay, _ in sorted(calls, key=lambda call: call[1])]
    if decays != [0.0, 0.0, 0.5, 0.5]:
        raise Wrong(
            "update is given the options of another group: each parameter goes with its own",
            input="weight_decay 0 in the first group of two, 0.5 in the second",
            expected=[0.0, 0.0, 0.5, 0.5],
            got=decays,
        )
    yield "with its number, counted through all groups, and the options of its group"
    counted = [steps for _, _, _, steps in calls]
    if counted != [1, 1, 1, 1]:
        words = "during the first step, self.steps must be 1 in every update"
        if counted == [0, 0, 0, 0]:
            words = (
                "self.steps is still 0 while the first updates run, and Adam's correction would "
                "divide by 1 - β⁰ = 0: count first, then update"
            )
        elif counted == [1, 2, 3, 4]:
            words = "self.steps goes up with each parameter: it counts calls of step, not updates"
        raise Wrong(words, input=four, expected=[1, 1, 1, 1], got=counted)
    yield "steps is 1 in all updates of the first step"

    calls = student.run(probe_calls, [1.0, None, None, 1.0], 1)["calls"]
    places, numbers = [call[1] for call in calls], [call[0] for call in calls]
    gradients = "gradients: one, None, None, one"
    if sorted(places) != [0, 3]:
        raise Wrong(
            "a parameter whose gradient is None took no part in the loss, and must be left alone",
            input=gradients,
            expected="updates of the parameters 0 and 3",
            got=f"updates of the parameters {places}",
        )
    if numbers != places:
        raise Wrong(
            "a parameter without a gradient keeps its number: where it is not counted, the next "
            "one takes over its buffers",
            input=gradients,
            expected="numbers [0, 3]",
            got=f"numbers {numbers}",
        )
    yield "a parameter without a gradient is left alone and keeps its number"
    calls = student.run(probe_calls, [0.0, 1.0, 1.0, 1.0], 1)["calls"]
    if sorted(call[1] for call in calls) != [0, 1, 2, 3]:
        raise Wrong(
            "a gradient of zeros is a gradient: momentum and decay move its parameter all the "
            "same; only None means that there is none",
            input="gradients: zero, one, one, one",
            expected="updates of the parameters 0, 1, 2, 3",
            got=f"updates of the parameters {[call[1] for call in calls]}",
        )
    yield "a gradient of zeros counts as one"

    got = student.run(probe_calls, [1.0, 1.0, None, 1.0], 3)
    if got["kept"] != [True, True, False, True]:
        raise Wrong(
            "step must leave the gradients where they are: forgetting them is zero_grad's task, "
            "and whoever watches them wants to see them after the step",
            expected="gradients kept",
            got="gradients gone",
        )
    if got["steps"] != 3 or len(got["calls"]) != 9:
        raise Wrong(
            "after three calls of step, steps is 3 and each parameter was updated three times",
            input="three of four parameters with gradients; three steps",
            expected="steps 3, 9 updates",
            got=f"steps {got['steps']}, {len(got['calls'])} updates",
        )
    yield "three steps are counted as three, and the gradients stay"


# --- 05.2: SGD with momentum ---


def probe_sgd(mg, start, gradients, rates, momentum, decay):
    """The parameters after each step, (steps, parameters); each parameter is one number."""
    parameters = [mg.nn.Parameter(np.array([number])) for number in start]
    optimizer = mg.optim.SGD(parameters, lr=1.0, momentum=momentum, weight_decay=decay)
    path = []
    for lr, row in zip(rates, gradients):
        optimizer.lr = lr
        optimizer.steps += 1
        for number, parameter in enumerate(parameters):
            parameter.grad = np.array([row[number]])
            optimizer.update(number, parameter, optimizer.groups[0])
        path.append([float(p.data[0]) for p in parameters])
    return np.array(path)


def probe_sgd_group(mg):
    """A parameter in the second of two groups, the one with decay, after one update."""
    a, b = mg.nn.Parameter(np.zeros(1)), mg.nn.Parameter(np.array([[2.0, 3.0], [4.0, 5.0]]))
    groups = [{"params": [a]}, {"params": [b], "weight_decay": 0.5}]
    optimizer = mg.optim.SGD(groups, lr=1.0)
    optimizer.steps = 1
    b.grad = np.array([[-0.5, -1.0], [-1.5, -1.5]])
    optimizer.update(1, b, optimizer.groups[1])
    return b.data


def probe_sgd_memory(mg):
    """The gradient and the remembered velocity after two updates with the gradient 1."""
    parameter = mg.nn.Parameter(np.array([2.0]))
    optimizer = mg.optim.SGD([parameter], lr=0.1, momentum=0.5, weight_decay=0.5)
    for _ in range(2):
        parameter.data = np.array([2.0])
        parameter.grad = np.array([1.0])
        optimizer.update(0, parameter, optimizer.groups[0])
    return np.array([parameter.grad[0], optimizer.state_dict()["velocity.0"][0]])


@check("05.2")
def sgd(student):
    got = student.array(probe_sgd, [1.0], [[2.0]], [0.25], 0.0, 0.0, shape=(1, 1))
    if not near(got, [[0.5]]):
        words = "without momentum the step is -lr · gradient"
        if near(got, [[1.0]]):
            words = "the parameter has not moved: parameter.data itself must change"
        elif near(got, [[1.5]]):
            words = "the step goes uphill: the gradient points to where the loss grows"
        raise Wrong(
            words,
            input={"parameter": 1.0, "gradient": 2.0, "lr": 0.25, "momentum": 0.0},
            expected=0.5,
            got=got,
        )
    yield "a plain step is -lr · gradient"

    got = student.array(
        probe_sgd, [0.0], [[1.0], [1.0], [1.0]], [0.1, 0.1, 0.1], 0.5, 0.0, shape=(3, 1)
    )
    expected = np.array([[-0.1], [-0.25], [-0.425]])  # velocities 1, 1.5, 1.75
    if not near(got, expected):
        words = "velocity = momentum · velocity + gradient, and the step is -lr · velocity"
        if near(got[0], [-0.05]):
            words = (
                "the first step is too short: the gradient enters the velocity whole, without "
                "the factor 1 - momentum (that is Adam's mean)"
            )
        elif near(got[0], [-0.15]):
            words = (
                "the first step is too long: the velocity is still 0 then, and the momentum is "
                "taken of the old velocity, not of the gradient or of the new velocity"
            )
        elif near(got, [[-0.1], [-0.2], [-0.3]]):
            words = (
                "every step is as long as the first: the velocity is forgotten between the steps; "
                "it must be written back into self.velocity[number]"
            )
        elif near(got, [[-0.1], [-0.3], [-0.6]]):
            words = "old gradients never fade: the old velocity is to be multiplied by momentum"
        raise Wrong(
            words,
            input={"parameter": 0.0, "gradients": [1.0, 1.0, 1.0], "lr": 0.1, "momentum": 0.5},
            expected=expected[:, 0],
            got=got[:, 0],
        )
    yield "a steady gradient builds up speed: velocities 1, 1.5, 1.75"

    got = student.array(
        probe_sgd, [0.0, 0.0], [[1.0, 0.0], [1.0, 0.0]], [0.1, 0.1], 0.5, 0.0, shape=(2, 2)
    )
    if not near(got, [[-0.1, 0.0], [-0.25, 0.0]]):
        raise Wrong(
            "two parameters disturb each other: each has a velocity of its own, at its number",
            input={"parameters": [0.0, 0.0], "gradients at both steps": [1.0, 0.0]},
            expected=[[-0.1, 0.0], [-0.25, 0.0]],
            got=got,
        )
    yield "each parameter has its own velocity"

    got = student.array(probe_sgd, [0.0], [[1.0], [1.0]], [1.0, 0.1], 0.5, 0.0, shape=(2, 1))
    if not near(got, [[-1.0], [-1.15]]):
        raise Wrong(
            "after a change of lr the step still has some of the old rate in it: the velocity is "
            "a sum of gradients, and lr is multiplied only when the parameter moves",
            input={"gradients": [1.0, 1.0], "lr": [1.0, 0.1], "momentum": 0.5},
            expected=[-1.0, -1.15],
            got=got[:, 0],
        )
    yield "a new learning rate acts at once"

    got = student.array(probe_sgd, [2.0], [[0.0], [0.0]], [0.1, 0.1], 0.5, 0.5, shape=(2, 1))
    if not near(got, [[1.9], [1.755]]):
        words = "weight_decay times the parameter is added to its gradient"
        if near(got, [[2.0], [2.0]]):
            words = "weight_decay has no effect: the parameter stays where it is"
        elif got[0, 0] > 2:
            words = "weight_decay makes the parameter grow: it is added to the gradient"
        elif near(got, [[1.9], [1.805]]):
            words = (
                "the decay of the first step is not remembered: in SGD it is a part of the "
                "gradient, so it enters the velocity too"
            )
        raise Wrong(
            words,
            input={
                "parameter": 2.0,
                "gradients": [0.0, 0.0],
                "lr": 0.1,
                "momentum": 0.5,
                "weight_decay": 0.5,
            },
            expected=[1.9, 1.755],
            got=got[:, 0],
        )
    yield "weight decay is a part of the gradient"

    got = student.array(probe_sgd_group, shape=(2, 2))
    if not near(got, [[1.5, 2.5], [3.5, 4.0]]):
        raise Wrong(
            "each entry moves along its own velocity, by the options of its own group",
            input="[[2, 3], [4, 5]] in the second group, whose weight_decay is 0.5; momentum 0, "
            "lr 1, gradient [[-0.5, -1], [-1.5, -1.5]]",
            expected=[[1.5, 2.5], [3.5, 4.0]],
            got=got,
        )
    yield "each entry by itself, with the options of its group"

    gradient, velocity = student.array(probe_sgd_memory, shape=(2,))
    if not near(gradient, 1.0):
        raise Wrong(
            "update changes parameter.grad: make a new array for gradient and decay together",
            input={"parameter": 2.0, "gradient": 1.0, "weight_decay": 0.5},
            expected=1.0,
            got=gradient,
        )
    if not near(velocity, 3.0):
        raise Wrong(
            "state_dict does not find the velocity: a saved run must be able to go on with it, "
            "so it belongs into self.velocity[number]",
            input="two updates with gradient plus decay 2, momentum 0.5",
            expected=3.0,
            got=velocity,
        )
    yield "the gradient stays as it is, and the velocity can be saved"


# --- 05.3: AdamW ---

BETAS = [0.5, 0.9375]  # 1 - β is 0.5 and 0.0625, whose root is 0.25: easy to work with by hand


def probe_adamw(mg, start, gradients, lr, betas, eps, decay):
    """The parameter (one number) after each step, (steps,)."""
    parameter = mg.nn.Parameter(np.array([start]))
    optimizer = mg.optim.AdamW([parameter], lr=lr, betas=tuple(betas), eps=eps, weight_decay=decay)
    path = []
    for gradient in gradients:
        optimizer.steps += 1
        parameter.grad = np.array([gradient])
        optimizer.update(0, parameter, optimizer.groups[0])
        path.append(float(parameter.data[0]))
    return np.array(path)


def probe_adamw_memory(mg, betas):
    """The gradient and the two averages after one update with the gradient 4."""
    parameter = mg.nn.Parameter(np.array([1.0]))
    optimizer = mg.optim.AdamW([parameter], lr=0.1, betas=tuple(betas), weight_decay=0.5)
    optimizer.steps = 1
    parameter.grad = np.array([4.0])
    optimizer.update(0, parameter, optimizer.groups[0])
    state = optimizer.state_dict()
    return np.array([parameter.grad[0], state["mean.0"][0], state["square.0"][0]])


def probe_adamw_two(mg):
    """Two parameters in groups with and without decay, after one update of each."""
    a, b = mg.nn.Parameter(np.array([2.0])), mg.nn.Parameter(np.array([2.0]))
    groups = [{"params": [a], "weight_decay": 0.5}, {"params": [b], "weight_decay": 0.0}]
    optimizer = mg.optim.AdamW(groups, lr=0.1)
    optimizer.steps = 1
    for number, (parameter, gradient) in enumerate([(a, 3.0), (b, -1.0)]):
        parameter.grad = np.array([gradient])
        optimizer.update(number, parameter, optimizer.groups[number])
    return np.array([a.data[0], b.data[0]])


def probe_adamw_layout(mg, data):
    """A float32 parameter whose rows and columns are exchanged in memory, after one update."""
    parameter = mg.Tensor(data.T.copy().T, requires_grad=True)
    optimizer = mg.optim.AdamW([parameter], lr=0.5, weight_decay=0.0)
    optimizer.steps = 1
    parameter.grad = data.copy()
    optimizer.update(0, parameter, optimizer.groups[0])
    return parameter.data


@check("05.3")
def adamw(student):
    steady = student.array(probe_adamw, 1.0, [4.0] * 200, 0.1, BETAS, 0.0, 0.0, shape=(200,))
    small = student.array(probe_adamw, 1.0, [1.0] * 200, 0.1, BETAS, 0.0, 0.0, shape=(200,))
    shown = {"gradient": "4 at every step", "lr": 0.1, "betas": BETAS, "weight_decay": 0.0}
    if not np.all(np.isfinite([steady, small])):
        raise Wrong(
            "the parameter became nan or inf", input=shown, expected="numbers", got=steady[:3]
        )
    first, last = 1.0 - steady[0], steady[-2] - steady[-1]  # the lengths of two steps
    if not first > 0:
        raise Wrong(
            "the first step goes uphill, or nowhere", input=shown, expected=0.9, got=steady[0]
        )
    if not near(small, steady, 1e-4):
        raise Wrong(
            "a gradient four times as large must not change the length of the step: divide the "
            "mean by the root of the mean square",
            input={"gradients": "4 at every step, then in a second run 1 at every step"},
            expected="the same first step",
            got=f"steps of {first:.4g} and {1.0 - small[0]:.4g}",
        )
    yield "the length of a step does not depend on the gradient's size"
    gradient, mean, square = student.array(probe_adamw_memory, BETAS, shape=(3,))
    if near(mean, 4.0) or near(square, 16.0):
        raise Wrong(
            "the corrected averages were stored: the next step would average over them; correct "
            "a copy, and keep the running averages as they are",
            input={"gradient": 4.0, "betas": BETAS},
            expected="mean 2, square 1",
            got=f"mean {mean:.4g}, square {square:.4g}",
        )
    if not near(gradient, 4.0):
        raise Wrong(
            "update changes parameter.grad: it may only be read",
            input={"gradient": 4.0, "betas": BETAS},
            expected=4.0,
            got=gradient,
        )
    if not near(last, 0.1, 1e-4):
        words = "under a steady gradient, mean / √square tends to 1 and the step to lr"
        if near(first, 0.1, 1e-4):
            words = (
                "the first step is right, and the 200th is not: the correction has to fade, its "
                "1 - βᵗ goes to 1 as t, the count in self.steps, grows"
            )
        raise Wrong(words, input=shown, expected="200th step 0.1 long", got=f"{last:.4g} long")
    if not near(first, 0.1, 1e-4):
        words = (
            "the first step is too short: the mean is divided by 1 - β₁ᵗ, and the square by "
            "1 - β₂ᵗ before its root is taken"
        )
        if first > 0.1:
            words = (
                "the first step is too long, the 200th is right: the averages begin at 0, and "
                "without bias correction the square falls short by more than the mean"
            )
        raise Wrong(words, input=shown, expected="first step 0.1 long", got=f"{first:.4g} long")
    yield "the first step and the 200th are lr long"

    got = student.array(probe_adamw, 1.0, [4.0, 0.0], 0.1, BETAS, 0.0, 0.0, shape=(2,))
    # Means 2 and 1, squares 1 and 0.9375, divided by 0.75 and 1 - 0.9375² = 0.12109375.
    expected = [0.9, 0.852081]
    if not near(got, expected):
        words = (
            "after the gradients 4 and 0 the mean is β₁ · 2 + (1 - β₁) · 0 = 1, and the mean "
            "square is β₂ · 1 + (1 - β₂) · 0² = 0.9375"
        )
        swapped = student.array(
            probe_adamw, 1.0, [4.0, 0.0], 0.1, BETAS[::-1], 0.0, 0.0, shape=(2,)
        )
        if near(swapped, expected):
            words = (
                "β₁ and β₂ are exchanged: the first belongs to the mean, the second to the square"
            )
        raise Wrong(
            words,
            input={"gradients": [4.0, 0.0], "betas": BETAS, "lr": 0.1},
            expected=expected,
            got=got,
        )
    yield "the averages remember: the gradients 4 and 0"

    got = student.array(probe_adamw, 1.0, [4.0], 0.1, BETAS, 1.0, 0.0, shape=(1,))
    if not near(got, [0.92]):  # 4 / (4 + 1) of lr
        words = "the step is too short: eps is added after the square was corrected, not before"
        if near(got, [0.9]):
            words = "eps has no effect, and a gradient of 0 would divide 0 by 0"
        elif got[0] < 0.92:
            words = (
                "the step is too long: eps stands inside the root, √(16 + 1); it belongs beside "
                "it, √16 + 1"
            )
        raise Wrong(words, input={"gradient": 4.0, "lr": 0.1, "eps": 1.0}, expected=0.92, got=got)
    yield "eps stands beside the root"

    got = student.array(probe_adamw, 2.0, [4.0], 0.1, BETAS, 0.0, 0.5, shape=(1,))
    shown = {"parameter": 2.0, "gradient": 4.0, "lr": 0.1, "weight_decay": 0.5, "eps": 0.0}
    if not near(got, [1.8]):
        words = "the parameter shrinks by the factor 1 - lr · weight_decay, beside the step"
        idle = student.array(probe_adamw, 2.0, [0.0], 0.1, BETAS, 1e-8, 0.5, shape=(1,))
        still = student.array(probe_adamw, 2.0, [4.0], 0.0, BETAS, 0.0, 0.5, shape=(1,))
        if near(idle, [2.0]):
            words = "weight_decay has no effect, even where the gradient is 0"
        elif near(got, [1.9]):
            words = (
                "beside a gradient the decay vanishes: it went into the averages and was divided "
                "by the root like everything else; decoupled, it shrinks the parameter directly"
            )
        elif not near(still, [2.0]):
            words = "with lr = 0 the parameter still shrinks: the decay is lr · weight_decay"
        elif near(got, [1.805]):
            words = (
                "the decay is taken of the parameter after its step: both start from the same "
                "value, so shrink first"
            )
        elif got[0] > 2:
            words = "weight_decay makes the parameter grow"
        raise Wrong(words, input=shown, expected=1.8, got=got)
    yield "weight decay shrinks the parameter directly"

    got = student.array(probe_adamw_two, shape=(2,))
    if not near(got, [1.8, 2.1]):
        raise Wrong(
            "two parameters disturb each other: each has its own averages, at its number, and "
            "the options of its own group",
            input="2 and 2; gradients 3 and -1; lr 0.1; weight_decay 0.5 and 0",
            expected=[1.8, 2.1],
            got=got,
        )
    if not (near(mean, 2.0) and near(square, 1.0)):
        raise Wrong(
            "state_dict does not find the averages: a saved run must be able to go on with them, "
            "so they belong into self.mean[number] and self.square[number]",
            input={"gradient": 4.0, "betas": BETAS},
            expected="mean 2, square 1",
            got=f"mean {mean:.4g}, square {square:.4g}",
        )
    yield "each parameter has its own averages, and they can be saved"

    data = np.arange(1, 7, dtype=np.float32).reshape(2, 3)
    got = student.array(probe_adamw_layout, data, shape=(2, 3))
    if not near(got, data - 0.5):
        raise Wrong(
            "a transposed parameter did not move as it should: where pieces are copies, writing "
            "to them changes nothing",
            input=data,
            expected=data - 0.5,
            got=got,
        )
    if got.dtype != np.float32:
        raise Wrong(
            "a float32 parameter became another dtype", expected="float32", got=str(got.dtype)
        )
    yield "a transposed parameter moves too, and float32 stays float32"


# --- 05.4: gradient clipping ---


def probe_clip(mg, gradients, max_norm):
    """What is returned, and the gradients afterwards."""
    parameters = []
    for gradient in gradients:
        parameter = mg.nn.Parameter(np.zeros(1 if gradient is None else gradient.shape))
        parameter.grad = None if gradient is None else gradient.copy()
        parameters.append(parameter)
    norm = mg.optim.clip_grad_norm_(parameters, max_norm)
    return {"norm": norm, "gradients": [parameter.grad for parameter in parameters]}


def clipped(student, gradients, max_norm):
    """The norm, certainly a number, and the gradients."""
    got = student.run(probe_clip, gradients, max_norm)
    norm, kinds = got["norm"], int | float | np.integer | np.floating
    if isinstance(norm, bool) or not isinstance(norm, kinds):
        raise Wrong("the length must be returned, as a number", expected="a number", got=norm)
    return float(norm), got["gradients"]


def same(gradients, expected):
    return all(near(g, e) for g, e in zip(gradients, expected))


@check("05.4")
def clip(student):
    gradients = [np.array([2.0, 1.0]), np.array([[4.0, 2.0]])]  # √(4 + 1 + 16 + 4) = 5
    shown = {"gradients": gradients, "max_norm": 1.0}
    expected = [np.array([0.4, 0.2]), np.array([[0.8, 0.4]])]
    norm, after = clipped(student, gradients, 1.0)
    if same(after, gradients):
        raise Wrong(
            "the gradients have not changed: `g = g * scale` only gives a new array a name; "
            "the arrays themselves must change, in place",
            input=shown,
            expected=expected,
            got=after,
        )
    if not same(after, expected):
        words = "all gradients are multiplied by max_norm / length, 1/5 here"
        if not all(near(np.shape(a), np.shape(g)) for a, g in zip(after, gradients)):
            words = "a gradient has another shape than before"
        elif same(after, [np.array([1.0, 1.0]), np.array([[1.0, 1.0]])]):
            words = (
                "each number was cut off at max_norm, which turns the gradient into another "
                "direction: multiply all of them by one factor"
            )
        elif all(
            near(a, g * (np.linalg.norm(a) / np.linalg.norm(g))) for a, g in zip(after, gradients)
        ) and not near(2 * after[0][0], after[1][0][0]):
            words = (
                "each parameter was clipped by its own length, so their proportion is lost: there "
                "is one common length, and one factor for all"
            )
        elif near(norm, 25.0):
            words = "the length is 25, the sum of the squares: its root is missing"
        elif near(norm, 9.0):
            words = "the length is 9, the sum of the numbers' sizes: add up their squares"
        elif near(norm, np.sqrt(5) + np.sqrt(20)):
            words = (
                "the length is 6.71, the lengths of the parameters added up: add the squares of "
                "all, and take one root at the end"
            )
        raise Wrong(words, input=shown, expected=expected, got=after)
    yield "one factor for all, and the common length becomes max_norm"
    if not near(norm, 5.0):
        words = "the returned number is not the length of the gradients as they came"
        if near(norm, 1.0):
            words = (
                "the length after the clipping is returned, which says nothing: the one before "
                "it is the warning of a run that is about to fail"
            )
        raise Wrong(words, input=shown, expected=5.0, got=norm)
    yield "it returns the length as it was"

    gradients = [np.array([0.3]), np.array([0.4])]
    norm, after = clipped(student, gradients, 1.0)
    if not same(after, gradients) or not near(norm, 0.5):
        raise Wrong(
            "gradients shorter than max_norm are left alone: clipping is a limit, it never makes "
            "a gradient longer",
            input={"gradients": gradients, "max_norm": 1.0},
            expected="unchanged, length 0.5",
            got=f"{after}, length {norm:.4g}",
        )
    yield "short gradients are left alone"
    norm, after = clipped(student, [None, np.array([6.0, 8.0])], 5.0)
    if not near(norm, 10.0) or after[0] is not None or not near(after[1], [3.0, 4.0]):
        raise Wrong(
            "a parameter without a gradient is passed over, and the others are clipped",
            input={"gradients": [None, [6.0, 8.0]], "max_norm": 5.0},
            expected="[None, [3, 4]], length 10",
            got=f"{after}, length {norm:.4g}",
        )
    for gradients in ([np.zeros(2)], [None]):
        norm, after = clipped(student, gradients, 1.0)
        if norm != 0 or not (after[0] is None or near(after[0], np.zeros(2))):
            raise Wrong(
                "gradients that are all 0, or none at all, have the length 0, and nothing is to "
                "be divided by it",
                input={"gradients": gradients, "max_norm": 1.0},
                expected=0.0,
                got=norm,
            )
    yield "no gradient, or one of zeros, has the length 0"

    for spoiled in (np.inf, np.nan):
        gradients = [np.array([spoiled, 1.0]), np.array([2.0])]
        norm, after = clipped(student, gradients, 1.0)
        if np.isfinite(norm) or not all(map(np.array_equal, after, gradients, [True, True])):
            words = (
                "where the length is not finite, no factor helps: return it, and leave the "
                "gradients as they are, so that whoever called can see it and stop"
            )
            if np.isnan(spoiled):
                words = "one nan has spoiled every gradient: a length of nan is not finite either"
            raise Wrong(
                words,
                input={"gradients": gradients, "max_norm": 1.0},
                expected=f"unchanged, length {spoiled}",
                got=f"{after}, length {norm:.4g}",
            )
    yield "a length that is not finite is returned, and changes nothing"


# --- 05.5: warm-up and cosine ---


def probe_schedule(mg, steps, warmup_steps, total_steps, lr, min_lr):
    return np.array(
        [mg.optim.warmup_cosine(s, warmup_steps, total_steps, lr, min_lr) for s in steps]
    )


@check("05.5")
def schedule(student):
    shown = {"warmup_steps": 4, "total_steps": 12, "lr": 1.0, "min_lr": 0.2}
    got = student.array(probe_schedule, list(range(21)), 4, 12, 1.0, 0.2, shape=(21,))
    if not near(got[:4], [0.25, 0.5, 0.75, 1.0]):
        words = "in the warm-up the rate climbs evenly, and reaches lr at its last step"
        if near(got[0], 0.0):
            words = "the rate at step 0 is 0, a step for nothing: count from step + 1"
        raise Wrong(
            words,
            input=shown | {"step": "0, 1, 2, 3"},
            expected=[0.25, 0.5, 0.75, 1.0],
            got=got[:4],
        )
    yield "the warm-up climbs evenly up to lr"
    if not near(got[4], 1.0):
        words = "the cosine begins at lr, right after the warm-up"
        if got[4] < 1:
            words = (
                "the rate falls off a cliff after the warm-up: the progress of the cosine begins "
                "at 0 there, so take the warm-up's steps off, above and below the line"
            )
        raise Wrong(words, input=shown | {"step": 4}, expected=1.0, got=got[4])
    if not near(got[12], 0.2):
        words = "at total_steps the rate must have arrived at min_lr"
        if near(got[12], 0.0):
            words = "min_lr is not reached but passed: the rate ends at 0"
        raise Wrong(words, input=shown | {"step": 12}, expected=0.2, got=got[12])
    if not near(got[8], 0.6):
        words = "half-way down, the rate is the middle of lr and min_lr"
        raise Wrong(words, input=shown | {"step": 8}, expected=0.6, got=got[8])
    if not near(got[[6, 10]], [0.882843, 0.317157]):  # 0.2 + 0.4 (1 ± √½)
        words = "the curve is no cosine of π · progress"
        if near(got[[6, 10]], [0.8, 0.4]):
            words = "the rate falls along a straight line: a cosine stays high first, then falls"
        raise Wrong(
            words, input=shown | {"step": "6, 10"}, expected=[0.882843, 0.317157], got=got[[6, 10]]
        )
    yield "then a cosine leads from lr to min_lr"
    if not near(got[13:], np.full(8, 0.2)):
        raise Wrong(
            "after total_steps the rate does not stay at min_lr: a cosine that goes on climbs "
            "again",
            input=shown | {"step": "13, …, 20"},
            expected=np.full(8, 0.2),
            got=got[13:],
        )
    yield "and the rate stays there"
    got = student.array(probe_schedule, [1, 4, 8, 12], 4, 12, 0.5, 0.1, shape=(4,))
    if not near(got, [0.25, 0.5, 0.3, 0.1]):
        words = "lr and min_lr are two rates, and every rate lies between 0 and lr"
        if near(got[0], 0.5):
            words = "the warm-up climbs to 1, whatever lr is: it must climb to lr"
        elif near(got[3], 0.05):
            words = "min_lr is a rate of its own, not a fraction of lr"
        raise Wrong(
            words,
            expected=[0.25, 0.5, 0.3, 0.1],
            got=got,
            input=shown | {"step": "1, 4, 8, 12", "lr": 0.5, "min_lr": 0.1},
        )
    yield "for another lr and min_lr too"
    got = student.array(probe_schedule, [0, 4], 0, 4, 1.0, 0.0, shape=(2,))
    if not near(got, [1.0, 0.0]):
        raise Wrong(
            "without a warm-up the rate begins at lr",
            expected=[1.0, 0.0],
            got=got,
            input={"step": "0, 4", "warmup_steps": 0, "total_steps": 4, "lr": 1.0, "min_lr": 0.0},
        )
    got = student.array(probe_schedule, [3, 4, 5], 4, 4, 1.0, 0.2, shape=(3,))
    if not near(got, [1.0, 0.2, 0.2]):
        raise Wrong(
            "where the warm-up is the whole training, min_lr follows it",
            expected=[1.0, 0.2, 0.2],
            got=got,
            input={
                "step": "3, 4, 5",
                "warmup_steps": 4,
                "total_steps": 4,
                "lr": 1.0,
                "min_lr": 0.2,
            },
        )
    yield "a warm-up of no steps and one of all steps are fine"
