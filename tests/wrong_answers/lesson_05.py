"""Right and wrong answers to the exercises of lesson 05."""

from tests.wrong_answers import Answers, Mistake

CORRECTED = 'np.sqrt(square) / root_of_correction + group["eps"]'
FIRST_LENGTH = "    gradients = [p.grad for p in parameters if p.grad is not None]"

ANSWERS = {
    "05.1": Answers(
        right=[
            """
self.steps = self.steps + 1
pairs = [(p, group) for group in self.param_groups for p in group["params"]]
for number, (parameter, group) in enumerate(pairs):
    if parameter.grad is None:
        continue
    self.update_counts[number] += 1
    self.update(number, parameter, group)
""",
            """
offset = 0
for group in self.param_groups:
    for i, parameter in enumerate(group["params"]):
        if parameter.grad is not None:
            self.update_counts[offset + i] = self.update_counts[offset + i] + 1
            self.update(offset + i, parameter, group)
    offset += len(group["params"])
self.steps += 1
""",
        ],
        wrong=[
            Mistake(
                "parameters without a gradient are updated too",
                change=("if parameter.grad is not None:", "if True:"),
                says="took no part in the loss",
                advice="Freeze a layer by leaving its gradient None and watch where this fails.",
            ),
            Mistake(
                "only parameters with a gradient are counted",
                change=("\n        number += 1", "\n            number += 1"),
                says="keeps its number",
                advice="If the first parameter has no gradient once, whose velocity does the "
                "second one then use?",
            ),
            Mistake(
                "the number starts again in each group",
                change=("    offset += len(group", "    offset += 0 * len(group"),
                of=1,
                says="starts again in the second group",
                advice="The buffers are one list over all groups: ask for the place of the first "
                "parameter of the second group in it.",
            ),
            Mistake(
                "the options of the first group are used for all",
                change=("parameter, group)", "parameter, self.param_groups[0])"),
                says="options of another group",
                advice="Two groups exist because biases are not to decay: follow what reaches "
                "update for a bias.",
            ),
            Mistake(
                "the count goes up after the update",
                change=(
                    "self.update_counts[number] += 1\n            self.update(number, parameter, group)",
                    "self.update(number, parameter, group)\n            self.update_counts[number] += 1",
                ),
                says="still 0 while its first update runs",
                advice="Put t = 0 into the bias correction of section 6.",
            ),
            Mistake(
                "the steps of the optimizer are taken for the count of each parameter",
                change=(
                    "self.update_counts[number] += 1",
                    "self.update_counts[number] = self.steps",
                ),
                says="whatever self.steps is",
                advice="Unfreeze a layer at step 1000. How many gradients are in its averages?",
            ),
            Mistake(
                "parameters without a gradient are counted as updated",
                change=(
                    ("            self.update_counts[number] += 1\n", ""),
                    ("        if par", "        self.update_counts[number] += 1\n        if par"),
                ),
                says="was not updated, so its count",
                advice="The count belongs to the update, and stands beside it.",
            ),
            Mistake(
                "steps goes up with each parameter",
                change=(
                    ("self.steps += 1\n", ""),
                    ("self.update_counts", "self.steps += 1\n            self.update_counts"),
                ),
                says="counts calls of step",
                advice="What would warmup_cosine(optimizer.steps, …) give if the same weights were "
                "stored in twice as many parameters?",
            ),
            Mistake(
                "any gradient of zeros is taken for none",
                change=("is not None:", "is not None and parameter.grad.any():"),
                says="gradient of zeros is a gradient",
                advice="A ball on level ground still rolls: momentum moves a parameter whose "
                "gradient is 0.",
            ),
            Mistake(
                "the gradients are forgotten after the step",
                change=("self.steps += 1\n", "self.steps += 1\nself.zero_grad()\n"),
                of=1,
                says="zero_grad's task",
                advice="One function, one task: people look at gradients after a step.",
            ),
            Mistake(
                "groups taken to be equally long",
                """
self.steps += 1
for i, group in enumerate(self.param_groups):
    for j, parameter in enumerate(group["params"]):
        if parameter.grad is not None:
            number = i * len(group["params"]) + j
            self.update_counts[number] += 1
            self.update(number, parameter, group)
""",
                says="groups of equal length only",
                advice="A model has few matrices and many biases: count on, from group to group.",
            ),
        ],
    ),
    "05.2": Answers(
        right=[
            """
g = parameter.grad + group["weight_decay"] * parameter.data
self.velocity[number] = group["momentum"] * self.velocity[number] + g
parameter.data = parameter.data - self.lr * self.velocity[number]
""",
            """
v = self.velocity[number]
np.multiply(v, group["momentum"], out=v)
v += parameter.grad
if group["weight_decay"]:
    v += group["weight_decay"] * parameter.data
np.subtract(parameter.data, self.lr * v, out=parameter.data)
""",
        ],
        wrong=[
            Mistake(
                "uphill",
                change=("parameter.data -=", "parameter.data +="),
                says="goes uphill",
                advice="Draw a parabola and the sign of its slope on either side.",
            ),
            Mistake(
                "a local name moves, not the parameter",
                change=("parameter.data -= ", "data = parameter.data\ndata = data - "),
                says="has not moved",
                advice="`data = data - …` makes a new array and calls it data; ask what "
                "parameter.data still is.",
            ),
            Mistake(
                "a mean in place of the sum: (1 - momentum) times the gradient",
                change=("+= gradient", '+= (1 - group["momentum"]) * gradient'),
                says="first step is too short",
                advice="Both conventions exist; here, as in PyTorch, the gradient enters whole.",
            ),
            Mistake(
                "the velocity is not kept",
                change=("velocity = self.velocity[number]", "velocity = 1 * self.velocity[number]"),
                says="forgotten between the steps",
                advice="Print self.velocity after a step: it is still 0.",
            ),
            Mistake(
                "momentum left out: old gradients never fade",
                change=('velocity *= group["momentum"]\n', ""),
                says="never fade",
                advice="This is the ball without friction of section 5.",
            ),
            Mistake(
                "momentum times the new velocity, as Nesterov does",
                change=(
                    "self.lr * velocity",
                    'self.lr * (gradient + group["momentum"] * velocity)',
                ),
                says="first step is too long",
                advice="A good idea under another name: Nesterov's momentum looks one step ahead.",
            ),
            Mistake(
                "one velocity for all parameters",
                change=("self.velocity[number]", "self.velocity[0]"),
                says="velocity of its own",
                advice="It fails at once where shapes differ, and silently where they do not.",
            ),
            Mistake(
                "the learning rate inside the velocity",
                change=(
                    ("+= gradient", "+= self.lr * gradient"),
                    ("self.lr * velocity", "velocity"),
                ),
                says="some of the old rate",
                advice="With a constant rate the two are the same; a schedule tells them apart.",
            ),
            Mistake(
                "weight decay left out",
                change=(' + group["weight_decay"] * parameter.data', ""),
                says="weight_decay has no effect",
                advice="Which line of the docstring has no counterpart in the code?",
            ),
            Mistake(
                "weight decay beside the velocity",
                change=(
                    (' + group["weight_decay"] * parameter.data', ""),
                    ("* velocity", '* (velocity + group["weight_decay"] * parameter.data)'),
                ),
                says="is not remembered",
                advice="This is decoupled decay, right for AdamW; SGD has the classic kind.",
            ),
            Mistake(
                "the decay is added into the gradient's own array",
                change=(
                    "gradient = parameter.grad + group",
                    "gradient = parameter.grad\ngradient += group",
                ),
                says="changes parameter.grad",
                advice="A gradient may be looked at, or used, after the step.",
            ),
            Mistake(
                "the first group's options for all",
                change=("gradient = par", "group = self.param_groups[0]\ngradient = par"),
                says="options of its own group",
                advice="`group` is handed in: whose is it?",
            ),
            Mistake(
                "the gradient's own array kept as the velocity",
                """
gradient = parameter.grad
if group["weight_decay"]:
    gradient = gradient + group["weight_decay"] * parameter.data
if self.velocity[number].any():
    self.velocity[number] *= group["momentum"]
    self.velocity[number] += gradient
else:
    self.velocity[number] = gradient
parameter.data -= self.lr * self.velocity[number]
""",
                says="the velocity is the very array of a gradient",
                advice="Which two names has the array after the first update, and who writes to it?",
            ),
        ],
    ),
    "05.3": Answers(
        right=[
            """
beta1, beta2 = group["betas"]
g, t = parameter.grad, self.update_counts[number]
self.exp_avg[number] = beta1 * self.exp_avg[number] + (1 - beta1) * g
self.exp_avg_sq[number] = beta2 * self.exp_avg_sq[number] + (1 - beta2) * g**2
mean = self.exp_avg[number] / (1 - beta1**t)
square = self.exp_avg_sq[number] / (1 - beta2**t)
parameter.data = parameter.data * (1 - self.lr * group["weight_decay"])
parameter.data = parameter.data - self.lr * mean / (np.sqrt(square) + group["eps"])
""",
            """
g, mean, square = parameter.grad, self.exp_avg[number], self.exp_avg_sq[number]
beta1, beta2 = group["betas"]
mean += (1 - beta1) * (g - mean)
square += (1 - beta2) * (g * g - square)
root = np.sqrt(square / (1 - math.pow(beta2, self.update_counts[number])))
step = mean / (1 - math.pow(beta1, self.update_counts[number])) / (root + group["eps"])
parameter.data -= self.lr * (step + group["weight_decay"] * parameter.data)
""",
        ],
        wrong=[
            Mistake(
                "no bias correction",
                change=((" / (1 - beta1**t)", ""), (" / (1 - beta2**t)", "")),
                of=0,
                says="without bias correction",
                advice="Work out the first step for a gradient of 1: 0.1 / √0.001.",
            ),
            Mistake(
                "a correction that never fades",
                change=((" - beta1**t)", " - beta1)"), (" - beta2**t)", " - beta2)")),
                of=0,
                says="correction has to fade",
                advice="Where is t in the code?",
            ),
            Mistake(
                "the optimizer's steps in place of the parameter's count",
                change=("self.update_counts[number]", "self.steps"),
                says="also at step 11",
                advice="Leave a layer's gradient None for ten steps, and measure its first one.",
            ),
            Mistake(
                "the correction of the square outside the root",
                change=("math.sqrt(1 - beta2**t)", "1 - beta2**t"),
                says="before its root is taken",
                advice="√(s / c) is √s / √c: the root of the correction is missing.",
            ),
            Mistake(
                "the root forgotten",
                change=("np.sqrt(square)", "square"),
                of=0,
                says="root of the mean square",
                advice="Units: a gradient divided by a squared gradient is no length.",
            ),
            Mistake(
                "the corrected averages are stored",
                change=(
                    (
                        "mean = self.exp_avg[number] /",
                        "mean = self.exp_avg[number] = self.exp_avg[number] /",
                    ),
                    (
                        "square = self.exp_avg_sq[number] /",
                        "square = self.exp_avg_sq[number] = self.exp_avg_sq[number] /",
                    ),
                ),
                of=0,
                says="corrected averages were stored",
                advice="Under a steady gradient nobody sees it; ask what the second step averages.",
            ),
            Mistake(
                "β₁ and β₂ exchanged",  # after one step the averages are exchanged too: 0.25 and 8
                change=("beta1, beta2 = ", "beta2, beta1 = "),
                says="exchanged",
                advice="Which of the two memories is the long one, and why?",
            ),
            Mistake(
                "eps inside the root",
                change=('np.sqrt(square) + group["eps"]', 'np.sqrt(square + group["eps"])'),
                of=0,
                says="eps stands inside the root",
                advice="√(0 + 1e-8) is 1e-4, ten thousand times as much as intended.",
            ),
            Mistake(
                "eps added before the correction",
                change=(CORRECTED, '(np.sqrt(square) + group["eps"]) / root_of_correction'),
                says="eps is added after",
                advice="The correction then multiplies eps as well, by 30 at the first step.",
            ),
            Mistake(
                "no eps",
                change=(' + group["eps"]', ""),
                says="eps has no effect",
                advice="A word that is not in the batch has a gradient of exactly 0.",
            ),
            Mistake(
                "decay coupled to the gradient",
                change=(
                    (
                        "g, t = parameter.grad,",
                        'g, t = parameter.grad + group["weight_decay"] * parameter.data,',
                    ),
                    (
                        'parameter.data = parameter.data * (1 - self.lr * group["weight_decay"])\n',
                        "",
                    ),
                ),
                of=0,
                says="divided by the root like everything else",
                advice="Go back to the figure of section 7: which two of its curves are these?",
            ),
            Mistake(
                "no decay",
                change=("    p *= shrink\n", ""),
                says="weight_decay has no effect",
                advice="This is Adam, without the W.",
            ),
            Mistake(
                "decay without the learning rate",
                change=("1 - self.lr * group", "1 - group"),
                says="with lr = 0",
                advice="With the usual 0.01 every weight would lose half of itself in 70 steps.",
            ),
            Mistake(
                "decay after the step",
                change=(
                    ("    p *= shrink\n", ""),
                    (f"({CORRECTED})", f"({CORRECTED})\n    p *= shrink"),
                ),
                says="shrink first",
                advice="A small difference, of the second order in lr; but the saved run of one "
                "library should go on in another.",
            ),
            Mistake(
                "the averages of the first parameter for all",
                change=(
                    "self.exp_avg[number], self.exp_avg_sq[number]",
                    "self.exp_avg[0], self.exp_avg_sq[0]",
                ),
                says="its own averages",
                advice="What is `number` for?",
            ),
            Mistake(
                "the length of the whole gradient in place of each entry's own size",
                change=("(g * g)", "np.vdot(g, g)"),
                says="each entry has averages of its own",
                advice="One step size for all is what SGD has; Adam's point is one for each weight.",
            ),
            Mistake(
                "the averages are not kept",
                change=(
                    ("self.exp_avg[number], self", "self.exp_avg[number].copy(), self"),
                    ("exp_avg_sq[number]\nfor", "exp_avg_sq[number].copy()\nfor"),
                ),
                says="still 0 after an update",
                advice="Print the two buffers after a step: they are still 0.",
            ),
            Mistake(
                "the tiles of a transposed parameter are copies",
                change=('parameter.data = np.asarray(parameter.data, order="C")', "pass"),
                says="transposed parameter",
                advice="np.ascontiguousarray returns its argument where it can, and a copy where "
                "it cannot.",
            ),
        ],
    ),
    "05.4": Answers(
        right=[
            """
arrays = [p.grad for p in parameters if p.grad is not None]
total = 0.0
for g in arrays:
    total += float((g**2).sum())
norm = total**0.5
scale = max_norm / max(norm, max_norm) if norm < math.inf else 1.0
for g in arrays:
    np.multiply(g, scale, out=g)
return norm
""",
            """
owners = [p for p in parameters if p.grad is not None]
norm = float(np.linalg.norm([np.linalg.norm(p.grad.ravel()) for p in owners]))
if max_norm < norm < math.inf:
    for p in owners:
        p.grad = p.grad / norm * max_norm
return norm
""",
        ],
        wrong=[
            Mistake(
                "an infinite length scales everything away",
                change=("max_norm < norm < math.inf", "norm > max_norm"),
                says="no factor helps",
                advice="Multiply 2 by 1/inf, and inf by 1/inf. Who would notice what happened?",
            ),
            Mistake(
                "new arrays in place of changed ones",
                change=("g *= max_norm / norm", "g = g * (max_norm / norm)"),
                says="have not changed",
                advice="What is the difference between `g = g * 2` and `g *= 2`?",
            ),
            Mistake(
                "two loops over a generator",
                """
norm = math.sqrt(sum(float(np.vdot(p.grad, p.grad)) for p in parameters if p.grad is not None))
if max_norm < norm < math.inf:
    for p in parameters:
        if p.grad is not None:
            p.grad *= max_norm / norm
return norm
""",
                says="gone through once only",
                advice="Call it with (p for p in model.parameters()), and look at the gradients.",
            ),
            Mistake(
                "each number cut off",
                change=("g *= max_norm / norm", "np.clip(g, -max_norm, max_norm, out=g)"),
                says="another direction",
                advice="Draw the vector (2, 1) and what becomes of it.",
            ),
            Mistake(
                "each parameter by its own length",
                change=("max_norm / norm", "max_norm / math.sqrt(np.vdot(g, g))"),
                says="by its own length",
                advice="All parameters together are one point in one large space.",
            ),
            Mistake(
                "the root forgotten",
                change=(
                    "math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))",
                    "sum(float(np.vdot(g, g)) for g in gradients)",
                ),
                says="its root is missing",
                advice="Test it with 3 and 4.",
            ),
            Mistake(
                "sizes added up in place of squares",
                change=(
                    "math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))",
                    "sum(float(np.abs(g).sum()) for g in gradients)",
                ),
                says="sum of the numbers' sizes",
                advice="That is the way a taxi takes; a length goes straight.",
            ),
            Mistake(
                "the lengths of the parameters added up",
                change=(
                    "math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))",
                    "sum(float(np.linalg.norm(g)) for g in gradients)",
                ),
                says="lengths of the parameters added up",
                advice="Would the length change if a matrix were stored as two halves? It must "
                "not.",
            ),
            Mistake(
                "the length after the clipping is returned",
                change=("return norm", "return min(norm, max_norm)"),
                says="length after the clipping",
                advice="Which of the two numbers would you plot to see trouble coming?",
            ),
            Mistake(
                "nothing is returned where nothing is clipped",
                change=("return norm", "return norm if norm > max_norm else None"),
                says="returned None",
                advice="The caller plots the length of every step, not of the bad ones alone.",
            ),
            Mistake(
                "short gradients made longer",
                change=("if max_norm < norm < math.inf", "if 0 < norm < math.inf"),
                says="never makes a gradient longer",
                advice="Near a minimum gradients are short, and should be.",
            ),
            Mistake(
                "a length of 0 divided by",
                change=("if max_norm < norm < math.inf", "if min(max_norm / norm, 1) < 1"),
                says="ZeroDivisionError",
                advice="What is the length where no parameter took part in the loss?",
            ),
            Mistake(
                "parameters without a gradient forgotten",
                change=(" if p.grad is not None", ""),
                says="AttributeError",
                advice="A layer that took no part in the loss has the gradient None.",
            ),
            Mistake(
                "only infinity looked for",
                change=(
                    "if max_norm < norm < math.inf",
                    "if not (math.isinf(norm) or norm <= max_norm)",
                ),
                says="one nan has spoiled",
                advice="Is nan <= 1? Every comparison with it is False: ask math.isfinite.",
            ),
            Mistake(
                "the gradients become float64",
                change=(
                    "float(np.linalg.norm([np.linalg.norm(p.grad.ravel()) for p in owners]))",
                    "np.sqrt(sum(float(np.vdot(p.grad, p.grad)) for p in owners))",
                ),
                of=1,
                says="keeps its dtype",
                advice="np.sqrt returns a number of NumPy's, which makes float64 of float32; "
                "float(…) or math.sqrt does not.",
            ),
            Mistake(
                "the length rounded",
                change=(
                    "math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))",
                    "round(math.sqrt(sum(float(np.vdot(g, g)) for g in gradients)), 2)",
                ),
                says="the length is rounded",
                advice="Where does somebody need more than two digits of it?",
            ),
        ],
        equivalent={
            "line 3: max_norm < norm < math.inf → max_norm <= norm < math.inf": "where the two are equal the factor is 1"
        },
    ),
    "05.5": Answers(
        right=[
            """
if step < warmup_steps:
    return lr / warmup_steps * (step + 1)
if step < total_steps:
    p = (step - warmup_steps) / (total_steps - warmup_steps)
    share = (1 + np.cos(np.pi * p)) / 2
    return float(share * lr + (1 - share) * min_lr)
return min_lr
""",
            """
if step >= warmup_steps:
    left = max(total_steps - step, 0)
    if left == 0:
        return min_lr
    angle = math.pi * left / (total_steps - warmup_steps)
    return min_lr + (lr - min_lr) * (1 - math.cos(angle)) / 2
return lr * ((step + 1) / warmup_steps)
""",
        ],
        wrong=[
            Mistake(
                "a rate of 0 at step 0",
                change=("(step + 1)", "step"),
                says="a step for nothing",
                advice="Steps are counted from 0 here: print the first five rates.",
            ),
            Mistake(
                "the warm-up begins at min_lr",
                change=("return lr * (step", "return min_lr + (lr - min_lr) * (step"),
                says="climbs evenly",
                advice="A sensible schedule as well, but not the one of the formula.",
            ),
            Mistake(
                "progress counted from step 0",
                change=(
                    "(step - warmup_steps) / (total_steps - warmup_steps)",
                    "step / total_steps",
                ),
                says="falls off a cliff",
                advice="Plot it with a long warm-up, and look at its end.",
            ),
            Mistake(
                "the cosine ends at 0",
                change=(
                    ("    return min_lr\n", "    return 0.0\n"),
                    ("min_lr + 0.5 * (lr - min_lr)", "0.5 * lr"),
                ),
                says="the rate ends at 0",
                advice="Which argument is not used?",
            ),
            Mistake(
                "π forgotten",
                change=("math.pi * ", ""),
                says="half-way down",
                advice="The cosine goes from 1 to -1 between which two angles?",
            ),
            Mistake(
                "a straight line",
                change=(
                    "min_lr + 0.5 * (lr - min_lr) * (1 + math.cos(math.pi * progress))",
                    "lr + (min_lr - lr) * progress",
                ),
                says="straight line",
                advice="Right at three points; look between them.",
            ),
            Mistake(
                "the rate climbs again after the end",
                change=("step >= total_steps", "total_steps == warmup_steps"),
                says="climbs\\s+again",
                advice="Someone will train on for a few steps more.",
            ),
            Mistake(
                "a warm-up to 1",
                change=("lr * (step + 1)", "(step + 1)"),
                says="climbs to 1",
                advice="The example has lr 1; try another.",
            ),
            Mistake(
                "min_lr as a share of lr",
                change=(
                    ("    return min_lr\n", "    return lr * min_lr\n"),
                    ("min_lr + 0.5 * (lr - min_lr)", "lr * min_lr + 0.5 * lr * (1 - min_lr)"),
                ),
                says="a rate of its own",
                advice="Other libraries take a fraction; here both are rates.",
            ),
        ],
    ),
    "05.6": Answers(
        right=[
            """
norm = np.linalg.norm(matrix, axis=(-2, -1), keepdims=True)
X = matrix / (norm + 1e-7)
for _ in range(steps):
    A = X @ X.mT
    X = 3.4445 * X - 4.7750 * A @ X + 2.0315 * A @ A @ X
return X
""",
            """
length = np.sqrt((matrix**2).sum(axis=(-2, -1), keepdims=True)) + 1e-7
X = np.swapaxes(matrix / length, -2, -1)
for _ in range(steps):
    A = np.swapaxes(X, -2, -1) @ X
    X = X @ (3.4445 * np.eye(A.shape[-1], dtype=X.dtype) - 4.7750 * A + 2.0315 * A @ A)
return np.swapaxes(X, -2, -1)
""",
        ],
        wrong=[
            Mistake(
                "not divided by its length",
                change=("matrix / (norm + 1e-7)", "matrix"),
                of=0,
                says="was not divided by its length",
                advice="Follow one singular value of 10 through the polynomial.",
            ),
            Mistake(
                "divided by the largest singular value",
                change=(
                    "np.linalg.norm(matrix, axis=(-2, -1), keepdims=True)",
                    "np.linalg.norm(matrix, 2, axis=(-2, -1), keepdims=True)",
                ),
                of=0,
                says="largest singular value",
                advice="Who knows the largest singular value has computed all of them already.",
            ),
            Mistake(
                "the exact matrix, from a decomposition",
                change=(
                    "return X",
                    "u, _, vt = np.linalg.svd(matrix, full_matrices=False)\nreturn u @ vt if steps else X",
                ),
                of=0,
                says="exactly 1",
                advice="Right in itself, and far slower than ten or fifteen matrix products.",
            ),
            Mistake(
                "always five rounds",
                change=("range(steps)", "range(5)"),
                of=0,
                says="`steps` has no effect",
                advice="Which argument is not used?",
            ),
            Mistake(
                "one round only",
                change=("range(steps)", "range(min(steps, 1))"),
                of=0,
                says="only one round",
                advice="What does the second round start from?",
            ),
            Mistake(
                "b and c exchanged",
                change=(("- 4.7750", "+ 2.0315"), ("+ 2.0315 * A @ A", "- 4.7750 * A @ A")),
                of=0,
                says="b and c are exchanged",
                advice="Put x = 1 into both polynomials.",
            ),
            Mistake(
                "the last term left out",
                change=(" + 2.0315 * A @ A @ X", ""),
                of=0,
                says="last term is missing",
                advice="Compare term by term with the formula.",
            ),
            Mistake(
                "a sign lost",
                change=("- 4.7750", "+ 4.7750"),
                of=0,
                says="wrong sign",
                advice="With three positive factors every singular value only grows.",
            ),
            Mistake(
                "numbers multiplied in place of matrices",
                change=(
                    ("X @ X.mT", "X * X"),
                    ("A @ X + ", "A * X + "),
                    ("A @ A @ X", "A * A * X"),
                ),
                of=0,
                says="number by number",
                advice="Try a matrix that is not diagonal.",
            ),
            Mistake(
                "turned and not turned back",
                change=("return x.mT if is_tall else x", "return x"),
                says="is transposed",
                advice="What shape comes out for a tall matrix?",
            ),
            Mistake(
                "one length for all matrices",
                change=("np.linalg.norm(x, axis=(-2, -1), keepdims=True)", "np.sqrt((x**2).sum())"),
                says="one common length",
                advice="Scale one of three matrices by 100: the other two must not notice.",
            ),
            Mistake(
                "0 divided by 0",
                change=(" + 1e-7", ""),
                of=0,
                says="must stay zeros",
                advice="A layer that took no part in the loss may have a gradient of zeros.",
            ),
            Mistake(
                "squeezed",
                change=("return X", "return np.squeeze(X)"),
                of=0,
                says="keeps all its axes",
                advice="A stack of one matrix is still a stack; name the axis that is to go.",
            ),
            Mistake(
                "always float64",
                change=("norm = ", "matrix = matrix.astype(np.float64)\nnorm = "),
                of=0,
                says="dtype is float64",
                advice="float32 is twice as fast, and enough: the singular values are only about 1.",
            ),
        ],
        equivalent={
            f"line 1: {change}": "whichever of the two squares is used, the result is the same"
            for change in (
                "1 → 2 (column 43)",
                "-1 → 1",
                "matrix.shape[-2] > matrix.shape[-1] → matrix.shape[-2] >= matrix.shape[-1]",
            )
        },
    ),
}
