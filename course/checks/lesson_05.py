"""What the exercises of lesson 05 must do, on parameters of a few numbers."""

import numpy as np

from course.checks.vocabulary import Wrong, WrongForm, check, near, require, same

HINTS_OF_UPDATE = (
    (
        r"name '(lr|momentum|weight_decay|betas|eps)' is not defined|^KeyError: '(lr|beta[12])'"
        r"|'(SGD|AdamW)' object has no attribute '(momentum|weight_decay|betas|eps)'",
        'the rate is self.lr; the other options are in the group: group["momentum"], '
        'group["weight_decay"], group["betas"] (a pair), group["eps"]',
    ),
    (
        r"'AdamW' object has no attribute '(mean|square|m|v|s)'",
        "the draft's names: here the averages are self.exp_avg and self.exp_avg_sq",
    ),
)

# --- 05.1: the step of every optimizer ---


def probe_steps(mg, rounds, first=2):
    """What `update` is given in the last call of `step`, and what is left after it.

    `rounds`: for each step the gradients of four parameters, numbers or None. The parameters stand
    in two groups, `first` of them in the first one; the second has decay 0.5. Returns a list for
    the calls of `update` (places, numbers, decays, counts), then steps, counts, and what is kept.
    Where `update` got no parameter of these, or no group of the optimizer, returns which of the two.
    """
    calls, strange = [], []

    class Watched(mg.optim.Optimizer):
        def update(self, number, parameter, group):
            met = [p is parameter for p in parameters]
            if True not in met or not any(group is own for own in self.param_groups):
                strange.append("group" if True in met else "parameter")
                return
            place = met.index(True)
            calls.append(
                [place, int(number), float(group["weight_decay"]), self.update_counts[place]]
            )

    parameters = [mg.nn.Parameter(np.zeros(1)) for _ in range(4)]
    groups = [{"params": parameters[:first]}, {"params": parameters[first:], "weight_decay": 0.5}]
    optimizer = Watched(groups, lr=0.1, weight_decay=0.0)
    for gradients in rounds:
        calls.clear()
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = None if gradient is None else np.full(1, gradient)
        optimizer.step()
    if strange:
        return strange[0]
    columns = list(zip(*sorted(calls))) or [()] * 4
    kept = [parameter.grad is not None for parameter in parameters]
    return [*columns, int(optimizer.steps), list(optimizer.update_counts), kept]


@check("05.1")
def step(student):
    student.hints = HINTS_OF_UPDATE
    all_four, some, everyone = [1.0] * 4, [1.0, None, None, 1.0], [0, 1, 2, 3]
    shown = "four parameters with gradients, in two groups of two; one step"
    got = student.run(probe_steps, [all_four], given=shown)
    if isinstance(got, str):
        words = {
            "parameter": "what update gets in the second place is no parameter of the optimizer: "
            "the order is self.update(number, parameter, group)",
            "group": "what update gets in the third place is no group of self.param_groups: give "
            "it the one dictionary that the parameter stands in",
        }[got]
        raise Wrong(words, input=shown)
    places, numbers, decays, seen, steps, counts, _ = got
    words = "every parameter of every group that has a gradient is given to update once"
    require(places, everyone, words, input=shown)
    yield "each parameter is updated once"
    again = (
        "the number starts again in the second group, so its parameters would use the buffers of "
        "the first one: count on through all groups"
    )
    stays = (
        "every parameter comes with the number 0: count on after each one (`.index` finds the first "
        "place for all of them, since == compares tensors by their values)"
    )
    of_group = "the number is that of the group: count the parameters, through all groups"
    words = "parameter 3 must come with the number 3, since its buffers are the ones at 3"
    when = {again: [0, 1, 0, 1], stays: [0, 0, 0, 0], of_group: [0, 0, 1, 1]}
    require(numbers, everyone, words, when=when, input=shown)
    for first in (3, 1):
        require(
            student.run(probe_steps, [all_four], first)[1],
            everyone,
            "the number is right for groups of equal length only: the second group begins where "
            "the first one ends, however long either is",
            input=f"groups of {first} and {4 - first} parameters; one step",
        )
    require(
        decays,
        [0.0, 0.0, 0.5, 0.5],
        "update is given the options of another group: each parameter goes with its own group",
        input="weight_decay 0 in the first group of two, 0.5 in the second",
    )
    yield "with its number, counted through all groups, and the options of its group"
    require(
        seen,
        [1, 1, 1, 1],
        "during its first update, the count of a parameter must be 1: update_counts[number] "
        "counts the updates of one parameter",
        when={
            "update_counts stays 0: update_counts[number] goes up by 1 before each update of the "
            "parameter": lambda _: not any(counts),
            "the count of a parameter is still 0 while its first update runs, and Adam's "
            "correction would divide by 1 - β⁰ = 0: count first, then update": [0, 0, 0, 0],
        },
        input=shown,
    )
    words = "self.steps counts the calls of step, and there was one"
    when = {
        "self.steps goes up with each parameter: it counts calls of step, not updates": 4,
        "self.steps goes up with each group: it counts calls of step, so its line stands outside "
        "of the loops": 2,
        "self.steps is still 0: it goes up by 1 at each call of step": 0,
    }
    require(steps, 1, words, when=when, input=shown)
    yield "update_counts is 1 in each first update, and steps is 1"

    shown = "gradients: one, None, None, one"
    places, numbers, _, _, _, counts, _ = student.run(probe_steps, [some], given=shown)
    stops = (
        "everything behind the first parameter without a gradient is left out too: pass over that "
        "one alone (`break` and `return` leave the loop, `continue` goes on with the next)"
    )
    words = "a parameter whose gradient is None took no part in the loss, and must be left alone"
    require(places, [0, 3], words, when={stops: [0]}, input=shown)
    words = (
        "a parameter without a gradient keeps its number: where it is not counted, the next one "
        "takes over its buffers"
    )
    require(numbers, [0, 3], words, input=shown)
    words = "a parameter without a gradient was not updated, so its count must stay as it is"
    require(counts, [1, 0, 0, 1], words, input=shown)
    require(
        student.run(probe_steps, [some, some, all_four])[3],
        [3, 1, 1, 3],
        "a parameter whose first gradient comes late has its first update then: its count is 1, "
        "whatever self.steps is",
        input=shown + ", twice; then four times one",
    )
    yield "a parameter without a gradient is left alone, keeps its number, and is not counted"
    require(
        student.run(probe_steps, [[0.0, 1.0, 1.0, 1.0]])[0],
        everyone,
        "a gradient of zeros is a gradient: momentum and decay move its parameter all the same; "
        "only None means that there is none",
        input="gradients: zero, one, one, one",
    )
    yield "a gradient of zeros counts as one"
    *_, steps, counts, kept = student.run(probe_steps, [[1.0, 1.0, None, 1.0]] * 3)
    words = (
        "step must leave the gradients where they are: forgetting them is zero_grad's task, and "
        "someone may want to look at them after the step"
    )
    require(kept, [True, True, False, True], words, expected="the gradients are kept")
    require(
        [steps, *counts],
        [3, 3, 3, 0, 3],
        "after three calls of step, steps is 3 and so is the count of each updated parameter",
        input="three of four parameters with gradients; three steps",
    )
    yield "three steps are counted as three, and the gradients stay"


