"""Right and wrong answers to the exercises of lesson 05."""

from tests.wrong_answers import Answers, Mistake

ANSWERS = {
    "05.1": Answers(
        right=[
            """
self.steps = self.steps + 1
pairs = [(p, group) for group in self.groups for p in group["params"]]
for number, (parameter, group) in enumerate(pairs):
    if parameter.grad is None:
        continue
    self.update(number, parameter, group)
""",
            """
self.steps += 1
offset = 0
for group in self.groups:
    for i, parameter in enumerate(group["params"]):
        if parameter.grad is not None:
            self.update(offset + i, parameter, group)
    offset += len(group["params"])
""",
        ],
        wrong=[
            Mistake(
                "parameters without a gradient are updated too",
                """
self.steps += 1
number = 0
for group in self.groups:
    for parameter in group["params"]:
        self.update(number, parameter, group)
        number += 1
""",
                says="took no part in the loss",
                advice="Freeze a layer by leaving its gradient None and watch where this fails.",
            ),
            Mistake(
                "only parameters with a gradient are counted",
                """
self.steps += 1
number = 0
for group in self.groups:
    for parameter in group["params"]:
        if parameter.grad is not None:
            self.update(number, parameter, group)
            number += 1
""",
                says="keeps its number",
                advice="If the first parameter has no gradient once, whose velocity does the "
                "second one then use?",
            ),
            Mistake(
                "the number starts again in each group",
                """
self.steps += 1
for group in self.groups:
    for number, parameter in enumerate(group["params"]):
        if parameter.grad is not None:
            self.update(number, parameter, group)
""",
                says="starts again in the second group",
                advice="The buffers are one list over all groups: ask for the place of the first "
                "parameter of the second group in it.",
            ),
            Mistake(
                "the options of the first group are used for all",
                """
self.steps += 1
for number, parameter in enumerate(self.parameters):
    if parameter.grad is not None:
        self.update(number, parameter, self.groups[0])
""",
                says="options of another group",
                advice="Two groups exist because biases are not to decay: follow what reaches "
                "update for a bias.",
            ),
            Mistake(
                "steps are counted after the updates",
                """
number = 0
for group in self.groups:
    for parameter in group["params"]:
        if parameter.grad is not None:
            self.update(number, parameter, group)
        number += 1
self.steps += 1
""",
                says="still 0 while the first updates run",
                advice="Put t = 0 into the bias correction of section 6.",
            ),
            Mistake(
                "steps goes up with each parameter",
                """
number = 0
for group in self.groups:
    for parameter in group["params"]:
        if parameter.grad is not None:
            self.steps += 1
            self.update(number, parameter, group)
        number += 1
""",
                says="counts calls of step",
                advice="What would the same network's bias correction be if its weights were "
                "stored in twice as many parameters?",
            ),
            Mistake(
                "any gradient of zeros is taken for none",
                """
self.steps += 1
number = 0
for group in self.groups:
    for parameter in group["params"]:
        if parameter.grad is not None and parameter.grad.any():
            self.update(number, parameter, group)
        number += 1
""",
                says="gradient of zeros is a gradient",
                advice="A ball on level ground still rolls: momentum moves a parameter whose "
                "gradient is 0.",
            ),
            Mistake(
                "the gradients are forgotten after the step",
                """
self.steps += 1
number = 0
for group in self.groups:
    for parameter in group["params"]:
        if parameter.grad is not None:
            self.update(number, parameter, group)
        number += 1
self.zero_grad()
""",
                says="zero_grad's task",
                advice="One function, one task: people look at gradients after a step.",
            ),
            Mistake(
                "groups taken to be equally long",
                """
self.steps += 1
for i, group in enumerate(self.groups):
    for j, parameter in enumerate(group["params"]):
        if parameter.grad is not None:
            self.update(i * len(group["params"]) + j, parameter, group)
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
                """
gradient = parameter.grad + group["weight_decay"] * parameter.data
velocity = self.velocity[number]
velocity *= group["momentum"]
velocity += gradient
parameter.data += self.lr * velocity
""",
                says="goes uphill",
                advice="Draw a parabola and the sign of its slope on either side.",
            ),
            Mistake(
                "a local name moves, not the parameter",
                """
gradient = parameter.grad + group["weight_decay"] * parameter.data
velocity = self.velocity[number]
velocity *= group["momentum"]
velocity += gradient
data = parameter.data
data = data - self.lr * velocity
""",
                says="has not moved",
                advice="`data = data - …` makes a new array and calls it data; ask what "
                "parameter.data still is.",
            ),
            Mistake(
                "a mean in place of the sum: (1 - momentum) times the gradient",
                """
gradient = parameter.grad + group["weight_decay"] * parameter.data
velocity = self.velocity[number]
velocity *= group["momentum"]
velocity += (1 - group["momentum"]) * gradient
parameter.data -= self.lr * velocity
""",
                says="first step is too short",
                advice="Both conventions exist; here, as in PyTorch, the gradient enters whole.",
            ),
            Mistake(
                "the velocity is not kept",
                """
gradient = parameter.grad + group["weight_decay"] * parameter.data
velocity = group["momentum"] * self.velocity[number] + gradient
parameter.data -= self.lr * velocity
""",
                says="forgotten between the steps",
                advice="Print self.velocity after a step: it is still 0.",
            ),
            Mistake(
                "momentum left out: old gradients never fade",
                """
gradient = parameter.grad + group["weight_decay"] * parameter.data
velocity = self.velocity[number]
velocity += gradient
parameter.data -= self.lr * velocity
""",
                says="never fade",
                advice="This is the ball without friction of section 5.",
            ),
            Mistake(
                "momentum times the new velocity, as Nesterov does",
                """
gradient = parameter.grad + group["weight_decay"] * parameter.data
velocity = self.velocity[number]
velocity *= group["momentum"]
velocity += gradient
parameter.data -= self.lr * (gradient + group["momentum"] * velocity)
""",
                says="first step is too long",
                advice="A good idea under another name: Nesterov's momentum looks one step ahead.",
            ),
            Mistake(
                "one velocity for all parameters",
                """
gradient = parameter.grad + group["weight_decay"] * parameter.data
velocity = self.velocity[0]
velocity *= group["momentum"]
velocity += gradient
parameter.data -= self.lr * velocity
""",
                says="velocity of its own",
                advice="It fails at once where shapes differ, and silently where they do not.",
            ),
            Mistake(
                "the learning rate inside the velocity",
                """
gradient = parameter.grad + group["weight_decay"] * parameter.data
velocity = self.velocity[number]
velocity *= group["momentum"]
velocity += self.lr * gradient
parameter.data -= velocity
""",
                says="some of the old rate",
                advice="With a constant rate the two are the same; a schedule tells them apart.",
            ),
            Mistake(
                "weight decay left out",
                """
velocity = self.velocity[number]
velocity *= group["momentum"]
velocity += parameter.grad
parameter.data -= self.lr * velocity
""",
                says="weight_decay has no effect",
                advice="Which line of the docstring has no counterpart in the code?",
            ),
            Mistake(
                "weight decay beside the velocity",
                """
velocity = self.velocity[number]
velocity *= group["momentum"]
velocity += parameter.grad
parameter.data -= self.lr * (velocity + group["weight_decay"] * parameter.data)
""",
                says="is not remembered",
                advice="This is decoupled decay, right for AdamW; SGD has the classic kind.",
            ),
            Mistake(
                "the decay is added into the gradient's own array",
                """
parameter.grad += group["weight_decay"] * parameter.data
velocity = self.velocity[number]
velocity *= group["momentum"]
velocity += parameter.grad
parameter.data -= self.lr * velocity
""",
                says="changes parameter.grad",
                advice="A gradient may be looked at, or used, after the step.",
            ),
            Mistake(
                "the first group's options for all",
                """
group = self.groups[0]
gradient = parameter.grad + group["weight_decay"] * parameter.data
velocity = self.velocity[number]
velocity *= group["momentum"]
velocity += gradient
parameter.data -= self.lr * velocity
""",
                says="options of its own group",
                advice="`group` is handed in: whose is it?",
            ),
        ],
    ),
    "05.3": Answers(
        right=[
            """
beta1, beta2 = group["betas"]
g, t = parameter.grad, self.steps
self.mean[number] = beta1 * self.mean[number] + (1 - beta1) * g
self.square[number] = beta2 * self.square[number] + (1 - beta2) * g**2
mean = self.mean[number] / (1 - beta1**t)
square = self.square[number] / (1 - beta2**t)
parameter.data = parameter.data * (1 - self.lr * group["weight_decay"])
parameter.data = parameter.data - self.lr * mean / (np.sqrt(square) + group["eps"])
""",
            """
g, mean, square = parameter.grad, self.mean[number], self.square[number]
beta1, beta2 = group["betas"]
mean += (1 - beta1) * (g - mean)
square += (1 - beta2) * (g * g - square)
root = np.sqrt(square / (1 - math.pow(beta2, self.steps)))
step = mean / (1 - math.pow(beta1, self.steps)) / (root + group["eps"])
parameter.data -= self.lr * (step + group["weight_decay"] * parameter.data)
""",
        ],
        wrong=[
            Mistake(
                "no bias correction",
                """
beta1, beta2 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[number], self.square[number]
mean *= beta1
mean += (1 - beta1) * g
square *= beta2
square += (1 - beta2) * g * g
p *= 1 - self.lr * group["weight_decay"]
p -= self.lr * mean / (np.sqrt(square) + group["eps"])
""",
                says="without bias correction",
                advice="Work out the first step for a gradient of 1: 0.1 / √0.001.",
            ),
            Mistake(
                "a correction that never fades",
                """
beta1, beta2 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[number], self.square[number]
mean *= beta1
mean += (1 - beta1) * g
square *= beta2
square += (1 - beta2) * g * g
p *= 1 - self.lr * group["weight_decay"]
p -= self.lr * mean / (1 - beta1) / (np.sqrt(square / (1 - beta2)) + group["eps"])
""",
                says="correction has to fade",
                advice="Where is t in the code?",
            ),
            Mistake(
                "the correction of the square outside the root",
                """
beta1, beta2 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[number], self.square[number]
mean *= beta1
mean += (1 - beta1) * g
square *= beta2
square += (1 - beta2) * g * g
p *= 1 - self.lr * group["weight_decay"]
root = np.sqrt(square) / (1 - beta2**self.steps)
p -= self.lr * mean / (1 - beta1**self.steps) / (root + group["eps"])
""",
                says="before its root is taken",
                advice="√(s / c) is √s / √c: the root of the correction is missing.",
            ),
            Mistake(
                "the root forgotten",
                """
beta1, beta2 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[number], self.square[number]
mean *= beta1
mean += (1 - beta1) * g
square *= beta2
square += (1 - beta2) * g * g
p *= 1 - self.lr * group["weight_decay"]
corrected = square / (1 - beta2**self.steps)
p -= self.lr * mean / (1 - beta1**self.steps) / (corrected + group["eps"])
""",
                says="root of the mean square",
                advice="Units: a gradient divided by a squared gradient is no length.",
            ),
            Mistake(
                "the corrected averages are stored",
                """
beta1, beta2 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[number], self.square[number]
mean *= beta1
mean += (1 - beta1) * g
mean /= 1 - beta1**self.steps
square *= beta2
square += (1 - beta2) * g * g
square /= 1 - beta2**self.steps
p *= 1 - self.lr * group["weight_decay"]
p -= self.lr * mean / (np.sqrt(square) + group["eps"])
""",
                says="corrected averages were stored",
                advice="Under a steady gradient nobody sees it; ask what the second step averages.",
            ),
            Mistake(
                "β₁ and β₂ exchanged",
                """
beta2, beta1 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[number], self.square[number]
mean *= beta1
mean += (1 - beta1) * g
square *= beta2
square += (1 - beta2) * g * g
p *= 1 - self.lr * group["weight_decay"]
corrected = square / (1 - beta2**self.steps)
p -= self.lr * mean / (1 - beta1**self.steps) / (np.sqrt(corrected) + group["eps"])
""",
                # The averages after one step are exchanged too: 0.25 and 8.
                says="exchanged",
                advice="Which of the two memories is the long one, and why?",
            ),
            Mistake(
                "eps inside the root",
                """
beta1, beta2 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[number], self.square[number]
mean *= beta1
mean += (1 - beta1) * g
square *= beta2
square += (1 - beta2) * g * g
p *= 1 - self.lr * group["weight_decay"]
corrected = square / (1 - beta2**self.steps)
p -= self.lr * mean / (1 - beta1**self.steps) / np.sqrt(corrected + group["eps"])
""",
                says="eps stands inside the root",
                advice="√(0 + 1e-8) is 1e-4, ten thousand times as much as intended.",
            ),
            Mistake(
                "eps added before the correction",
                """
beta1, beta2 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[number], self.square[number]
mean *= beta1
mean += (1 - beta1) * g
square *= beta2
square += (1 - beta2) * g * g
p *= 1 - self.lr * group["weight_decay"]
root = (np.sqrt(square) + group["eps"]) / math.sqrt(1 - beta2**self.steps)
p -= self.lr * mean / (1 - beta1**self.steps) / root
""",
                says="eps is added after",
                advice="The correction then multiplies eps as well, by 30 at the first step.",
            ),
            Mistake(
                "no eps",
                """
beta1, beta2 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[number], self.square[number]
mean *= beta1
mean += (1 - beta1) * g
square *= beta2
square += (1 - beta2) * g * g
p *= 1 - self.lr * group["weight_decay"]
p -= self.lr * mean / (1 - beta1**self.steps) / np.sqrt(square / (1 - beta2**self.steps))
""",
                says="eps has no effect",
                advice="A word that is not in the batch has a gradient of exactly 0.",
            ),
            Mistake(
                "decay coupled to the gradient",
                """
beta1, beta2 = group["betas"]
p, mean, square = parameter.data, self.mean[number], self.square[number]
g = parameter.grad + group["weight_decay"] * p
mean *= beta1
mean += (1 - beta1) * parameter.grad + (1 - beta1) * group["weight_decay"] * p
square *= beta2
square += (1 - beta2) * g * g
corrected = square / (1 - beta2**self.steps)
p -= self.lr * mean / (1 - beta1**self.steps) / (np.sqrt(corrected) + group["eps"])
""",
                says="divided by the root like everything else",
                advice="Go back to the figure of section 7: which two of its curves are these?",
            ),
            Mistake(
                "no decay",
                """
beta1, beta2 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[number], self.square[number]
mean *= beta1
mean += (1 - beta1) * g
square *= beta2
square += (1 - beta2) * g * g
corrected = square / (1 - beta2**self.steps)
p -= self.lr * mean / (1 - beta1**self.steps) / (np.sqrt(corrected) + group["eps"])
""",
                says="weight_decay has no effect",
                advice="This is Adam, without the W.",
            ),
            Mistake(
                "decay without the learning rate",
                """
beta1, beta2 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[number], self.square[number]
mean *= beta1
mean += (1 - beta1) * g
square *= beta2
square += (1 - beta2) * g * g
p *= 1 - group["weight_decay"]
corrected = square / (1 - beta2**self.steps)
p -= self.lr * mean / (1 - beta1**self.steps) / (np.sqrt(corrected) + group["eps"])
""",
                says="with lr = 0",
                advice="With the usual 0.01 every weight would lose half of itself in 70 steps.",
            ),
            Mistake(
                "decay after the step",
                """
beta1, beta2 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[number], self.square[number]
mean *= beta1
mean += (1 - beta1) * g
square *= beta2
square += (1 - beta2) * g * g
corrected = square / (1 - beta2**self.steps)
p -= self.lr * mean / (1 - beta1**self.steps) / (np.sqrt(corrected) + group["eps"])
p *= 1 - self.lr * group["weight_decay"]
""",
                says="shrink first",
                advice="A small difference, of the second order in lr; but the saved run of one "
                "library should go on in another.",
            ),
            Mistake(
                "the averages of the first parameter for all",
                """
beta1, beta2 = group["betas"]
p, g, mean, square = parameter.data, parameter.grad, self.mean[0], self.square[0]
mean *= beta1
mean += (1 - beta1) * g
square *= beta2
square += (1 - beta2) * g * g
p *= 1 - self.lr * group["weight_decay"]
corrected = square / (1 - beta2**self.steps)
p -= self.lr * mean / (1 - beta1**self.steps) / (np.sqrt(corrected) + group["eps"])
""",
                says="its own averages",
                advice="What is `number` for?",
            ),
            Mistake(
                "the pieces of a transposed parameter are copies",
                """
beta1, beta2 = group["betas"]
for p, g, mean, square in tiles(
    parameter.data, parameter.grad, self.mean[number], self.square[number]
):
    mean *= beta1
    mean += (1 - beta1) * g
    square *= beta2
    square += (1 - beta2) * g * g
    p *= 1 - self.lr * group["weight_decay"]
    corrected = square / (1 - beta2**self.steps)
    p -= self.lr * mean / (1 - beta1**self.steps) / (np.sqrt(corrected) + group["eps"])
""",
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
                """
gradients = [p.grad for p in parameters if p.grad is not None]
norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))
if norm > max_norm:
    for g in gradients:
        g *= max_norm / norm
return norm
""",
                says="no factor helps",
                advice="Multiply 2 by 1/inf, and inf by 1/inf. Who would notice what happened?",
            ),
            Mistake(
                "new arrays in place of changed ones",
                """
gradients = [p.grad for p in parameters if p.grad is not None]
norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))
if norm > max_norm:
    for g in gradients:
        g = g * (max_norm / norm)
