r"""Curvature along the gradient from one backward pass and one forward sweep.

:math:`g^\top H g` is a number, so the vector :math:`Hg` need not be formed. With the deltas
:math:`d_l = \partial \ell / \partial a_l`, which the gradient's own backward pass yields, and the
tangents of all layers along :math:`w + t g`,

.. math:: g^\top H g = \phi''[u', u'] + \sum_l \langle d_l, s_l \rangle,

with :math:`\phi` the loss as a function of the outputs u and :math:`s_l` the second derivative that
layer l makes itself: :math:`2 G z'` for a matrix, :math:`\sigma''(z) z'^2` for a smooth activation,
0 for a piecewise linear one (see `lscore.curvature.rules`). The graph of the module comes from
``torch.fx``, once.
"""

from __future__ import annotations

import operator
from inspect import signature
from weakref import WeakKeyDictionary

import torch
from torch import fx, nn
from torch.nn import functional as F

from lscore.curvature.products import Site, attend, attention_rule, without_rule
from lscore.curvature.rules import at_work, rule_of
from lscore.errors import DataError
from lscore.model.modules import Elementwise, ModuleRisk, kept_buffers
from lscore.model.sequential import alteration

_PROGRAMS: WeakKeyDictionary[nn.Module, dict[tuple, Program]] = WeakKeyDictionary()
# functions that are linear without parameters, and activations without state
_SAME = (torch.flatten, F.avg_pool2d, F.adaptive_avg_pool2d)
_SAME_METHODS = ("flatten", "view", "reshape", "contiguous", "squeeze", "unsqueeze", "mean")
_ADD = (operator.add, operator.iadd, torch.add)
_READ = ("shape", "dtype", "T", "mT")
_ARGUMENTS = tuple(signature(nn.MultiheadAttention.forward).parameters)[1:]
_INPUTS = _ARGUMENTS[:3]
_ACTIVATIONS = {
    F.relu: nn.ReLU(),
    torch.relu: nn.ReLU(),
    torch.tanh: nn.Tanh(),
    F.tanh: nn.Tanh(),
    torch.sigmoid: nn.Sigmoid(),
    F.sigmoid: nn.Sigmoid(),
    F.softplus: nn.Softplus(),
    F.silu: nn.SiLU(),
    F.gelu: nn.GELU(),
}


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, name: str) -> bool:
        return isinstance(m, Elementwise) or super().is_leaf_module(m, name)

    def create_node(self, *args, **options):
        if not torch.is_grad_enabled():  # the graph would not know
            raise ValueError("it switches gradients off inside")
        return super().create_node(*args, **options)