# --- 05.2: SGD with momentum ---


def probe_sgd(mg, parameter, gradients, lr, momentum=0.0, weight_decay=0.0):
    """The parameters after each update, (updates, parameters); each parameter is one number.

    `lr` is one rate or has one for each update, `gradients` has a row for each update.
    """
    parameters = [mg.nn.Parameter(np.array([number])) for number in np.ravel(parameter)]
    optimizer = mg.optim.SGD(parameters, lr=1.0, momentum=momentum, weight_decay=weight_decay)
    path = []
    for rate, row in zip(np.broadcast_to(lr, len(gradients)), gradients):
        optimizer.lr = float(rate)
        for p, gradient in zip(parameters, np.ravel(row)):
            p.grad = np.array([gradient])
        for number, p in enumerate(parameters):
            optimizer.update(number, p, optimizer.param_groups[0])
        path.append([p.data[0] for p in parameters])
    return np.array(path).reshape(-1, *np.shape(parameter))


def probe_sgd_group(mg):
    """A matrix in the second of two groups, the one with decay, after one update."""
    a, b = mg.nn.Parameter(np.zeros(1)), mg.nn.Parameter(np.array([[2.0, 3.0], [4.0, 5.0]]))
    groups = [{"params": [a]}, {"params": [b], "weight_decay": 0.5}]
    optimizer = mg.optim.SGD(groups, lr=1.0)
    b.grad = np.array([[-0.5, -1.0], [-1.5, -1.5]])
    optimizer.update(1, b, optimizer.param_groups[1])
    return b.data


def probe_sgd_memory(mg):
    """The gradient and the remembered velocity after two updates in float32."""
    parameter = mg.nn.Parameter(np.array([2.0], np.float32))
    optimizer = mg.optim.SGD([parameter], lr=0.1, momentum=0.5, weight_decay=0.5)
    for _ in range(2):
        parameter.data = np.array([2.0], np.float32)
        parameter.grad = np.array([1.0], np.float32)
        optimizer.update(0, parameter, optimizer.param_groups[0])
    velocity = optimizer.state_dict()["velocity.0"]
    return [parameter.grad[0], velocity[0], str(parameter.data.dtype)]


def probe_sgd_one_array(mg):
    """A parameter after two updates whose gradients are written into one and the same array."""
    parameter, gradient = mg.nn.Parameter(np.array([0.0])), np.array([1.0])
    optimizer = mg.optim.SGD([parameter], lr=1.0, momentum=0.5)
    for _ in range(2):
        gradient[...] = 1.0
        parameter.grad = gradient
        optimizer.update(0, parameter, optimizer.param_groups[0])
    return parameter.data[0]


def moves(student, gradients, momentum, decay=0.0, of=1.0):
    """Whether a parameter at `of` moves under these options."""
    path = student.run(probe_sgd, of, gradients, 0.25, momentum, decay)
    return not near(path[-1], of)