return norm
""",
                says="have not changed",
                advice="What is the difference between `g = g * 2` and `g *= 2`?",
            ),
            Mistake(
                "each number cut off",
                """
gradients = [p.grad for p in parameters if p.grad is not None]
norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))
for g in gradients:
    np.clip(g, -max_norm, max_norm, out=g)
return norm
""",
                says="another direction",
                advice="Draw the vector (2, 1) and what becomes of it.",
            ),
            Mistake(
                "each parameter by its own length",
                """
total = 0.0
for p in parameters:
    if p.grad is not None:
        norm = math.sqrt(float(np.vdot(p.grad, p.grad)))
        total += norm**2
        if norm > max_norm:
            p.grad *= max_norm / norm
return math.sqrt(total)
""",
                says="by its own length",
                advice="All parameters together are one point in one large space.",
            ),
            Mistake(
                "the root forgotten",
                """
gradients = [p.grad for p in parameters if p.grad is not None]
norm = sum(float(np.vdot(g, g)) for g in gradients)
if norm > max_norm:
    for g in gradients:
        g *= max_norm / norm
return norm
""",
                says="its root is missing",
                advice="Test it with 3 and 4.",
            ),
            Mistake(
                "sizes added up in place of squares",
                """
gradients = [p.grad for p in parameters if p.grad is not None]
norm = sum(float(np.abs(g).sum()) for g in gradients)
if norm > max_norm:
    for g in gradients:
        g *= max_norm / norm
