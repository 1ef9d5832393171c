"""Tensors that are changed in place, read as new tensors.

``h[:, t] = v`` collects the parts of ``h`` until a line reads ``h``. Parts that fill a dimension become ``torch.stack``
or ``torch.cat``; otherwise each is put into the old tensor. Whatever shares numbers with the changed tensor is *stale*:
a line that reads it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from exercises.language.expression import Name
from exercises.language.reading.scope import Scope
from exercises.language.reading.session import Session
from exercises.language.reading.values import Instance, Results, Stale, Traced

Index = int | slice


@dataclass(frozen=True)
class Holder:
    """The name that a write goes to, and where it stands."""

    name: str
    scope: Scope

    @property
    def spelled(self) -> str:
        """The name of the step that the write makes."""
        return self.scope.spelled(self.name)


@dataclass(frozen=True)
class Slot:
    """A part that is written: its first place along a dimension. A row was chosen by one number."""

    start: int
    part: Traced
    is_row: bool

    def places(self, dim: int) -> range:
        """Return the places that the part takes."""
        return range(self.start, self.start + (1 if self.is_row else self.part.value.shape[dim]))


@dataclass(eq=False)
class Filling:
    """A tensor of which parts along ``dim`` are set, by their first place."""

    name: str
    base: Traced
    dim: int
    slots: dict[int, Slot] = field(default_factory=dict)

    def piece(self, index: Any) -> Traced | None:
        """Return the part that an index reads alone, so that a recurrence reads what it wrote."""
        place = _one_dim(index, self.base.value.dim())
        if place is None or place[0] != self.dim or not isinstance(place[1], int):
            return None
        slot = self.slots.get(place[1] % self.base.value.shape[self.dim])
        return slot.part if slot and slot.is_row else None

    def is_full(self) -> bool:
        """Whether the parts fill the dimension without a gap."""
        place = 0
        while place in self.slots:
            place = self.slots[place].places(self.dim).stop
        return place == self.base.value.shape[self.dim] and place > 0


def settled(session: Session, filling: Filling, scope: Scope) -> Traced:
    """Return the tensor with all parts set, as a step, and let the name stand for it."""
    full = filling.is_full()
    if full:
        base = filling.base.expression
        if isinstance(base, Name) and _is_frozen_step(session, base.name) and not session.is_read(base.name):
            session.forget(base.name)
        value = _joined(session, filling)
    else:
        value = filling.base
        for start, slot in sorted(filling.slots.items()):
            index: Index = start if slot.is_row else slice(start, slot.places(filling.dim).stop)
            value = _scattered(session, value, filling.dim, index, slot.part)
    step = session.step(filling.name, value)
    holder: Scope | None = scope
    while holder is not None and filling not in holder.names.values():
        holder = holder.parent
    for name, each in list((holder or scope).names.items()):
        if each is filling:
            (holder or scope).set(name, step)
    return step


def _joined(session: Session, filling: Filling) -> Traced:
    slots = [filling.slots[start] for start in sorted(filling.slots)]
    if all(slot.is_row for slot in slots):
        joined: Traced = session.operation("stack", tuple(slot.part for slot in slots), filling.dim)
        return joined
    whole = tuple(
        session.operation("unsqueeze", slot.part, filling.dim) if slot.is_row else slot.part for slot in slots
    )
    return session.operation("cat", whole, filling.dim)  # type: ignore[no-any-return]


def write(session: Session, holder: Holder, base: Traced | Filling, index: Any, value: Any) -> Any:
    """Return what stands for a name after ``name[index] = value``."""
    tensor = base.base if isinstance(base, Filling) else base
    _refuse_parameter(session, tensor, f"{holder.name}[…] = …")
    session.note(
        f"{holder.name}[…] = … changes a tensor in place; it is read as a new tensor, made by torch.stack or torch.cat"
    )
    place = _one_dim(index, tensor.value.dim())
    if place is None or (isinstance(place[1], slice) and (place[1].step or 1) != 1):
        current = settled(session, base, holder.scope) if isinstance(base, Filling) else base
        make_stale(session, current, holder)
        return session.step(holder.spelled, _general(session, current, index, value))
    dim, where = place
    bounds = range(tensor.value.shape[dim])[where]
    part = _fitted(session, value, tensor.value[_at(dim, where)])
    start = bounds if isinstance(bounds, int) else bounds.start
    part = session.step(holder.spelled if holder.scope.turns else f"{holder.spelled}_{start}", part)
    slot = Slot(start, part, isinstance(where, int))
    filling = _filling_for(session, holder, base, dim, slot)
    filling.slots[start] = slot
    return filling


def _filling_for(session: Session, holder: Holder, base: Traced | Filling, dim: int, slot: Slot) -> Filling:
    """Return the filling that takes a part: the one that is open, unless the part lies across parts of it."""
    if isinstance(base, Filling):
        old = base.slots.get(slot.start)
        is_same = old is not None and old.is_row and slot.is_row
        covered = {place for each in base.slots.values() for place in each.places(base.dim)}
        if base.dim == dim and (is_same or not covered & {*slot.places(dim)}):
            return base
        base = settled(session, base, holder.scope)
    make_stale(session, base, holder)
    return Filling(holder.name, base, dim)


def _one_dim(index: Any, dims: int) -> tuple[int, Index] | None:
    """Return the dimension and place of an index that takes all of the other dimensions; None for any other."""
    entries = list(index) if isinstance(index, tuple) else [index]
    if not all(isinstance(each, slice) or each is ... or (isinstance(each, int) and not isinstance(each, bool))
               for each in entries):  # fmt: skip
        return None
    if ... in entries:
        at = entries.index(...)
        entries[at : at + 1] = [slice(None)] * (dims - len(entries) + 1)
    chosen = [(dim, each) for dim, each in enumerate(entries) if each != slice(None)]
    if not all(isinstance(bound, int | None) for _, each in chosen if isinstance(each, slice)
               for bound in (each.start, each.stop, each.step)):  # fmt: skip
        return None
    if not chosen and dims:
        return (0, slice(None))
    return chosen[0] if len(chosen) == 1 else None


def _at(dim: int, where: Index) -> tuple[Any, ...]:
    return (*[slice(None)] * dim, where)


def _fitted(session: Session, value: Any, place: Tensor) -> Traced:
    """Return what is written in the shape and dtype of the place."""
    if isinstance(value, Results) or (not isinstance(value, Traced | int | float)):
        raise session.refused("what is written is no tensor", "Write a tensor or a number.")
    if not isinstance(value, Traced):
        number = float(value) if place.dtype.is_floating_point else value
        fitted: Traced = session.operation("full", tuple(place.shape), number)
        return fitted
    if value.value.dtype != place.dtype:
        if value.value.is_floating_point() or not place.is_floating_point():
            raise session.refused(f"{place.dtype} numbers are written over by others", "Make both of one dtype.")
        value = session.operation("float", value)
    if value.value.shape != place.shape:
        value = session.operation("expand", value, *place.shape)
    result: Traced = value
    return result


def _scattered(session: Session, base: Traced, dim: int, where: Index, part: Traced) -> Traced:
    result: Traced
    if isinstance(where, int):
        result = session.operation("select_scatter", base, part, dim, where)
    else:
        bounds = range(base.value.shape[dim])[where]
        stop = min(bounds.stop, base.value.shape[dim])
        result = session.operation("slice_scatter", base, part, dim, bounds.start, stop, bounds.step)
    return result


def _general(session: Session, base: Traced, index: Any, value: Any) -> Traced:
    """Return a tensor with a part set that lies in several dimensions, or where a tensor says."""
    entries = list(index) if isinstance(index, tuple) else [index]
    if len(entries) == 1 and isinstance(entries[0], Traced) and entries[0].value.dtype == torch.bool:
        return _masked(session, base, entries[0], value)
    if all(isinstance(each, int | slice) or each is ... for each in entries):
        if ... in entries:
            at = entries.index(...)
            entries[at : at + 1] = [slice(None)] * (base.value.dim() - len(entries) + 1)
        return _nested(session, base, 0, entries, value)
    if all(isinstance(each, Traced | range | tuple | list | int) for each in entries):
        places = tuple(
            each
            if isinstance(each, Traced)
            else session.operation("tensor", each if isinstance(each, int) else tuple(each))
            for each in entries
        )
        part = _fitted(session, value, base.value[tuple(each.value for each in places)])
        result: Traced = session.operation("index_put", base, places, part)
        return result
    raise session.refused("this write in place is not read", "Write the new tensor with torch.where or torch.cat.")


def _masked(session: Session, base: Traced, mask: Traced, value: Any) -> Traced:
    is_number = not isinstance(value, Traced)
    if mask.value.dim() != base.value.dim() or not (is_number or value.value.dim() == 0):
        raise session.refused(
            "a boolean mask takes a number of values that depends on the seed",
            "Write torch.where(mask, new, old) with tensors of one shape.",
        )
    name = "masked_fill" if is_number else "where"
    result: Traced = session.operation(name, *((base, mask, value) if is_number else (mask, value, base)))
    return result


def _nested(session: Session, base: Traced, dim: int, entries: list[Index], value: Any) -> Traced:
    """Return a tensor with the part at ``entries`` set, one dimension after the other."""
    while entries and entries[0] == slice(None):
        entries, dim = entries[1:], dim + 1
    if not entries:
        return _fitted(session, value, base.value)
    where, *rest = entries
    inner: Traced = session.operation("index", base, _at(dim, where))
    after = dim if isinstance(where, int) else dim + 1
    part = _nested(session, inner, after, rest, value)
    return _scattered(session, base, dim, where, _fitted(session, part, inner.value))


def _is_frozen_step(session: Session, name: str) -> bool:
    return any(line.name == name and line.frozen for line in session.lines)


def _refuse_parameter(session: Session, tensor: Traced, written: str) -> None:
    is_leaf = isinstance(tensor.expression, Name) and tensor.value.is_leaf and tensor.value.requires_grad
    if is_leaf and not session.no_grad:
        raise session.refused(f"{written} changes a parameter in place", "Write a new name for the new tensor.")
    if is_leaf:
        raise session.refused(
            f"{written} changes a parameter under no_grad", "Leave the update out: an exercise is one pass."
        )


def changed(session: Session, holder: Holder, base: Traced, compute: Callable[[], Traced], text: str) -> Traced:
    """Return the step that stands for a name after a method such as ``masked_fill_``, or ``x += y``."""
    _refuse_parameter(session, base, text)
    result = compute()
    if result.value.shape != base.value.shape:
        raise session.refused(
            f"{text} would change the shape of {holder.name}", f"Write {holder.name} = … with a new tensor."
        )
    make_stale(session, base, holder)
    return session.step(holder.spelled, result)


def make_stale(session: Session, changed_tensor: Traced, holder: Holder | None = None) -> None:
    """Mark each other name of the same numbers, views included: they were changed too."""
    marker = _Marker(changed_tensor.value.untyped_storage().data_ptr(), Stale(session.line))
    for scope in session.scopes:
        for name, value in list(scope.names.items()):
            if holder is None or name != holder.name or scope is not holder.scope:
                scope.names[name] = marker.marked(value)


class _Marker:
    """Puts a mark in place of each tensor of one storage, in lists and objects too."""

    def __init__(self, storage: int, stale: Stale) -> None:
        self._storage, self._stale = storage, stale
        self._seen: set[int] = set()

    def marked(self, value: Any) -> Any:
        """Return a value with the mark in place of the tensors in it."""
        if isinstance(value, Traced):
            return self._stale if value.value.untyped_storage().data_ptr() == self._storage else value
        if type(value) is tuple:
            return tuple(self.marked(each) for each in value)
        if isinstance(value, list | dict | Instance) and id(value) not in self._seen:
            self._seen.add(id(value))
            if isinstance(value, list):
                value[:] = [self.marked(each) for each in value]
            else:
                holder = value if isinstance(value, dict) else value.attributes
                for key in list(holder):
                    holder[key] = self.marked(holder[key])
        return value