@check("05.2")
def sgd(student):
    student.hints = HINTS_OF_UPDATE
    student.expect(
        probe_sgd,
        *(1.0, [2.0], 0.25),
        equals=[0.5],
        otherwise="without momentum the step is -lr · gradient",
        when={
            "the gradient is multiplied by momentum, which is 0 here: momentum belongs to the old "
            "velocity alone": lambda got: near(got, [1.0]) and moves(student, [2.0], 0.5),
            "the first update moves nothing and the second does: bring the velocity up to date "
            "first, then move the parameter": lambda got: (
                near(got, [1.0]) and moves(student, [2.0, 2.0], 0.0)
            ),
            "the gradient is multiplied by weight_decay, which is 0 here: only the parameter "
            "itself is, and the product is added to the gradient": lambda got: (
                near(got, [1.0]) and moves(student, [2.0], 0.0, 0.5, of=0.0)
            ),
            "the parameter has not moved: parameter.data itself must change": [1.0],
            "lr is missing: the step is lr times the velocity": [-1.0],
            "lr enters twice, into the velocity and into the step: only the step has it": [0.875],
            "the step goes uphill: the gradient points to where the loss grows": [1.5],
        },
    )
    yield "a plain step is -lr · gradient"
    never = "old gradients never fade: the old velocity is to be multiplied by momentum"
    student.expect(
        probe_sgd,
        *(0.0, [1.0, 1.0, 1.0], 0.1, 0.5),
        equals=[-0.1, -0.25, -0.425],
        otherwise="velocity = momentum · velocity + gradient, and the step is -lr · velocity",
        when={
            "the first step is too short: the gradient enters the velocity whole, without the "
            "factor 1 - momentum (that is Adam's mean)": [-0.05, -0.125, -0.2125],
            "the first step is too long: the velocity is still 0 then, and the momentum is taken "
            "of the old velocity, not of the gradient or of the new velocity": lambda got: (
                got[0] < -0.12
            ),
            "every step is as long as the first: the velocity is forgotten between the steps; it "
            "must be written back into self.velocity[number], with the gradient in it": [
                -0.1,
                -0.2,
                -0.3,
            ],
            never: [-0.1, -0.3, -0.6],
        },
    )
    yield "a steady gradient builds up speed: velocities 1, 1.5, 1.75"
    student.expect(
        probe_sgd,
        *([0.0, 0.0], [[1.0, 0.0], [1.0, 0.0]], 0.1, 0.5),
        equals=[[-0.1, 0.0], [-0.25, 0.0]],
        otherwise="two parameters disturb each other: each has a velocity of its own, at its number",
        when={
            "update moves other parameters too: it is called once for each, and moves only the one "
            "that it is given, so it has no loop": lambda got: near(got[0], [-0.2, -0.1])
        },
    )
    yield "each parameter has its own velocity"
    student.expect(
        probe_sgd,
        *(0.0, [1.0, 1.0], [1.0, 0.1], 0.5),
        equals=[-1.0, -1.15],
        otherwise="after a change of lr the step still has some of the old rate in it: the "
        "velocity is a sum of gradients, and lr is multiplied only when the parameter moves",
    )
    yield "a new learning rate acts at once"
    student.expect(
        probe_sgd,
        *(2.0, [0.0, 0.0], 0.1, 0.5, 0.5),
        equals=[1.9, 1.755],
        otherwise="weight_decay times the parameter is added to its gradient",
        when={
            "weight_decay has no effect: the parameter stays where it is": [2.0, 2.0],
            "weight_decay makes the parameter grow: it is added to the gradient": [2.1, 2.255],
            "the decay is not multiplied by lr: add it to the gradient, and the step multiplies both "
            "by lr": [1.0, 0.5],
            "the decay of the first step is not remembered: in SGD it is a part of the gradient, "
            "so it enters the velocity too": [1.9, 1.805],
        },
    )
    yield "weight decay is a part of the gradient"
    student.expect(
        probe_sgd_group,
        equals=[[1.5, 2.5], [3.5, 4.0]],
        otherwise="each entry moves along its own velocity, by the options of its own group",
        given="[[2, 3], [4, 5]] in the second group, whose weight_decay is 0.5; momentum 0, lr 1, "
        "gradient [[-0.5, -1], [-1.5, -1.5]]",
    )
    yield "each entry by itself, with the options of its group"
    gradient, velocity, dtype = student.run(probe_sgd_memory)
    words = "update changes parameter.grad: make a new array for gradient and decay together"
    shown = {"parameter": 2.0, "gradient": 1.0, "weight_decay": 0.5}
    require(gradient, 1.0, words, input=shown)
    words = (
        "state_dict does not find the velocity: a saved run must be able to go on with it, so it "
        "belongs into self.velocity[number]"
    )
    require(velocity, 3.0, words, input="two updates with gradient plus decay 2, momentum 0.5")
    require(dtype, "float32", "a parameter of float32 became another dtype", input=shown)
    student.expect(
        probe_sgd_one_array,
        equals=-2.5,
        otherwise="the velocity is the very array of a gradient, and changes when the next gradient "
        "is written there: add into self.velocity[number], or keep a copy",
        given="two updates with gradient 1, written into one array; lr 1, momentum 0.5",
    )
    yield "the gradient stays as it is, and the velocity can be saved"


# --- 05.3: AdamW ---

BETAS = [0.5, 0.9375]  # 1 - β is 0.5 and 0.0625, whose root is 0.25: easy to work with by hand


def probe_adamw(mg, parameter, gradients, lr, betas, eps=0.0, weight_decay=0.0, late=None):
    """The parameter (one number) after each update, (updates,); `late` steps came before them."""
    p = mg.nn.Parameter(np.array([parameter]))
    optimizer = mg.optim.AdamW([p], lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay)
    optimizer.steps = late or 0
    path = []
    for gradient in gradients:
        optimizer.steps += 1
        optimizer.update_counts[0] += 1
        p.grad = np.array([gradient])
        optimizer.update(0, p, optimizer.param_groups[0])
        path.append(float(p.data[0]))
    return np.array(path)


def probe_adamw_memory(mg, gradients, betas):
    """The last gradient and the two averages after an update with each of `gradients`."""
    parameter = mg.nn.Parameter(np.array([1.0]))
    optimizer = mg.optim.AdamW([parameter], lr=0.1, betas=tuple(betas), weight_decay=0.5)
    for number, gradient in enumerate(gradients, start=1):
        optimizer.steps = optimizer.update_counts[0] = number
        parameter.grad = np.array([gradient])
        optimizer.update(0, parameter, optimizer.param_groups[0])
    state = optimizer.state_dict()
    return {
        "gradient": parameter.grad[0],
        "averages": [state["exp_avg.0"][0], state["exp_avg_sq.0"][0]],
    }