return norm
""",
                says="sum of the numbers' sizes",
                advice="That is the way a taxi takes; a length goes straight.",
            ),
            Mistake(
                "the lengths of the parameters added up",
                """
gradients = [p.grad for p in parameters if p.grad is not None]
norm = sum(float(np.linalg.norm(g)) for g in gradients)
if norm > max_norm:
    for g in gradients:
        g *= max_norm / norm
return norm
""",
                says="lengths of the parameters added up",
                advice="Would the length change if a matrix were stored as two halves? It must "
                "not.",
            ),
            Mistake(
                "the length after the clipping is returned",
                """
gradients = [p.grad for p in parameters if p.grad is not None]
norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))
if norm > max_norm:
    for g in gradients:
        g *= max_norm / norm
return min(norm, max_norm)
""",
                says="length after the clipping",
                advice="Which of the two numbers would you plot to see trouble coming?",
            ),
            Mistake(
                "short gradients made longer",
                """
gradients = [p.grad for p in parameters if p.grad is not None]
norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))
for g in gradients:
    g *= max_norm / norm
return norm
""",
                says="never makes a gradient longer",
                advice="Near a minimum gradients are short, and should be.",
            ),
            Mistake(
                "parameters without a gradient forgotten",
                """
parameters = list(parameters)
norm = math.sqrt(sum(float(np.vdot(p.grad, p.grad)) for p in parameters))
if norm > max_norm:
    for p in parameters:
        p.grad *= max_norm / norm