class Program:
    """The traced graph of a module, run node by node with all values kept.

    It holds no reference to the module, which comes as an argument. `plain` says that there is
    nothing in it but known layers in ``torch.nn.Sequential``.
    """

    def __init__(self, module: nn.Module):
        self.single = rule_of(module) is not None
        parts = list(module.modules())
        self.plain = all(type(m) is nn.Sequential or rule_of(m) for m in parts)
        before = set(vars(module))
        try:
            with torch.enable_grad():
                self.graph = _Tracer().trace(nn.Sequential(module) if self.single else module)
        except Exception as error:  # whatever a module's own forward does to a tracer
            raise DataError(
                f"module: {type(module).__name__} cannot be traced by torch.fx ({error}); use "
                "route='double-backward'"
            ) from error
        finally:  # torch.fx stores constant tensors on the module
            for name in set(vars(module)) - before:
                delattr(module, name)
        if sum(node.op == "placeholder" for node in self.graph.nodes) != 1:
            _refuse(f"{type(module).__name__}, whose forward takes several arguments")
        for node in self.graph.nodes:
            self._layer(module, node)

    def _layer(self, root: nn.Module, node: fx.Node) -> nn.Module | None:
        """The module a node stands for: its own, or one with the same effect; None for glue."""
        if node.op.startswith("call") and not node.args and "query" not in node.kwargs:
            _refuse(f"'{getattr(node.target, '__name__', node.target)}' with its input by name")
        if node.op == "call_module":
            module = root if self.single else root.get_submodule(node.target)
            if rule_of(module) is None:
                more = " in train mode" if isinstance(module, nn.Dropout | nn.Dropout2d) else ""
                if type(module) is nn.MultiheadAttention:
                    more = f" with {without_rule(module)}"
                _refuse(f"module '{node.target}' ({type(module).__name__}{more})")
            if isinstance(module, nn.MultiheadAttention):
                _check_attention(root, node)
            return module
        rest = [*node.args[1:], *(k for k in node.kwargs if k != "inplace")]
        if node.op == "call_method" and node.target in ("relu", "tanh", "sigmoid"):
            return _ACTIVATIONS[getattr(torch, node.target)]
        if node.op == "call_function" and node.target in _ACTIVATIONS:
            if rest and node.target is not F.relu:
                _refuse(f"'{node.target.__name__}' with options")
            return _ACTIVATIONS[node.target]
        if node.op == "call_function" and node.target is F.max_pool2d:
            given = dict(zip(("kernel_size", "stride", "padding"), node.args[1:], strict=False))
            return nn.MaxPool2d(**given | {k: v for k, v in node.kwargs.items() if k != "input"})
        known = (
            node.op in ("placeholder", "output")
            or (node.op == "call_function" and node.target in (*_SAME, operator.getitem))
            or (node.target is getattr and node.args[1] in _READ)
            or (node.op == "call_method" and node.target in (*_SAME_METHODS, "size"))
            or (_adds(node) and len(node.args) == 2 and not node.kwargs)
            or (node.op == "get_attr" and node.users and all(_masks(node, u) for u in node.users))
        )
        if not known:
            name = node.args[1] if node.target is getattr else node.target
            _refuse(f"'{getattr(name, '__name__', name)}'")
        return None

    def run(self, module: nn.Module, X: torch.Tensor):
        """Forward with autograd: the values of all nodes, their sites in order, the output."""
        values: dict[fx.Node, object] = {}
        sites: dict[fx.Node, list[Site]] = {}
        for node in self.graph.nodes:
            if node.op == "placeholder":
                values[node] = X
                continue
            args = fx.map_arg(node.args, values.__getitem__)
            if node.op == "output":
                return values, sites, args[0]
            layer = self._layer(module, node)
            options = fx.map_arg(node.kwargs, values.__getitem__)
            if isinstance(layer, nn.MultiheadAttention):
                given = fx.map_arg(_given(node), values.__getitem__)
                inputs = tuple(given[name] for name in _INPUTS)
                sites[node] = attend(layer, inputs, given.get("attn_mask"))
                values[node] = (sites[node][-1].output, None)
            elif layer is not None:
                sites[node] = [at_work(layer, args[0])]
                values[node] = sites[node][0].output
            elif node.op == "get_attr":
                values[node] = module.get_buffer(node.target)
            elif node.op == "call_function":
                target = operator.add if node.target is operator.iadd else node.target
                values[node] = target(*args, **options)
            else:
                values[node] = getattr(args[0], node.target)(*args[1:], **options)
        raise DataError("module: the traced graph has no output")

    def tangent(self, values: dict, sites: dict, moves: dict):
        """The tangent of the output and the sum of <d_l, s_l>, along the given moves."""
        tangents: dict[fx.Node, torch.Tensor | None] = {}
        total: torch.Tensor | float = 0.0
        for node in self.graph.nodes:
            if node.op in ("placeholder", "get_attr"):
                tangents[node] = None
            elif node.op == "output":
                return tangents[node.args[0]], total
            elif node in sites:
                first, *rest = sites[node]
                if rest:
                    given = [tangents[_given(node)[name]] for name in _INPUTS]
                    moved, bend = attention_rule(sites[node], given, moves)
                    tangents[node] = (moved,)
                else:
                    rule, _ = rule_of(first.module)
                    tangents[node], bend = rule(first, tangents[node.args[0]], moves)
                total = total + bend
            elif _adds(node):
                parts = [tangents.get(a) for a in node.args if isinstance(a, fx.Node)]
                kept = [part for part in parts if part is not None]
                moved = sum(kept[1:], kept[0]) if kept else None
                tangents[node] = None if not kept else moved.expand_as(values[node])
            else:
                tangents[node] = self._through(node, values, tangents)
        raise DataError("module: the traced graph has no output")

    def _through(self, node: fx.Node, values: dict, tangents: dict) -> torch.Tensor | None:
        """A linear map without parameters, applied to the tangent of its first argument."""
        first = node.args[0]
        moved = tangents.get(first)
        if moved is None or not isinstance(values[node], torch.Tensor):
            return None
        rest = fx.map_arg(node.args[1:], values.__getitem__)
        options = fx.map_arg(node.kwargs, values.__getitem__)
        if node.op == "call_method":
            return getattr(moved, node.target)(*rest, **options)
        return node.target(moved, *rest, **options)


def _adds(node: fx.Node) -> bool:
    return node.target in _ADD if node.op == "call_function" else node.target == "add"


def _given(node: fx.Node) -> dict:
    """The arguments of a call of attention, by name."""
    return dict(zip(_ARGUMENTS, node.args, strict=False)) | node.kwargs


def _masks(node: fx.Node, user: fx.Node) -> bool:
    masks = [_given(user).get(name) for name in ("attn_mask", "key_padding_mask")]
    return user.op == "call_module" and any(mask is node for mask in masks)


