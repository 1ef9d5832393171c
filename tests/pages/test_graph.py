"""The drawing of an exercise's computation graph."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from exercises.registry import find
from server.pages import graph, layered
from server.submissions.schemas import ComparisonBody
from tests.support.networks import network
from tests.support.servers import FULL

STEPS = 300


def row(name: str, verdict: str, origin: str | None = None, hints: list[str] | None = None) -> ComparisonBody:
    passed = verdict == "exact"
    diagnosis = [{"code": "missing_term", "message": "", "hints": hints}] if hints else []
    return ComparisonBody.model_validate(
        {
            "name": name,
            "verdict": verdict,
            "exact": passed,
            "approximate": passed,
            "maxdiff": 0.0,
            "ulps": 0,
            "mismatched": 0,
            "worst": None,
            "origin": origin,
            "inherits_constant": False,
            "notes": [],
            "diagnosis": diagnosis,
        }
    )


def overlaps(placed: layered.Placed, widths: Mapping[str, float]) -> list[tuple[str, str]]:
    rows: dict[int, list[str]] = {}
    for name, rank in placed.rank.items():
        rows.setdefault(rank, []).append(name)
    found = []
    for names in rows.values():
        names.sort(key=lambda name: placed.x[name])
        for left, right in itertools.pairwise(names):
            if placed.x[left] + widths[left] / 2 > placed.x[right] - widths[right] / 2:
                found.append((left, right))
    return found


def test_the_loss_stands_on_top_and_every_tensor_below_what_uses_it() -> None:
    layout = graph.layout_of(find(FULL))
    rank = {node.name: node.rank for node in layout.nodes}

    assert [name for name, at in rank.items() if at == 0] == ["loss"]
    assert all(rank[edge.lower] > rank[edge.upper] for edge in layout.edges)
    assert {node.name for node in layout.nodes if not node.is_step} == {"loss", "Xb"}
    assert next(node for node in layout.nodes if node.name == "bndiff").used_by == ("bndiff2", "bnraw")


def test_a_graph_that_is_too_tall_for_its_pane_zooms() -> None:
    lines = ["y0 = x + 1.0", *(f"y{i} = y{i - 1} + 1.0" for i in range(1, 32)), "loss = (y31 * y31).sum()"]
    chain = network("x = param(3)", "\n".join(lines), "")

    assert graph.layout_of(chain).is_large
    assert not graph.layout_of(find(FULL)).is_large


def test_three_hundred_steps_stand_side_by_side_without_overlap() -> None:
    edges = [(f"s{i}", f"s{i + hop}") for i in range(STEPS) for hop in (1, 7, 12) if i + hop < STEPS]
    widths = {f"s{i}": 40.0 + i % 50 for i in range(STEPS)}

    placed = layered.place(widths, edges)

    assert overlaps(placed, widths) == []
    assert all(len(placed.bends[upper, lower]) == placed.rank[lower] - placed.rank[upper] - 1 for upper, lower in edges)


def test_edges_that_need_not_cross_do_not() -> None:
    widths = dict.fromkeys(("top", "a", "b", "c", "x", "y", "z"), 30.0)
    edges = [("top", "c"), ("top", "b"), ("top", "a"), ("a", "x"), ("b", "y"), ("c", "z")]

    placed = layered.place(widths, edges)

    uppers = sorted("abc", key=lambda name: placed.x[name])
    below = {"a": "x", "b": "y", "c": "z"}
    assert [below[name] for name in uppers] == sorted("xyz", key=lambda name: placed.x[name])


def test_a_path_left_out_is_lost_only_where_a_hint_shows_its_line() -> None:
    exercise = find(FULL)
    told = ["It is used twice.", "Look at the line bndiff2 = bndiff**2."]

    def lost(hints: list[str]) -> list[tuple[str, str]]:
        shown = graph.by_verdicts(exercise, {"bndiff": row("bndiff", "wrong", "own", hints)}, exercise.lines)
        return [(each.edge.lower, each.edge.upper) for each in shown.edges if each.state == "lost"]

    assert lost(told) == [("bndiff", "bndiff2")]
    assert lost(told[:1]) == []


def test_edges_follow_the_verdicts_at_their_ends() -> None:
    rows = {
        "bndiff": row("bndiff", "wrong", "own"),
        "hprebn": row("hprebn", "wrong", "inherited"),
        "W1": row("W1", "exact"),
    }

    shown = graph.by_verdicts(find(FULL), rows, find(FULL).lines)

    state = {(each.edge.lower, each.edge.upper): each.state for each in shown.edges}
    assert state["hprebn", "bndiff"] == "inherited"
    assert state["W1", "hprebn"] == ""
    assert state["C", "emb"] == "missing"


def test_rates_choose_one_of_five_colours_and_are_said() -> None:
    shown = graph.by_rates(find(FULL), {"logprobs": 12, "probs": 100}, "right at the first attempt")

    nodes = {each.node.name: each for each in shown.nodes}
    assert (nodes["logprobs"].classes, nodes["probs"].classes) == ("h0", "h4")
    assert nodes["logprobs"].label == "12 logprobs, percent right at the first attempt"
    assert nodes["C"].label == "C, nothing yet"