return norm
""",
                says="raised AttributeError",
                advice="A layer that took no part in the loss has the gradient None.",
            ),
            Mistake(
                "only infinity looked for",
                """
arrays = [p.grad for p in parameters if p.grad is not None]
norm = math.sqrt(sum(float((g**2).sum()) for g in arrays))
if math.isinf(norm) or norm <= max_norm:
    return norm
for g in arrays:
    g *= max_norm / norm
return norm
""",
                says="one nan has spoiled",
                advice="Is nan <= 1? Every comparison with it is False: ask math.isfinite.",
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
                """
if step < warmup_steps:
    return lr * step / warmup_steps
if step >= total_steps:
    return min_lr
progress = (step - warmup_steps) / (total_steps - warmup_steps)
return min_lr + 0.5 * (lr - min_lr) * (1 + math.cos(math.pi * progress))
""",
                says="a step for nothing",
                advice="Steps are counted from 0 here: print the first five rates.",
            ),
            Mistake(
                "the warm-up begins at min_lr",
                """
if step < warmup_steps:
    return min_lr + (lr - min_lr) * (step + 1) / warmup_steps
if step >= total_steps:
    return min_lr
progress = (step - warmup_steps) / (total_steps - warmup_steps)
return min_lr + 0.5 * (lr - min_lr) * (1 + math.cos(math.pi * progress))
""",
                says="climbs evenly",
                advice="A sensible schedule as well, but not the one of the formula.",
            ),
            Mistake(
                "progress counted from step 0",
                """
