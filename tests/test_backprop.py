"""The engine: order, sums, memory, errors, and what surrounds it."""

import asyncio
import gc
import threading
import warnings
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad.backprop import quiet
from minigrad.op import differentiable


def leaf(*shape, seed=0):
    return mg.Tensor(np.random.default_rng([seed, *shape]).normal(size=shape), requires_grad=True)


# --- Order and sums ---


def test_a_node_used_twice_gets_both_gradients():
    x = leaf(3)
    y = x * 2
    (y * y + y).sum().backward()
    assert np.allclose(x.grad, 8 * x.data + 2)


def test_the_order_is_topological_in_a_diamond_of_diamonds():
    x = y = leaf()
    for _ in range(30):  # 2^30 paths: a walk along every path would never end
        y = y * 0.5 + y * 0.5
    y.backward()
    assert x.grad == pytest.approx(1.0)


def test_a_graph_of_5000_operations():
    x = y = leaf(2)
    for _ in range(5000):
        y = y + 1.0
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_gradients_accumulate_over_backward_calls():
    x = leaf(3)
    x.sum().backward()
    first = x.grad
    (x * 2).sum().backward()
    assert np.allclose(x.grad, 3.0) and np.allclose(first, 1.0)


def test_broadcasting_is_undone():
    for shape in [(3,), (1, 3), (2, 1), (1, 1), ()]:
        x = leaf(*shape)
        (x * mg.ones(2, 3)).sum().backward()
        assert x.grad.shape == shape and np.allclose(x.grad, 6 / max(x.size, 1))


def test_gradients_of_a_sum_are_not_shared():
    a, b = leaf(3), leaf(3, seed=1)
    g = np.ones(3)
    (a + b).backward(g)
    assert not np.shares_memory(a.grad, b.grad) and not np.shares_memory(a.grad, g)
    a.grad += 1
    assert b.grad.tolist() == [1.0, 1.0, 1.0] and g.tolist() == [1.0, 1.0, 1.0]


def test_every_gradient_is_writable_and_its_own():
    makers = [
        lambda x: x.sum(),
        lambda x: x.reshape(-1).sum(),
        lambda x: (x.T + x).sum(),
        lambda x: mg.cat((x, x)).sum(),
        lambda x: mg.stack((x, x)).sum(),
        lambda x: x[0].sum(),
        lambda x: (x.copy() + x.transpose(0, 1)).mean(),
        lambda x: (x + x).retain_grad().sum(),
    ]
    for make in makers:
        x = leaf(2, 2)
        make(x).backward()
        assert x.grad.flags.writeable and x.grad.flags.owndata


def test_parts_are_added_into_one_buffer():
    x = leaf(4, 6)
    a, b, c = x.split(2, dim=1)
    (a * 1 + b * 2 + c * 3 + x[:, :2]).sum().backward()
    assert np.allclose(x.grad, np.repeat([2.0, 2.0, 3.0], 2) * np.ones((4, 1)))