def probe_adamw_two(mg):
    """Two parameters in groups with and without decay, after one update of each."""
    a, b = mg.nn.Parameter(np.array([2.0])), mg.nn.Parameter(np.array([2.0]))
    groups = [{"params": [a], "weight_decay": 0.5}, {"params": [b], "weight_decay": 0.0}]
    optimizer = mg.optim.AdamW(groups, lr=0.1)
    optimizer.steps, optimizer.update_counts = 1, [1, 1]
    for number, (parameter, gradient) in enumerate([(a, 3.0), (b, -1.0)]):
        parameter.grad = np.array([gradient])
        optimizer.update(number, parameter, optimizer.param_groups[number])
    return np.array([a.data[0], b.data[0]])


def probe_adamw_layout(mg, data, transposed=False):
    """A float32 parameter, with rows and columns exchanged in memory or not, after one update."""
    values = data.T.copy().T if transposed else data.copy()
    parameter = mg.Tensor(values, requires_grad=True)
    optimizer = mg.optim.AdamW([parameter], lr=0.5, weight_decay=0.0)
    optimizer.steps = optimizer.update_counts[0] = 1
    parameter.grad = data.copy()
    optimizer.update(0, parameter, optimizer.param_groups[0])
    return parameter.data


@check("05.3")
def adamw(student):
    student.hints = HINTS_OF_UPDATE
    shown = {"gradient": "4 at every step", "lr": 0.1, "betas": BETAS, "weight_decay": 0.0}
    steady, small = [
        student.array(probe_adamw, 1.0, [g] * 200, 0.1, BETAS, shape=(200,), given=shown)
        for g in (4.0, 1.0)
    ]
    if not np.all(np.isfinite([steady, small])):
        words = "the parameter became nan or inf"
        if near(steady[0], 0.9):
            words = (
                "the first step is right, and the second makes nan: the t of 1 - βᵗ is an exponent, "
                "beta1**t and beta2**t"
            )
        elif not np.isfinite(steady[0]):
            words = (
                "the first step makes nan or inf, as a division by 1 - β⁰ = 0 does: t is "
                "self.update_counts[number], which is 1 at the first update"
            )
        raise Wrong(words, input=shown, expected="numbers", got=steady[:3])
    first, last = 1.0 - steady[0], steady[-2] - steady[-1]  # the lengths of two steps
    words = ""
    if near(first, 0.0):
        words = "the parameter has not moved: parameter.data itself must change"
    elif first < 0:
        words = "the first step goes uphill: what Adam computes is subtracted"
    elif near(first, 1.1) and near(last, 0.0):
        words = (
            "without weight decay the parameter becomes 0: the factor is 1 - lr · weight_decay, "
            "and not lr · weight_decay"
        )
    elif near(last, 1.0, 1e-4):
        words = "the steps are ten times too long: lr, 0.1 here, is missing"
    if words:
        raise Wrong(words, input=shown, expected=0.9, got=steady[0])
    if not near(small, steady, 1e-4):
        words = (
            "a gradient four times as large must not change the length of the step: divide the "
            "mean by the root of the mean square"
        )
        if near(first, 2 * (1.0 - small[0])):
            words = (
                "a gradient four times as large makes the step twice as long: the mean square takes "
                "the gradient itself, and not its square"
            )
        raise Wrong(
            words,
            input={"gradients": "4 at every step, then in a second run 1 at every step"},
            expected="the same first step",
            got=f"steps of {first:.4g} and {1.0 - small[0]:.4g}",
        )
    yield "the length of a step does not depend on the gradient's size"
    given = {"parameter": 1.0, "gradient": 4.0, "betas": BETAS, "weight_decay": 0.5}
    twice = student.run(probe_adamw_memory, [4.0, 4.0], BETAS, given=given)["averages"]
    kept = student.run(probe_adamw_memory, [4.0], BETAS, given=given)
    words = "update changes parameter.grad: it may only be read"
    require(kept["gradient"], 4.0, words, input=given)
    require(
        kept["averages"],
        [2.0, 1.0],
        "after one update, from averages of 0, the mean is (1 - β₁) · 4 = 2 and the mean square "
        "(1 - β₂) · 4² = 1",
        when={
            "the averages are still 0 after an update: what is computed must be written back into "
            "self.exp_avg[number] and self.exp_avg_sq[number]": [0.0, 0.0],
            "exp_avg is kept, but exp_avg_sq is still 0 after an update: write it back into "
            "self.exp_avg_sq[number]": [2.0, 0.0],
            "exp_avg_sq is kept, but exp_avg is still 0 after an update: write it back into "
            "self.exp_avg[number]": [0.0, 1.0],
            "the gradient enters the averages whole: the factors 1 - β₁ and 1 - β₂ in front of it "
            "are missing": lambda got: near(got, [4.0, 16.0]) and near(twice, [6.0, 31.0]),
            "the corrected averages were stored: the next step would average over them; correct a "
            "copy, and keep the running averages as they are": lambda got: (
                near(got[0], 4.0) or near(got[1], 16.0)
            ),
            "β₁ and β₂ are exchanged: the first belongs to the mean, the second to the square": [
                0.25,
                8.0,
            ],
            "β₁ is used for the mean square too, which has β₂": [2.0, 8.0],
            "β₂ and 1 - β₂ are exchanged: β₂ keeps the old average, 1 - β₂ is the share of what is "
            "new": [2.0, 15.0],
            "the decay went into the averages, so it is divided by the root like everything else and "
            "nearly vanishes beside a gradient; decoupled, it shrinks the parameter "
            "directly": [2.25, 1.265625],
            "the mean square is that of exp_avg: it takes the square of the gradient": [2.0, 0.25],
            "1 - β₂ is squared with the gradient: only the gradient is": [2.0, 0.0625],
        },
        input=given,
    )
    if not near(last, 0.1, 1e-4):
        words = "under a steady gradient, mean / √square tends to 1 and the step to lr"
        if near(first, 0.1, 1e-4):
            words = (
                "the first step is right, and the 200th is not: the correction has to fade, its "
                "1 - βᵗ (only β has the exponent) goes to 1 as t, the count in "
                "self.update_counts[number], grows"
            )
        raise Wrong(words, input=shown, expected="200th step 0.1 long", got=f"{last:.4g} long")
    if not near(first, 0.1, 1e-4):
        words = (
            "the first step is too short: the mean is divided by 1 - β₁ᵗ, and the square by "
            "1 - β₂ᵗ before its root is taken"
        )
        if near(first, 0.0928, 1e-3):
            words = (
                "the first step is that of t = 2: self.update_counts[number] is 1 already at the "
                "first update, since `step` counts before it calls update"
            )
        elif near(first, 2.263, 1e-2):
            words = (
                "the corrections are exchanged: 1 - β₁ᵗ belongs to the mean, 1 - β₂ᵗ to the square"
            )
        elif near(first, 0.4, 1e-3):
            words = (
                "the first step is four times too long: the square is to be divided by 1 - β₂ᵗ "
                "before its root is taken, and that is left out, or it is multiplied"
            )
        elif first > 0.1:
            words = (
                "the first step is too long, the 200th is right: the averages begin at 0, and "
                "without bias correction the square falls short by more than the mean"
            )
        raise Wrong(words, input=shown, expected="first step 0.1 long", got=f"{first:.4g} long")
    yield "the first step and the 200th are lr long"

    # Means 2 and 1, squares 1 and 0.9375, divided by 0.75 and 1 - 0.9375² = 0.12109375.
    student.expect(
        probe_adamw,
        *(1.0, [4.0, 0.0], 0.1, BETAS),
        equals=[0.9, 0.852081],
        otherwise="after the gradients 4 and 0 the mean is β₁ · 2 + (1 - β₁) · 0 = 1, and the mean "
        "square is β₂ · 1 + (1 - β₂) · 0² = 0.9375",
    )
    yield "the averages remember: the gradients 4 and 0"
    student.expect(
        probe_adamw,
        *(1.0, [4.0], 0.1, BETAS, 1.0),
        equals=[0.92],  # 4 / (4 + 1) of lr
        otherwise="the step is too short: eps is added after the square was corrected, not before",
        when={
            "eps is added to the step: parentheses make √square + eps the divisor": lambda got: (
                near(got, [-0.1]) or near(got, [1.9])
            ),
            "eps has no effect, and a gradient of 0 would divide 0 by 0": [0.9],
            "the step is too long: eps stands inside the root, √(16 + 1); it belongs beside it, "
            "√16 + 1": lambda got: got[0] < 0.92,
        },
    )
    yield "eps stands beside the root"
    idle = student.array(probe_adamw, 2.0, [0.0], 0.1, BETAS, 1e-8, 0.5)
    still = student.array(probe_adamw, 2.0, [4.0], 0.0, BETAS, 0.0, 0.5)
    student.expect(
        probe_adamw,
        *(2.0, [4.0], 0.1, BETAS),
        weight_decay=0.5,
        equals=[1.8],
        otherwise="the parameter shrinks by the factor 1 - lr · weight_decay, beside the step",
        when={
            "weight_decay has no effect, even where the gradient is 0": lambda got: near(
                idle, [2.0]
            ),
            "with lr = 0 the parameter still shrinks: the decay is lr · weight_decay": lambda got: (
                not near(still, [2.0])
            ),
            "the decay is taken of the parameter after its step: both start from the same value, "
            "so shrink first": [1.805],
            "weight_decay makes the parameter grow": lambda got: got[0] > 1.95,
        },
    )
    yield "weight decay shrinks the parameter directly"

    student.expect(
        probe_adamw_two,
        equals=[1.8, 2.1],
        otherwise="two parameters disturb each other: each has its own averages, at its number, "
        "and the options of its own group",
        given="2 and 2; gradients 3 and -1; lr 0.1; weight_decay 0.5 and 0",
    )
    yield "each parameter has its own averages, and they can be saved"
    student.expect(
        probe_adamw,
        *(1.0, [4.0], 0.1, BETAS),
        late=10,
        equals=[0.9],
        otherwise="the first update of a parameter is lr long, also at step 11: t is the "
        "parameter's own count, self.update_counts[number], and not self.steps",
    )
    yield "a parameter whose first gradient comes late has the full correction then"
    data = np.arange(1, 7, dtype=np.float32).reshape(2, 3)
    own = "each entry has averages of its own: all of the update is done entry by entry"
    transposed = (
        "a transposed parameter did not move as it should: where tiles are copies, writing to them "
        "changes nothing"
    )
    for words, flag in ((own, False), (transposed, True)):
        student.expect(
            probe_adamw_layout,
            *(data, flag),
            equals=data - 0.5,
            otherwise=words,
            shape=(2, 3),
            dtype=np.float32,
        )
    yield "a transposed parameter moves too, and float32 stays float32"