if step < warmup_steps:
    return lr * (step + 1) / warmup_steps
if step >= total_steps:
    return min_lr
progress = step / total_steps
return min_lr + 0.5 * (lr - min_lr) * (1 + math.cos(math.pi * progress))
""",
                says="falls off a cliff",
                advice="Plot it with a long warm-up, and look at its end.",
            ),
            Mistake(
                "the cosine ends at 0",
                """
if step < warmup_steps:
    return lr * (step + 1) / warmup_steps
if step >= total_steps:
    return 0.0
progress = (step - warmup_steps) / (total_steps - warmup_steps)
return 0.5 * lr * (1 + math.cos(math.pi * progress))
""",
                says="the rate ends at 0",
                advice="Which argument is not used?",
            ),
            Mistake(
                "π forgotten",
                """
if step < warmup_steps:
    return lr * (step + 1) / warmup_steps
if step >= total_steps:
    return min_lr
progress = (step - warmup_steps) / (total_steps - warmup_steps)
return min_lr + 0.5 * (lr - min_lr) * (1 + math.cos(progress))
""",
                says="half-way down",
                advice="The cosine goes from 1 to -1 between which two angles?",
            ),
            Mistake(
                "a straight line",
                """
if step < warmup_steps:
    return lr * (step + 1) / warmup_steps