def _check_attention(root: nn.Module, node: fx.Node) -> None:
    """Refuses attention that is more than a function of three inputs, with a mask that is fixed."""
    given, what = _given(node), f"module '{node.target}' (MultiheadAttention)"
    if not all(isinstance(given.get(name), fx.Node) for name in _INPUTS):
        _refuse(f"{what} of anything but query, key and value")
    for name in ("key_padding_mask", "is_causal"):
        if given.get(name) not in (None, False):
            _refuse(f"{what} with {name}")
    mask = given.get("attn_mask")
    if mask is not None:
        fixed = isinstance(mask, fx.Node) and mask.op == "get_attr"
        buffer = dict(root.named_buffers()).get(mask.target) if fixed else None
        if buffer is None or buffer.requires_grad:
            _refuse(f"{what} whose attn_mask is no buffer")
    for user in node.users:
        if user.target is not operator.getitem or (user.args[1] != 0 and user.users):
            _refuse(f"{what} of which more than the first output is used")


def _refuse(what: str):
    raise DataError(
        f"route 'tangent-sweep': no rule for {what}; use route='double-backward', or pass "
        "fallback='double-backward'"
    )


def _agree(own: object, outputs: torch.Tensor) -> bool:
    """Whether the outputs of the module and of its graph are equal up to rounding."""
    if not isinstance(own, torch.Tensor) or own.shape != outputs.shape:
        return False
    slack, finite = 1e4 * torch.finfo(outputs.dtype).eps, own[own.isfinite()]
    largest = float(finite.abs().max()) if len(finite) else 0.0
    return torch.allclose(own, outputs, slack, slack * largest, equal_nan=True)


def program_of(module: nn.Module) -> Program:
    """The traced program of a module, made once for every state of its train and eval modes.

    Kept only where it is plain: what a ``forward`` does may depend on anything. Raises `DataError`
    naming what has no rule, or what may change what a layer computes: hooks, methods replaced on
    the object (see `alteration`).
    """
    altered = alteration(module)
    if altered:
        _refuse(f"a module where {altered}")
    key = tuple((name, type(part), part.training) for name, part in _parts(module))
    known = _PROGRAMS.setdefault(module, {})
    program = known.get(key) or Program(module)
    if program.plain:
        known[key] = program
    return program


def _parts(module: nn.Module):
    """Every module inside a module, as often as it is named."""
    return module.named_modules(remove_duplicate=False)


def tangent_sweep(risk: ModuleRisk) -> tuple[float, list[torch.Tensor], torch.Tensor]:
    r"""The data loss, the gradient g with weight decay, and :math:`g^\top H g` with the Hessian of
    the data loss alone.

    One forward, one backward and one tangent pass; one more forward pass where a class has a
    ``forward`` of its own. Equal up to rounding to autograd's second derivative where the traced
    graph is the module, which is tested by its outputs at these parameters only. Raises `DataError`
    naming a layer without a rule, for a loss that reads the parameters itself, or when the outputs
    differ.

    >>> module = nn.Linear(1, 1, bias=False).double()
    >>> _ = nn.init.constant_(module.weight, 3.0)
    >>> X = torch.ones(2, 1, dtype=torch.float64)
    >>> value, gradient, quadratic = tangent_sweep(
    ...     ModuleRisk(module, nn.functional.mse_loss, X, 0 * X))      # w^2: g = 6, H = 2
    >>> value, gradient[0].item(), quadratic.item()
    (9.0, 6.0, 72.0)
    """
    parameters = risk.parameters
    program = program_of(risk.module)
    with torch.enable_grad(), risk.named_errors():
        if not program.plain:
            with torch.no_grad(), kept_buffers(risk.module):
                own = risk.module(risk.X.clone())
        values, sites, outputs = program.run(risk.module, risk.X.clone())
        if not (program.plain or _agree(own, outputs)):
            _refuse(f"{type(risk.module).__name__}, of which torch.fx makes another function")
        head = outputs.detach().requires_grad_()
        value = risk.loss_of(head)
    asked = [head, *parameters]
    pull, *direct = torch.autograd.grad(value, asked, create_graph=True, allow_unused=True)
    if pull is None or any(part is not None for part in direct):
        _refuse("a loss that is no function of the outputs alone")
    bent = [s for group in sites.values() for s in group if s.bends and s.output.requires_grad]
    wanted = parameters + [site.output for site in bent]
    found = torch.autograd.grad(outputs, wanted, pull.detach(), materialize_grads=True)
    with torch.no_grad():
        gradient = list(found[: len(parameters)])
        if risk.weight_decay:
            gradient = list(torch._foreach_add(gradient, parameters, alpha=risk.weight_decay))
        for site, delta in zip(bent, found[len(parameters) :], strict=True):
            site.delta = delta
        moves = dict(zip(parameters, gradient, strict=True))
        moved, total = program.tangent(values, sites, moves)
    if pull.requires_grad:
        (bent_loss,) = torch.autograd.grad(pull, head, moved, materialize_grads=True)
        total = total + (bent_loss * moved).sum()
    return value.item(), gradient, torch.as_tensor(total)