# --- 05.4: gradient clipping ---


def probe_clip(mg, gradients, max_norm, _as_generator=False):
    """What is returned, and the gradients afterwards."""
    parameters = []
    for gradient in gradients:
        parameter = mg.nn.Parameter(np.zeros(1 if gradient is None else gradient.shape))
        parameter.grad = None if gradient is None else gradient.copy()
        parameters.append(parameter)
    given = (p for p in parameters) if _as_generator else parameters
    norm = mg.optim.clip_grad_norm_(given, max_norm)
    return {"norm": norm, "gradients": [parameter.grad for parameter in parameters]}


def clipped(student, gradients, max_norm, *more):
    """The norm, certainly a number, and the gradients."""
    got = student.run(probe_clip, gradients, max_norm, *more)
    norm, kinds = got["norm"], int | float | np.integer | np.floating
    if isinstance(norm, bool) or not isinstance(norm, kinds):
        raise WrongForm("the length must be returned, as a number", got=norm)
    return float(norm), got["gradients"]


@check("05.4")
def clip(student):
    gradients = [np.array([2.0, 1.0]), np.array([[4.0, 2.0]])]  # √(4 + 1 + 16 + 4) = 5
    shown = {"gradients": gradients, "max_norm": 1.0}

    def scaled(factor):
        return [g * factor for g in gradients]

    norm, after = clipped(student, gradients, 1.0)
    require(
        after,
        scaled(1 / 5),
        "all gradients are multiplied by max_norm / length, 1/5 here",
        when={
            "the gradients have not changed, and the length came out as 0: it is that of the "
            "gradients, p.grad, and not of p.data": lambda got: same(got, gradients) and norm == 0,
            "the gradients have not changed, but shorter ones would: the comparison is the wrong "
            "way round, since those longer than max_norm are to be scaled": lambda got: (
                same(got, gradients)
                and not near(clipped(student, [np.array([0.6])], 1.0)[1], [[0.6]])
            ),
            "the gradients have not changed: `g = g * scale` only gives a new array a name, where "
            "`g *= scale` changes the array; or the second loop goes over a generator that the "
            "first has used up": gradients,
            "a gradient has another shape than before": lambda got: (
                [np.shape(g) for g in got] != [(2,), (1, 2)]
            ),
            "each number was cut off at max_norm, which turns the gradient into another "
            "direction: multiply all of them by one factor": [[1.0, 1.0], [[1.0, 1.0]]],
            "each parameter was clipped by its own length, so their proportion is lost: there is "
            "one common length, and one factor for all": [g / np.linalg.norm(g) for g in gradients],
            "the factor is upside down: max_norm / length, which is below 1": scaled(5),
            "the length is that of the last parameter alone: add up the squares of all": (
                scaled(1 / np.sqrt(20))
            ),
            "each parameter was scaled before the next one was counted: two loops are needed, the "
            "first for the length, the second for the factor": [gradients[0] / 5**0.5, after[1]],
            "the length is 4, the largest number: it is the root of the sum of all squares": scaled(
                1 / 4
            ),
            "the squares are averaged: the length is the root of their sum": scaled(12.5**-0.5),
            "the length is 25, the sum of the squares: its root is missing": scaled(1 / 25),
            "the length is 9, the sum of the numbers' sizes: add up their squares": scaled(1 / 9),
            "the length is 6.71, the lengths of the parameters added up: add the squares of all, "
            "and take one root at the end": scaled(1 / (3 * np.sqrt(5))),
        },
        input=shown,
    )
    yield "one factor for all, and the common length becomes max_norm"
    require(
        norm,
        5.0,
        "the returned number is not the length of the gradients as they came",
        when={
            "the length after the clipping is returned, which says nothing: the one before it is "
            "the warning of a run that is about to fail": 1.0
        },
        input=shown,
    )
    yield "it returns the length as it was"
    norm, after = clipped(student, gradients, 1.0, True)
    require(
        [norm, after],
        [5.0, scaled(1 / 5)],
        "parameters may be a generator, which can be gone through once only: the second loop "
        "over it finds nothing, so make a list first",
        input={"parameters": "a generator of two", **shown},
    )
    yield "a generator of parameters will do"

    gradients = [np.array([0.3]), np.array([0.4])]
    norm, after = clipped(student, gradients, 1.0)
    words = (
        "gradients shorter than max_norm are left alone: clipping is a limit, it never makes a "
        "gradient longer"
    )
    require([norm, after], [0.5, gradients], words, input={"gradients": gradients, "max_norm": 1.0})
    yield "short gradients are left alone"

    gradients = [np.array([1.0, 1.0])]
    norm, after = clipped(student, gradients, 1.0)
    root = np.sqrt(2)
    require(
        [norm, after],
        [root, [gradients[0] / root]],
        "the length is rounded: return it as it is, and round only what is printed",
        input={"gradients": gradients, "max_norm": 1.0},
    )
    yield "no length is rounded"
    gradients = [None, np.array([6.0, 8.0], np.float32)]
    norm, after = clipped(student, gradients, 5.0)
    require(
        [norm, after],
        [10.0, [None, [3.0, 4.0]]],
        "a parameter without a gradient is passed over, and the others are clipped",
        when={
            "the gradients were scaled to the length 1: it should become max_norm, 5 here": [
                10.0,
                [None, [0.6, 0.8]],
            ]
        },
        input={"gradients": gradients, "max_norm": 5.0},
    )
    require(
        str(after[1].dtype),
        "float32",
        "a gradient keeps its dtype: a factor that is a NumPy number makes float64 of float32",
        input={"gradients": "[6, 8] in float32", "max_norm": 5.0},
    )
    for gradients in ([np.zeros(2)], [None]):
        norm, after = clipped(student, gradients, 1.0)
        require(
            [norm, after],
            [0.0, gradients],
            "gradients that are all 0, or none at all, have the length 0, and nothing is to be "
            "divided by it",
            input={"gradients": gradients, "max_norm": 1.0},
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


def probe_schedule(mg, step, warmup_steps=4, total_steps=12, lr=1.0, min_lr=0.2):
    rate = mg.optim.warmup_cosine
    return np.array([rate(s, warmup_steps, total_steps, lr, min_lr) for s in step])


@check("05.5")
def schedule(student):
    student.expect(
        probe_schedule,
        [0, 1, 2, 3],
        equals=[0.25, 0.5, 0.75, 1.0],
        otherwise="in the warm-up the rate climbs evenly, and reaches lr at its last step",
        when={
            "a rate is one number, and no array, tuple or list": lambda got: np.ndim(got) != 1,
            "`//` rounds down to whole numbers: a rate is a fraction, `/`": [0.0, 0.0, 0.0, 1.0],
            "only 1 is divided: put parentheses around step + 1": [0.25, 1.25, 2.25, 3.25],
            "the rate at step 0 is 0, a step for nothing: count from step + 1": lambda got: near(
                got[0], 0.0
            ),
        },
    )
    yield "the warm-up climbs evenly up to lr"
    student.expect(
        probe_schedule,
        [4],
        equals=[1.0],
        otherwise="the cosine begins at lr, right after the warm-up",
        when={
            "step 4 is counted as warm-up, whose four steps are 0, 1, 2 and 3: `<`, not `<=`": [
                1.25
            ],
            "½ is missing: at the beginning 1 + cos(0) is 2": [1.8],
            "1 + cos(…) needs parentheses around it: the factor in front belongs to both": [1.6],
            "only warmup_steps is divided: put parentheses around step - warmup_steps": [0.6],
            "the curve is upside down: 1 + cos(π p) falls, 1 - cos(π p) climbs": [0.2],
            "the cosine begins above lr: its share is taken of lr - min_lr, since min_lr is added": [
                1.2
            ],
            "min_lr was taken off and not added again": lambda got: (
                near(got, [0.8]) and near(student.run(probe_schedule, [4], 4, 12, 1.0, 0.0), [1.0])
            ),
            "the cosine is one step ahead: its progress is counted from step, without + 1": [
                0.969552
            ],
            "the rate falls off a cliff after the warm-up: the progress of the cosine begins at 0 "
            "there, so take the warm-up's steps off, above and below the line": lambda got: (
                got[0] < 1
            ),
        },
    )
    student.expect(
        probe_schedule,
        [12],
        equals=[0.2],
        otherwise="at total_steps the rate must have arrived at min_lr",
        when={"min_lr is not reached but passed: the rate ends at 0": [0.0]},
    )
    student.expect(
        probe_schedule,
        [8],
        equals=[0.6],
        otherwise="half-way down, the rate is the middle of lr and min_lr",
        when={
            "the cosine has not come half-way: the warm-up's steps are taken off below the line "
            "too, total_steps - warmup_steps": [0.8],
            "`//` rounds the progress down to 0: it is a fraction, `/`": [1.0],
            "math.cos takes radians: half a turn is math.pi, and not 180": [0.420771],
        },
    )
    student.expect(
        probe_schedule,
        [6, 10],
        equals=[0.882843, 0.317157],  # 0.2 + 0.4 (1 ± √½)
        otherwise="the curve is no cosine of π · progress",
        when={
            "the rate falls along a straight line: a cosine stays high first, then falls": [
                0.8,
                0.4,
            ]
        },
    )
    yield "then a cosine leads from lr to min_lr"
    student.expect(
        probe_schedule,
        list(range(13, 21)),
        equals=[0.2] * 8,
        otherwise="after total_steps the rate does not stay at min_lr: a cosine that goes on "
        "climbs again",
    )
    yield "and the rate stays there"
    student.expect(
        probe_schedule,
        [1, 4, 8, 12],
        lr=0.5,
        min_lr=0.1,
        equals=[0.25, 0.5, 0.3, 0.1],
        otherwise="lr and min_lr are two rates, and every rate lies between 0 and lr",
        when={
            "the warm-up climbs to 1, whatever lr is: it must climb to lr": lambda got: near(
                got[0], 0.5
            ),
            "min_lr is a rate of its own, not a fraction of lr": lambda got: near(got[3], 0.05),
        },
    )
    yield "for another lr and min_lr too"
    student.expect(
        probe_schedule,
        *([0, 4], 0, 4),
        min_lr=0.0,
        equals=[1.0, 0.0],
        otherwise="without a warm-up the rate begins at lr",
    )
    student.expect(
        probe_schedule,
        *([3, 4, 5], 4, 4),
        equals=[1.0, 0.2, 0.2],
        otherwise="where the warm-up is the whole training, min_lr follows it",
    )
    yield "a warm-up of no steps and one of all steps are fine"


# --- 05.6: Muon: one step for a whole matrix ---


def probe_newton_schulz(mg, matrix, steps):
    return mg.optim.newton_schulz(matrix, steps)


def by_decomposition(matrix, steps, first=3.4445, third=-4.7750, fifth=2.0315, size=None):
    """What is right, computed from the singular values; `size`: how the length is measured."""
    u, s, vt = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    s = s / ((size or np.linalg.norm)(s, axis=-1, keepdims=True) + 1e-7)
    for _ in range(steps):
        s = first * s + third * s**3 + fifth * s**5
    return (u * s[..., None, :]) @ vt


@check("05.6")
def newton_schulz(student):
    diagonal = np.diag([3.0, 4.0])
    student.expect(
        probe_newton_schulz,
        *(diagonal, 0),
        shape=(2, 2),
        equals=diagonal / 5,
        otherwise="before the first round the matrix is divided by its length, √(3² + 4²) = 5 here",
        when={
            "the matrix was not divided by its length, which comes before the first round: "
            "singular values above 1.2 run away": diagonal,
            "the root is missing: divided by 25, the sum of the squares": diagonal / 25,
            "each row was divided by a length of its own: the whole matrix has one": np.eye(2),
            "the matrix was divided by its largest singular value; that is right in itself, but "
            "the length is asked for here, which costs no decomposition": diagonal / 4,
            "`steps` has no effect: with 0 steps there are no rounds": lambda got: near(
                got, by_decomposition(diagonal, 5)
            ),
        },
    )
    yield "the length becomes 1"
    student.expect(
        probe_newton_schulz,
        *(diagonal, 1),
        equals=by_decomposition(diagonal, 1),
        otherwise="one round makes a x + b x³ + c x⁵ of a singular value x, with a = 3.4445, "
        "b = -4.7750, c = 2.0315",
        when={
            "b and c are exchanged: b belongs to A X, c to A² X": by_decomposition(
                diagonal, 1, third=2.0315, fifth=-4.7750
            ),
            "the last term is missing: c A² X": by_decomposition(diagonal, 1, fifth=0.0),
            "b has the wrong sign: it is -4.7750": by_decomposition(diagonal, 1, third=4.7750),
            "the singular values are exactly 1, from a decomposition or by another way; a round "
            "of Newton–Schulz is asked for, which needs matrix products only": np.eye(2),
            "a number that is added to a matrix is added to all its numbers: the first term is "
            "a X": lambda got: not near(got[0, 1], 0.0),
        },
    )
    yield "one round: a x + b x³ + c x⁵ for each singular value x"
    square = np.array([[1.0, 2.0], [0.0, 1.0]])

    def twice(first, squared=lambda A: A @ A, order=lambda A, X: A @ X):
        """What two rounds make of it, where `first` makes A of X."""
        X = square / np.linalg.norm(square)
        for _ in range(2):
            A = first(X)
            X = 3.4445 * X + order(-4.7750 * A + 2.0315 * squared(A), X)
        return X

    start = square @ square.T / 6
    student.expect(
        probe_newton_schulz,
        *(square, 2),
        equals=by_decomposition(square, 2),
        otherwise="two rounds give another matrix than one round after the other",
        when={
            "A was computed once: each round needs the A of its own X": twice(lambda X: start),
            "A² is the matrix product A @ A: A**2 squares number by number": twice(
                lambda X: X @ X.T, squared=np.square
            ),
            "A is X Xᵀ: in Xᵀ X the factors stand the other way round": twice(lambda X: X.T @ X),
            "A stands on the left of X: A X, and not X A": twice(
                lambda X: X @ X.T, order=lambda A, X: X @ A
            ),
            "A is X times X, unturned: the second one is to be transposed (X.mT; NumPy's transpose "
            "is not PyTorch's)": twice(lambda X: X @ X),
            "the diagonal matrix was right, this one is not: @ multiplies matrices, * multiplies "
            "number by number": lambda got: near(got[1, 0], 0.0),
            "only one round was made: each round takes the result of the one before": (
                by_decomposition(square, 1)
            ),
        },
    )
    wide = np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 3.0]])
    for matrix in (wide, wide.T.copy()):
        student.expect(
            probe_newton_schulz,
            *(matrix, 5),
            equals=by_decomposition(matrix, 5),
            otherwise="five rounds bring all singular values of a wide or tall matrix near 1",
            when={
                "the result is transposed: what is turned before the rounds must be turned back "
                "after them": lambda got, shape=matrix.shape: np.shape(got) == shape[::-1]
            },
        )
    yield "wide and tall matrices, five rounds"
    pair = np.stack([square, 10 * square])
    for rounds in (0, 1):
        student.expect(
            probe_newton_schulz,
            *(pair, rounds),
            equals=by_decomposition(pair, rounds),
            otherwise="each of several matrices is treated by itself: `.T` turns all the axes round, "
            "`.mT` the last two of each matrix",
            when={
                "all matrices were divided by one common length: each has a length of its own, over "
                "its last two axes": pair / np.linalg.norm(pair),
                "the two lengths, of shape (2,), are laid along the columns: with keepdims=True they "
                "have the shape (2, 1, 1), one for each matrix": pair
                / np.linalg.norm(pair, axis=(1, 2)),
            },
        )
    several = np.stack([wide, 10 * wide, -wide])
    student.expect(
        probe_newton_schulz,
        *(several, 5),
        equals=by_decomposition(several, 5),
        otherwise="each of several matrices is treated by itself",
    )
    yield "several matrices at once, each by itself"
    student.expect(
        probe_newton_schulz,
        *(wide[None], 5),
        equals=by_decomposition(wide[None], 5),
        otherwise="the result keeps all its axes, also where one of them has size 1",
    )
    student.expect(
        probe_newton_schulz,
        *(np.zeros((2, 3)), 5),
        equals=np.zeros((2, 3)),
        otherwise="a matrix of zeros must stay zeros: the 1e-7 beside the length keeps 0 / 0 away",
    )
    student.expect(
        probe_newton_schulz,
        *(1e-8 * diagonal, 0),
        equals=diagonal / 15,
        otherwise="a tiny matrix is divided by its length plus 1e-7, here 5e-8 + 1e-7",
    )
    student.expect(
        probe_newton_schulz,
        *(wide.astype(np.float32), 5),
        equals=by_decomposition(wide, 5),
        otherwise="in float32 the result is the same, up to rounding",
        tolerance=1e-4,
        dtype=np.float32,
    )
    yield "zeros stay zeros, and float32 stays float32"