if step >= total_steps:
    return min_lr
progress = (step - warmup_steps) / (total_steps - warmup_steps)
return lr + (min_lr - lr) * progress
""",
                says="straight line",
                advice="Right at three points; look between them.",
            ),
            Mistake(
                "the rate climbs again after the end",
                """
if step < warmup_steps:
    return lr * (step + 1) / warmup_steps
if total_steps == warmup_steps:
    return min_lr
progress = (step - warmup_steps) / (total_steps - warmup_steps)
return min_lr + 0.5 * (lr - min_lr) * (1 + math.cos(math.pi * progress))
""",
                says="climbs\\s+again",
                advice="Someone will train on for a few steps more.",
            ),
            Mistake(
                "a warm-up to 1",
                """
if step < warmup_steps:
    return (step + 1) / warmup_steps
if step >= total_steps:
    return min_lr
progress = (step - warmup_steps) / (total_steps - warmup_steps)
return min_lr + 0.5 * (lr - min_lr) * (1 + math.cos(math.pi * progress))
""",
                says="climbs to 1",
                advice="The example has lr 1; try another.",
            ),
            Mistake(
                "min_lr as a share of lr",
                """
if step < warmup_steps:
    return lr * (step + 1) / warmup_steps
if step >= total_steps:
    return lr * min_lr
progress = (step - warmup_steps) / (total_steps - warmup_steps)
return lr * (min_lr + 0.5 * (1 - min_lr) * (1 + math.cos(math.pi * progress)))
""",
                says="a rate of its own",
                advice="Other libraries take a fraction; here both are rates.",
            ),
        ],
    ),
}