def test_an_index_read_twice_gets_both_gradients():
    x = leaf(3)
    (x[[0, 0, 2]] * mg.array([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [3.0, 0.0, 3.0]


def test_retain_grad_keeps_the_gradient_of_an_inner_node():
    x = leaf(3)
    y = (x * 2).retain_grad()
    z = y * 3
    z.sum().backward()
    assert y.grad.tolist() == [3.0, 3.0, 3.0] and z.grad is None


def test_what_needs_no_gradient_gets_none_and_is_not_kept():
    x, constant = leaf(3), mg.ones(3)
    y = x * constant
    assert [node for node, _ in y.inputs] == [x]
    y.sum().backward()
    assert constant.grad is None


# --- Memory ---


def test_backward_lets_go_of_the_graph_without_the_garbage_collector():
    gc.disable()
    try:
        x = leaf(3)
        inner = x * 2
        watch = weakref.ref(inner)
        loss = (inner * inner).sum()
        del inner
        assert watch() is not None
        loss.backward()
        assert watch() is None
    finally:
        gc.enable()


def test_a_graph_without_backward_dies_with_its_last_reference():
    gc.disable()
    try:
        y = leaf(3) * 2
        watch = weakref.ref(y)
        del y
        assert watch() is None
    finally:
        gc.enable()


def test_nothing_here_needs_the_garbage_collector():
    """A graph of every operation, backward, errors and switches leave nothing behind in a cycle."""
    from test_operations import BITS, OPERATIONS, WITHOUT_GRADIENT, as_function_of_arrays, cases

    def everything():
        for name in sorted(set(OPERATIONS) - BITS):
            if name in WITHOUT_GRADIENT:
                continue
            for arguments, options in cases(name):
                arrays, call = as_function_of_arrays(OPERATIONS[name], arguments, options)
                leaves = [mg.array(x, requires_grad=x.dtype.kind == "f") for x in arrays]
                call(*leaves)  # never walked
                y = call(*leaves)
                y.backward(np.ones(y.shape))
        x = leaf(2, 3)
        x.var(dim=1, ddof=1).sum().backward()
        parts = [*x.split(1), x.repeat(2), x.trace(), x.flatten(), x % 2, x.astype(int) & 1]
        np.mean(x).backward()
        for mistake in (lambda: x + mg.ones(4), lambda: x.backward(), lambda: x.split("a")):
            with pytest.raises((ValueError, RuntimeError, TypeError)):
                mistake()
        with mg.no_grad(), mg.detect_anomaly(), quiet():
            x.exp()
        generator = mg.no_grad(lambda: (yield x * 2))()
        next(generator)
        with pytest.raises(KeyError):
            generator.throw(KeyError())
        assert mg.check_gradients(mg.exp, x)
        mg.draw_graph((x * x).sum(), gradients=True)
        del parts

    everything()  # what is loaded and cached once
    gc.collect()
    gc.disable()
    try:
        everything()
        assert gc.collect() == 0
    finally:
        gc.enable()


# --- Errors that change nothing ---


def test_a_second_backward_refuses():
    x = leaf(3)
    loss = (x * 2).sum()
    loss.backward()
    before = x.grad.copy()
    with pytest.raises(RuntimeError, match="spent.*call backward once"):
        loss.backward()
    assert np.array_equal(x.grad, before)


def test_a_spent_part_is_found_before_anything_changes():
    x, other = leaf(3), leaf(3, seed=1)
    trunk = x * 2
    trunk.sum().backward()
    second = (trunk * other).sum()
    x.grad = None
    with pytest.raises(RuntimeError, match="the graph through mul is spent"):
        second.backward()
    assert x.grad is None and other.grad is None


def test_backward_of_many_numbers_needs_a_gradient():
    x = leaf(3)
    with pytest.raises(RuntimeError, match=r"shape \(3,\) is no single number"):
        (x * 2).backward()
    with pytest.raises(ValueError, match=r"the gradient has shape \(2,\), the tensor \(3,\)"):
        (x * 2).backward(mg.ones(2))
    assert x.grad is None
    (x * 2).backward(mg.array([1.0, 2.0, 3.0]))
    assert x.grad.tolist() == [2.0, 4.0, 6.0]


def test_a_rule_of_the_wrong_shape_is_named():
    @differentiable
    def forgetful(x, /):
        return x.sum(1, keepdims=True), lambda g: g

    with pytest.raises(RuntimeError, match=r"rule 1 of forgetful returned \(2, 1\), .* \(2, 3\)"):
        forgetful(leaf(2, 3)).sum().backward()


@pytest.mark.parametrize(
    "returned, name", [(None, "NoneType"), (np.array(1j), "complex128"), ("no", "str_")]
)
def test_a_rule_that_returns_no_numbers_is_named(returned, name):
    @differentiable
    def forgetful(x, /):
        return x * 1, lambda g: returned

    x = leaf()
    with pytest.raises(
        RuntimeError, match=rf"rule 1 of forgetful returned {name} instead of numbers"
    ):
        forgetful(x).backward()
    assert x.grad is None


@pytest.mark.parametrize("gradient", ["no", 1j, None, [None, None], np.array(["2020"], "M8[D]")])
def test_a_gradient_holds_numbers_as_a_tensor_does(gradient):
    y = leaf(2) * 1
    with pytest.raises((TypeError, RuntimeError), match="holds numbers or Bool|no single number"):
        y.backward(gradient)
    y.backward(np.array([1, 2], ">f8"))


def test_an_error_on_the_way_leaves_every_grad_as_it_was():
    @differentiable
    def failing(x, /):
        def rule(g):
            raise ZeroDivisionError

        return x * 1, rule

    a, b = leaf(2), leaf(2, seed=1)
    loss = (a * 2 + failing(b)).sum()
    with pytest.raises(ZeroDivisionError):
        loss.backward()
    assert a.grad is None and b.grad is None


def test_requires_grad_of_a_computed_tensor_stays():
    y = leaf(2) * 2
    with pytest.raises(ValueError, match="detach"):
        y.requires_grad = False
    assert not y.detach().requires_grad


# --- no_grad ---


def test_no_grad_as_context_and_decorator_and_nested():
    x = leaf(2)
    guard = mg.no_grad()
    with guard:
        with guard:
            assert not (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad

    @mg.no_grad()
    def double():
        return x * 2

    assert not double().requires_grad and (x * 2).requires_grad


def test_no_grad_ends_with_an_exception():
    with pytest.raises(KeyError), mg.no_grad():
        raise KeyError
    assert (leaf(2) * 2).requires_grad


def test_no_grad_on_a_generator_holds_only_while_it_runs():
    x = leaf(2)

    @mg.no_grad()
    def stream():
        received = yield (x * 2).requires_grad
        yield received, (x * 2).requires_grad

    generator = stream()
    assert next(generator) is False
    assert (x * 2).requires_grad
    assert generator.send("sent") == ("sent", False)


def test_no_grad_is_local_to_its_thread():
    x, seen = leaf(2), []
    with mg.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


SWITCHES = [mg.no_grad, mg.detect_anomaly, quiet]


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_as_decorator_with_and_without_parentheses(switch):
    """Around functions, generators, coroutines and asynchronous generators, only while they run."""
    before = np.geterr()

    def open_blocks():
        assert (np.geterr()["divide"] == "ignore") == (switch is quiet and switch.depth.get() > 0)
        return switch.depth.get()

    for decorate in (switch, switch()):

        @decorate
        def plain(extra, *, more):
            """Words."""
            return open_blocks(), extra, more

        @decorate
        def generator():
            try:
                sent = yield open_blocks()
                yield sent, open_blocks()
            except KeyError:
                yield "caught", open_blocks()
            return "end"

        @decorate
        async def coroutine():
            await asyncio.sleep(0)
            return open_blocks()

        @decorate
        async def stream():
            for _ in range(2):
                await asyncio.sleep(0)
                sent = yield open_blocks()
            yield sent

        async def outside():
            await asyncio.sleep(0)
            return open_blocks()

        async def everything():
            found = [(inside, open_blocks()) async for inside in stream()]
            return found, await asyncio.gather(coroutine(), outside(), coroutine())

        assert plain(1, more=2) == (1, 1, 2) and plain.__doc__ == "Words."
        values = generator()
        assert next(values) == 1 and open_blocks() == 0
        assert values.send("sent") == ("sent", 1) and open_blocks() == 0
        with pytest.raises(StopIteration, match="end"):
            next(values)
        values = generator()
        next(values)
        assert values.throw(KeyError()) == ("caught", 1) and open_blocks() == 0
        assert asyncio.run(everything()) == ([(1, 0), (1, 0), (None, 0)], [1, 0, 1])
        with pytest.raises(ValueError), switch(), switch():
            raise ValueError
        assert open_blocks() == 0 and np.geterr() == before
    with pytest.raises(TypeError, match=f"{switch.__name__} stands above a function, not 5"):
        switch(5)


def test_a_method_may_be_decorated():
    class Model:
        @mg.no_grad
        def predict(self, x):
            return (x * 2).requires_grad

    assert Model().predict(leaf(2)) is False


def test_quiet_is_silent_inside_also_nested_and_over_with_its_block():
    before = np.geterr()

    @quiet()
    def logarithm():
        with quiet():
            mg.log(mg.zeros(1))
        return np.log(np.zeros(1)), mg.log(mg.zeros(1)).item()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert logarithm() == (-np.inf, -np.inf)
        with pytest.raises(KeyError), quiet():
            raise KeyError
        assert np.geterr() == before
        mg.log(mg.zeros(1))
        with pytest.raises(RuntimeWarning):
            np.log(np.zeros(1))


# --- Tools ---


def test_check_gradients_names_what_is_wrong():
    @differentiable
    def halved(x, /):
        return x * x, lambda g: g * x  # and not 2 x

    with pytest.raises(
        AssertionError, match=r"halved: the gradient of input 0 at \(1,\) is 1.53957, .* 3.07915"
    ):
        mg.check_gradients(halved, np.array([0.0, 2.0]))


def test_detect_anomaly_names_the_operation():
    x = mg.array([1.0, 0.0], requires_grad=True)
    with mg.detect_anomaly():
        with pytest.raises(FloatingPointError, match="log returned inf"):
            mg.log(x)
        with pytest.raises(FloatingPointError, match="rule 1 of sqrt returned nan or inf"):
            mg.sqrt(x).sum().backward()
        scores = x.masked_fill([False, True], -mg.inf)  # asked for: no anomaly
        assert mg.softmax(scores).tolist() == [1.0, 0.0]
    assert x.grad is None


def test_drawing_the_graph_consumes_nothing_and_is_deterministic():
    x = leaf(2)
    loss = (x * 2 + x).tanh().sum()
    first, second = mg.draw_graph(loss, gradients=True), mg.draw_graph(loss, gradients=True)
    assert first._repr_mimebundle_() == second._repr_mimebundle_()
    assert "<svg" in first._repr_mimebundle_()["image/svg+xml"]
    assert x.grad is None
    loss.backward()
    assert x.grad is not None


def test_a_number_that_was_broadcast_accumulates():
    for reverse in (False, True):
        x = mg.array(2.0, requires_grad=True)
        parts = [(x * mg.ones(3)).sum(), x + 1.0]
        mg.add(*(parts[::-1] if reverse else parts)).backward()
        assert x.grad == 4
