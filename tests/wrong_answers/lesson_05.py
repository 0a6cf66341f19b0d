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
                says="goes up with each parameter",
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
            Mistake(
                "the list of groups in place of one group",
                change=(
                    "self.update(number, parameter, group)",
                    "self.update(number, parameter, self.param_groups)",
                ),
                says="third place is no group",
                advice="There are three names here: param_groups, group, params. Which one is a single dictionary?",
            ),
            Mistake(
                "parameter and number exchanged",
                change=(
                    "self.update(number, parameter, group)",
                    "self.update(parameter, number, group)",
                ),
                says="second place is no parameter",
                advice="Read the first line of `update` below: the order of its arguments.",
            ),
            Mistake(
                "a loop over the dictionary itself",
                change=('in group["params"]', "in group"),
                says="a loop over a dictionary gives its keys",
                advice='Print what the inner loop meets: it is the text "params".',
            ),
            Mistake(
                "an attribute in place of a key",
                change=('group["params"]', "group.params"),
                says="reached by its key in square brackets",
                advice="A group is a dictionary, and no object of a class: what does type(group) say?",
            ),
            Mistake(
                "the number begins at 1",
                change=("number = 0", "number = 1"),
                says="list of four has the places",
                advice="Which place in a list has the first of four parameters?",
            ),
            Mistake(
                "the number never counted on",
                change=("\n        number += 1", ""),
                says="every parameter comes with the number 0",
                advice="Print the number beside the parameter, for four parameters.",
            ),
            Mistake(
                "the group's number",
                """
self.steps += 1
for number, group in enumerate(self.param_groups):
    for parameter in group["params"]:
        if parameter.grad is not None:
            self.update_counts[number] += 1
            self.update(number, parameter, group)
""",
                says="the number is that of the group",
                advice="Two groups of two parameters have four buffers. Which numbers are used?",
            ),
            Mistake(
                "the counts forgotten",
                change=("            self.update_counts[number] += 1\n", ""),
                says="update_counts stays 0",
                advice="Three things happen for a parameter that has a gradient, by the task: name them.",
            ),
            Mistake(
                "one added to the whole list of counts",
                change=("self.update_counts[number] +=", "self.update_counts +="),
                says="joins a list to a list",
                advice="update_counts holds a number for each parameter: which of them goes up?",
            ),
            Mistake(
                "steps forgotten",
                change=("self.steps += 1\n", ""),
                says="self.steps is still 0",
                advice="Three counts are in the task: steps, update_counts, number. Where is each in the code?",
            ),
            Mistake(
                "steps goes up with each group",
                change=(
                    ("self.steps += 1\n", ""),
                    ("    for parameter in", "    self.steps += 1\n    for parameter in"),
                ),
                says="goes up with each group",
                advice="How often is the line reached in one call of step?",
            ),
            Mistake(
                "the loop left at the first parameter without a gradient",
                """
self.steps += 1
number = 0
for group in self.param_groups:
    for parameter in group["params"]:
        if parameter.grad is None:
            return
        self.update_counts[number] += 1
        self.update(number, parameter, group)
        number += 1
""",
                says="everything behind the first parameter",
                advice="Freeze the first of four layers. Which of the others still learn?",
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
            Mistake(
                "momentum times the gradient",
                change=(
                    'velocity *= group["momentum"]\nvelocity += gradient',
                    'velocity += group["momentum"] * gradient',
                ),
                says="gradient is multiplied by momentum",
                advice="With momentum 0 this optimizer must do what plain gradient descent does. Does it?",
            ),
            Mistake(
                "the parameter moves before its velocity",
                change=(
                    ("parameter.data -= self.lr * velocity\n", ""),
                    ("velocity *=", "parameter.data -= self.lr * velocity\nvelocity *="),
                ),
                says="first update moves nothing",
                advice="Do the first step by hand: what is the velocity at the moment when the parameter moves?",
            ),
            Mistake(
                "the gradient multiplied by the decay",
                change=(
                    'parameter.grad + group["weight_decay"] * parameter.data',
                    'parameter.grad * group["weight_decay"]',
                ),
                says="gradient is multiplied by weight_decay",
                advice="Read the formula aloud: g plus λ times w. What is multiplied by what?",
            ),
            Mistake(
                "lr forgotten",
                change=("self.lr * velocity", "velocity"),
                says="lr is missing",
                advice="Halve the learning rate: does anything change?",
            ),
            Mistake(
                "lr twice",
                change=("+= gradient", "+= self.lr * gradient"),
                says="lr enters twice",
                advice="Count how often lr stands in the two formulas.",
            ),
            Mistake(
                "lr taken for a name of its own",
                change=("self.lr * velocity", "lr * velocity"),
                says="the rate is self.lr",
                advice="Where does the base class keep the rate? Read its __init__.",
            ),
            Mistake(
                "the letters of the formula",
                """
self.velocity[number] = group["momentum"] * self.velocity[number] + g
parameter.data -= self.lr * self.velocity[number]
""",
                says="letter of a formula has a value only",
                advice="Which array is the g of the formula, which is w? Give them these names first, or use their own.",
            ),
            Mistake(
                "the whole list of velocities",
                """
gradient = parameter.grad + group["weight_decay"] * parameter.data
self.velocity = group["momentum"] * self.velocity + gradient
parameter.data -= self.lr * self.velocity
""",
                says="one of the values is a list",
                advice="self.velocity has an array for each parameter: which one belongs to this parameter?",
            ),
            Mistake(
                "a loop over all parameters of the group",
                """
for p in group["params"]:
    velocity = self.velocity[number]
    velocity *= group["momentum"]
    velocity += p.grad + group["weight_decay"] * p.data
    p.data -= self.lr * velocity
""",
                says="so it has no loop",
                advice="Who calls update, and how often? Look at exercise 05.1.",
            ),
            Mistake(
                "the decay without lr",
                change=(
                    (' + group["weight_decay"] * parameter.data', ""),
                    (
                        "self.lr * velocity",
                        'self.lr * velocity + group["weight_decay"] * parameter.data',
                    ),
                ),
                says="decay is not multiplied by lr",
                advice="How much is left of a weight of 1 after ten steps with lr 0.001 and decay 0.1?",
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
                says="first step is too short",
                advice="√(s / c) is √s / √c: the root of the correction is missing.",
            ),
            Mistake(
                "the root forgotten",
                change=("np.sqrt(square)", "square"),
                of=0,
                says="divide the mean by the root",
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
                says="β₁ and β₂ are exchanged",
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
                says="went into the averages",
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
                says="the averages are still 0",
                advice="Print the two buffers after a step: they are still 0.",
            ),
            Mistake(
                "the tiles of a transposed parameter are copies",
                change=('parameter.data = np.asarray(parameter.data, order="C")', "pass"),
                says="transposed parameter",
                advice="np.ascontiguousarray returns its argument where it can, and a copy where "
                "it cannot.",
            ),
            Mistake(
                "a local name moves, not the parameter",
                change=(
                    "parameter.data = parameter.data - self.lr",
                    "moved = parameter.data - self.lr",
                ),
                of=0,
                says="has not moved",
                advice="`p = p - …` makes a new array and calls it p; ask what parameter.data still is.",
            ),
            Mistake(
                "uphill",
                change=(
                    "parameter.data = parameter.data - self.lr",
                    "parameter.data = parameter.data + self.lr",
                ),
                of=0,
                says="goes uphill",
                advice="Draw a parabola and the sign of its slope on either side.",
            ),
            Mistake(
                "lr forgotten",
                change=("- self.lr * mean", "- mean"),
                of=0,
                says="ten times too long",
                advice="Halve the learning rate: does anything change?",
            ),
            Mistake(
                "multiplied by lr · λ in place of 1 - lr · λ",
                change=('(1 - self.lr * group["weight_decay"])', 'self.lr * group["weight_decay"]'),
                of=0,
                says="without weight decay the parameter becomes 0",
                advice="Put a decay of 0 into the line: what is left of the parameter?",
            ),
            Mistake(
                "one added to the count again",
                change=(
                    "g, t = parameter.grad, self.update_counts[number]",
                    "g, t = parameter.grad, self.update_counts[number] + 1",
                ),
                of=0,
                says="that of t = 2",
                advice="`step` of exercise 05.1 has counted already. What is t in the first update?",
            ),
            Mistake(
                "the number of the parameter taken for t",
                change=(
                    "g, t = parameter.grad, self.update_counts[number]",
                    "g, t = parameter.grad, number",
                ),
                of=0,
                says="division by 1 - β⁰",
                advice="Print t in the first three updates of the first parameter.",
            ),
            Mistake(
                "the whole list of counts taken for t",
                change=(
                    "g, t = parameter.grad, self.update_counts[number]",
                    "g, t = parameter.grad, self.update_counts",
                ),
                of=0,
                says="one of the values is a list",
                advice="update_counts has a count for each parameter: which one belongs to this parameter?",
            ),
            Mistake(
                "β times t in place of a power",
                change=(("beta1**t", "beta1 * t"), ("beta2**t", "beta2 * t")),
                of=0,
                says="is an exponent",
                advice="What is 1 - 0.9 · t for t = 2, and what should it be?",
            ),
            Mistake(
                "only the mean corrected",
                change=(" / (1 - beta2**t)", ""),
                of=0,
                says="four times too long",
                advice="Both averages began at 0: both are too small at first.",
            ),
            Mistake(
                "the corrections exchanged",
                change=(
                    ("(1 - beta1**t)", "(1 - beta3**t)"),
                    ("(1 - beta2**t)", "(1 - beta1**t)"),
                    ("beta3", "beta2"),
                ),
                of=0,
                says="corrections are exchanged",
                advice="Which memory is the longer one, and which average falls short by more at first?",
            ),
            Mistake(
                "the factors 1 - β forgotten",
                change=(("(1 - beta1) * g", "g"), ("(1 - beta2) * g**2", "g**2")),
                of=0,
                says="enters the averages whole",
                advice="A mean of equal numbers is that number. Work out m after many steps with the gradient 1.",
            ),
            Mistake(
                "β₁ for both averages",
                change=(
                    "beta2 * self.exp_avg_sq[number] + (1 - beta2)",
                    "beta1 * self.exp_avg_sq[number] + (1 - beta1)",
                ),
                of=0,
                says="used for the mean square too",
                advice="Print betas: two numbers. Where does each of them stand in the formulas?",
            ),
            Mistake(
                "β₂ and 1 - β₂ exchanged",
                change=(
                    "beta2 * self.exp_avg_sq[number] + (1 - beta2)",
                    "(1 - beta2) * self.exp_avg_sq[number] + beta2",
                ),
                of=0,
                says="1 - β₂ is the share of what is new",
                advice="With β₂ = 0.999, which part of s should survive a step: nearly all of it, or a thousandth?",
            ),
            Mistake(
                "the square of the mean",
                change=("(1 - beta2) * g**2", "(1 - beta2) * self.exp_avg[number] ** 2"),
                of=0,
                says="mean square is that of exp_avg",
                advice="Gradients of 1 and -1 by turns: what is the mean of the squares, and what the square of the mean?",
            ),
            Mistake(
                "1 - β₂ inside the square",
                change=("(1 - beta2) * g**2", "((1 - beta2) * g) ** 2"),
                of=0,
                says="squared with the gradient",
                advice="What does Python square in ((1 - β) * g)**2?",
            ),
            Mistake(
                "the square forgotten",
                change=("g**2", "g"),
                of=0,
                says="takes the gradient itself",
                advice="Multiply all gradients by 4. By how much does s grow, and by how much should it?",
            ),
            Mistake(
                "exp_avg_sq not written back",
                change=(
                    ("self.exp_avg_sq[number] = beta2", "kept = beta2"),
                    ("square = self.exp_avg_sq[number] /", "square = kept /"),
                ),
                of=0,
                says="exp_avg_sq is still 0",
                advice="Print both buffers after a step.",
            ),
            Mistake(
                "exp_avg not written back",
                change=(
                    ("self.exp_avg[number] = beta1", "kept = beta1"),
                    ("mean = self.exp_avg[number] /", "mean = kept /"),
                ),
                of=0,
                says="but exp_avg is still 0",
                advice="Print both buffers after a step.",
            ),
            Mistake(
                "eps added to the step",
                change=('(np.sqrt(square) + group["eps"])', 'np.sqrt(square) + group["eps"]'),
                of=0,
                says="parentheses make",
                advice="Python divides before it adds: which parentheses does the formula need?",
            ),
            Mistake(
                "the decay makes the weight grow",
                change=("(1 - self.lr * group", "(1 + self.lr * group"),
                of=0,
                says="makes the parameter grow",
                advice="With a gradient of 0, which way should the weight move?",
            ),
            Mistake(
                "the draft's names",
                """
beta1, beta2 = group["betas"]
g, t = parameter.grad, self.update_counts[number]
self.mean[number] = m = beta1 * self.mean[number] + (1 - beta1) * g
self.square[number] = s = beta2 * self.square[number] + (1 - beta2) * g**2
m, s = m / (1 - beta1**t), s / (1 - beta2**t)
parameter.data -= self.lr * m / (np.sqrt(s) + group["eps"])
""",
                says="the draft's names",
                advice="Compare the __init__ of the draft with that of AdamW.",
            ),
            Mistake(
                "betas looked for in the object",
                change=('group["betas"]', "self.betas"),
                of=0,
                says="the rate is self\\.lr",
                advice="The draft had its own attributes; here `group` holds the options, since groups may differ.",
            ),
            Mistake(
                "PyTorch's root",
                change=("np.sqrt", "torch.sqrt"),
                of=0,
                says="PyTorch is not used here",
                advice="np.sqrt takes arrays, and has the same name.",
            ),
            Mistake(
                "Python's root",
                change=("np.sqrt", "math.sqrt"),
                of=0,
                says="Python's math takes one number",
                advice="math.sqrt takes one number; np.sqrt takes an array.",
            ),
            Mistake(
                "PyTorch's functions that change in place",
                change=(
                    "self.exp_avg[number] = beta1 * self.exp_avg[number] + (1 - beta1) * g",
                    "self.exp_avg[number].mul_(beta1).add_((1 - beta1) * g)",
                ),
                of=0,
                says="names with _ at the end",
                advice="In NumPy a *= 2 changes the array itself.",
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
                says="only gives a new array a name",
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
            Mistake(
                "the parameters clipped, not their gradients",
                """
arrays = [p.data for p in parameters]
norm = math.sqrt(sum(float(np.vdot(x, x)) for x in arrays))
if max_norm < norm < math.inf:
    for x in arrays:
        x *= max_norm / norm
return norm
""",
                says="and not of p.data",
                advice="Which of the two arrays of a parameter does the step subtract?",
            ),
            Mistake(
                "the comparison the wrong way round",
                change=("max_norm < norm < math.inf", "0 < norm < max_norm"),
                says="comparison is the wrong way round",
                advice="Say it in words first: which gradients are to become shorter?",
            ),
            Mistake(
                "the factor upside down",
                change=("max_norm / norm", "norm / max_norm"),
                says="factor is upside down",
                advice="Is the factor above 1 or below 1, if the gradients are to become shorter?",
            ),
            Mistake(
                "scaled to the length 1",
                change=("g *= max_norm / norm", "g /= norm"),
                says="scaled to the length 1",
                advice="Which argument is not used?",
            ),
            Mistake(
                "the length of the last parameter",
                """
gradients = [p.grad for p in parameters if p.grad is not None]
norm = 0.0
for g in gradients:
    norm = math.sqrt(float(np.vdot(g, g)))
if max_norm < norm < math.inf:
    for g in gradients:
        g *= max_norm / norm
return norm
""",
                says="last parameter alone",
                advice="The loop gives the name a new value each time. What is left of the earlier ones?",
            ),
            Mistake(
                "one loop for length and factor",
                """
total = norm = 0.0
for p in parameters:
    if p.grad is not None:
        total += float(np.vdot(p.grad, p.grad))
        norm = math.sqrt(total)
        if max_norm < norm < math.inf:
            p.grad *= max_norm / norm
return norm
""",
                says="two loops are needed",
                advice="When the first gradient is scaled, what is known of the last one?",
            ),
            Mistake(
                "the largest number taken for the length",
                change=(
                    "math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))",
                    "max((float(np.abs(g).max()) for g in gradients), default=0.0)",
                ),
                says="the largest number",
                advice="Test it with 3 and 4.",
            ),
            Mistake(
                "the mean of the squares",
                change=("float(np.vdot(g, g))", "float((g * g).mean())"),
                says="squares are averaged",
                advice="Would the length change if one parameter were stored as two halves? It must not.",
            ),
            Mistake(
                "the gradients returned too",
                change=("return norm", "return norm, gradients"),
                says="returned a tuple of 2",
                advice="They are changed in place, so the caller has them already.",
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
            Mistake(
                "the warm-up one step too long",
                change=("step < warmup_steps", "step <= warmup_steps"),
                says="`<`, not `<=`",
                advice="List the steps of a warm-up of four: 0, 1, 2, 3.",
            ),
            Mistake(
                "whole numbers in the warm-up",
                change=("(step + 1) / warmup_steps", "(step + 1) // warmup_steps"),
                says="rounds down to whole numbers",
                advice="What is 1 // 4?",
            ),
            Mistake(
                "the parentheses of step + 1",
                change=("(step + 1) / warmup_steps", "step + 1 / warmup_steps"),
                says="only 1 is divided",
                advice="Python divides before it adds.",
            ),
            Mistake(
                "the half forgotten",
                change=("0.5 * ", ""),
                says="½ is missing",
                advice="What is 1 + cos(0)?",
            ),
            Mistake(
                "the parentheses of 1 + cos",
                change=("(1 + math.cos(math.pi * progress))", "1 + math.cos(math.pi * progress)"),
                says="needs parentheses around it",
                advice="Python multiplies before it adds.",
            ),
            Mistake(
                "the parentheses of the progress",
                change=(
                    "(step - warmup_steps) / (total_steps - warmup_steps)",
                    "step - warmup_steps / (total_steps - warmup_steps)",
                ),
                says="only warmup_steps is divided",
                advice="Python divides before it subtracts.",
            ),
            Mistake(
                "1 - cos",
                change=("1 + math.cos", "1 - math.cos"),
                says="curve is upside down",
                advice="Where does 1 - cos begin, at 0 or at 2?",
            ),
            Mistake(
                "the whole of lr above min_lr",
                change=("(lr - min_lr)", "lr"),
                says="begins above lr",
                advice="Put p = 0 into the line.",
            ),
            Mistake(
                "min_lr not added",
                change=("return min_lr + 0.5", "return 0.5"),
                says="not added again",
                advice="Put p = 1 into the line.",
            ),
            Mistake(
                "the cosine one step ahead",
                change=("(step - warmup_steps) /", "(step + 1 - warmup_steps) /"),
                says="one step ahead",
                advice="At which step is the progress 0?",
            ),
            Mistake(
                "the warm-up taken off above the line only",
                change=(
                    "(step - warmup_steps) / (total_steps - warmup_steps)",
                    "(step - warmup_steps) / total_steps",
                ),
                says="too, total_steps - warmup_steps",
                advice="The progress goes from 0 to 1: put the last step into it.",
            ),
            Mistake(
                "whole numbers in the progress",
                change=(
                    "(step - warmup_steps) / (total_steps - warmup_steps)",
                    "(step - warmup_steps) // (total_steps - warmup_steps)",
                ),
                says="rounds the progress down",
                advice="What is 4 // 8?",
            ),
            Mistake(
                "degrees",
                change=("math.pi *", "180 *"),
                says="takes radians",
                advice="Print math.cos(180).",
            ),
            Mistake(
                "the cosine without its module",
                change=("math.cos", "cos"),
                says="NumPy's is np.cos",
                advice="The first cell of the module imports math and numpy as np.",
            ),
            Mistake(
                "min in place of min_lr",
                change=("    return min_lr\n", "    return min_lr\nmin_lr = min\n"),
                says="function of Python's",
                advice="In Python `min` is a function. What is the formula's min called in the code?",
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
                says="this one is not",
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
            Mistake(
                ".T in place of .mT",
                change=("X.mT", "X.T"),
                of=0,
                says="turns all the axes round",
                advice="Print the shape of X.T for an X of shape (3, 2, 5).",
            ),
            Mistake(
                "keepdims forgotten",
                change=(", keepdims=True", ""),
                of=0,
                says="with keepdims=True they",
                advice="Print the shape of the lengths of two matrices, and align it with (2, m, n) at the right.",
            ),
            Mistake(
                "the root of the length forgotten",
                change=(
                    "np.linalg.norm(matrix, axis=(-2, -1), keepdims=True)",
                    "(matrix**2).sum(axis=(-2, -1), keepdims=True)",
                ),
                of=0,
                says="divided by 25",
                advice="Test it with 3 and 4.",
            ),
            Mistake(
                "a length for each row",
                change=("axis=(-2, -1)", "axis=-1"),
                of=0,
                says="each row was divided",
                advice="How many numbers are in the lengths of one matrix? There should be one.",
            ),
            Mistake(
                "a added to every number",
                change=(
                    "3.4445 * X - 4.7750 * A @ X + 2.0315 * A @ A @ X",
                    "(3.4445 - 4.7750 * A + 2.0315 * A @ A) @ X",
                ),
                of=0,
                says="added to all its numbers",
                advice="What does NumPy add to a matrix in a + A? The identity matrix has ones on its diagonal only.",
            ),
            Mistake(
                "A computed once",
                change=(("A = X @ X.mT", "pass"), ("for _", "A = X @ X.mT\nfor _")),
                of=0,
                says="A was computed once",
                advice="After the first round X has changed. What is A then?",
            ),
            Mistake(
                "A squared number by number",
                change=("A @ A @ X", "A**2 @ X"),
                of=0,
                says="squares number by number",
                advice="Compare A**2 and A @ A for a small matrix.",
            ),
            Mistake(
                "Xᵀ X in place of X Xᵀ",
                change=("A = X @ X.mT", "A = X.mT @ X if X.shape[-1] == X.shape[-2] else X @ X.mT"),
                of=0,
                says="stand the other way round",
                advice="Which shape has A for a wide X, and can it be multiplied with X from the left?",
            ),
            Mistake(
                "A on the right",
                change=(
                    "- 4.7750 * A @ X + 2.0315 * A @ A @ X",
                    "- 4.7750 * X @ A + 2.0315 * X @ A @ A",
                ),
                of=0,
                says="on the left of X",
                advice="Matrix products have an order: read the formula from the left.",
            ),
            Mistake(
                "PyTorch's transpose",
                change=("X.mT", "X.transpose(-2, -1)"),
                of=0,
                says="unturned",
                advice="np.transpose takes all axes in their new order: (-2, -1) is the order that a matrix has already.",
            ),
            Mistake(
                "the numbers a, b, c not written down",
                change=("3.4445 * X", "a * X"),
                of=0,
                says="letter of a formula has a value only",
                advice="The module does not know the letters of the text: give them their values in the function.",
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
