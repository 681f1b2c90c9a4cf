"""What `tastemaker video` shows a person: nine numbered lines, each with where it comes from."""

from __future__ import annotations

from tastemaker.commands.terminal import plain, screen
from tastemaker.counts import counted
from tastemaker.files import JsonObject

_UNITS = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_SIZES = ((1e9, "B"), (1e6, "M"), (1e3, "k"))


def show_fit(results: JsonObject) -> None:
    """What was fitted, how it agrees with runs that it has not seen, and where it is."""
    out = screen()
    many = counted(results["points"], "run")
    out.print(plain(f"{results['form']}, fitted to {many}", "bold"))
    for name, found in results["checks"].items():
        r2 = "" if found["r2"] is None else f", R² {found['r2']:.3f}"
        told = f"{name}: off by {_off(found)}{r2}, {counted(found['points'], 'run')}"
        out.print(plain(told))
    for note in results["notes"]:
        out.print(plain(note))
    out.print(plain(results["fit"]), soft_wrap=True)


def show_sweep(results: JsonObject) -> None:
    """How many runs there are, how good the frame encoder is, and what fits them."""
    out = screen()
    encoder = f"the frame encoder tells {results['encoder']:.0%} of places"
    out.print(plain(f"{counted(results['runs'], 'run')}; {encoder}", "bold"))
    out.print(plain(results["points"]), soft_wrap=True)
    out.print(plain(results["fit"]), soft_wrap=True)


def show_plot(results: JsonObject) -> None:
    """Where the page is."""
    screen().print(plain(results["page"]), soft_wrap=True)


def show_plan(results: JsonObject) -> None:
    """The nine lines."""
    out = screen()
    budget, n = scaled(results["flops"]), f"{results['examples']:,.0f}"
    out.print(plain(f"{budget}FLOPs a video, {n} fine-tuning examples", "bold"))
    lines = {
        "best": _best(results["best"]),
        "runners_up": _runners(results["runners_up"]),
        "gain": _gain(results["gain"]),
        "marginal": _marginal(results["marginal"]),
        "next": _next(results["next"]),
        "lm_only": _lm_only(results["lm_only"]),
        "tasks": _tasks(results["tasks"]),
        "break_even": _break_even(results["break_even"]),
        "warnings": _warnings(results["warnings"]),
    }
    for number, (name, line) in enumerate(lines.items(), 1):
        told = plain(f"{number}. {line} ")
        told.append(f"[{results[name]['source']}]", "dim")
        out.print(told)


def scaled(value: float, units: tuple[tuple[float, str], ...] = _UNITS) -> str:
    """A number in a unit in which it is short: `14.1 T`."""
    for size, unit in units:
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g} "


def _x(sizes: JsonObject) -> str:
    model = scaled(sizes["parameters"], _SIZES).replace(" ", "")
    frames, tokens = (
        f"{sizes[name]:.4g} {name if sizes[name] != 1 else name[:-1]}"
        for name in ("frames", "tokens")
    )
    return f"{model} model, {frames} of {tokens}"


def _error(one: JsonObject) -> str:
    low, high = one["interval90"]
    return f"error {one['error']:.4f} ({low:.4f} to {high:.4f})"


def _change(one: JsonObject) -> str:
    low, high = one["interval90"]
    return f"{one['median']:+.4f} ({low:+.4f} to {high:+.4f})"


def _best(line: JsonObject) -> str:
    share = f"{100 * line['vision_share']:.0f} % of it to see"
    cost = f"{scaled(line['flops'])}FLOPs, {share}, {line['context']:,.0f} tokens of context"
    return f"Best: {_x(line)}: {_error(line)}; {cost}; best in {100 * line['chance']:.0f} %"


def _runners(line: JsonObject) -> str:
    rows = [
        f"{_x(row)} at {scaled(row['flops'])}FLOPs, {_error(row)}, best in {row['chance']:.0%}"
        for row in line["rows"]
    ]
    more = f"; and {line['more']} more" if line["more"] else ""
    return (
        f"As good, the cheapest first: {'; '.join(rows)}{more}" if rows else "No other is as good"
    )


def _gain(line: JsonObject) -> str:
    against = f"against {line['naive']} ({_x(line)})"
    median = f"against the median of what is paid for {_change(line['gain_over_median'])}"
    return f"Error spared {against}: {_change(line['gain'])}; {median}"


def _marginal(line: JsonObject) -> str:
    told = []
    for name, row in line["rows"].items():
        marks = [
            word
            for word, yes in (
                ("not measured", not row["known"]),
                ("saturated", row["known"] and row["saturated"]),
                ("at the end of the grid", row["edge"]),
            )
            if yes
        ]
        told.append(f"{name} {_change(row)}" + (f" [{', '.join(marks)}]" if marks else ""))
    return f"10 % more FLOPs on each: {'; '.join(told)}; wants {line['wants']}"


def _next(line: JsonObject) -> str:
    more, learned = line["budget_doubles"], line["examples_double"]
    moved = []
    for name, one in line["elasticities"].items():
        ends = one.get("interval90")
        span = f" ({ends[0]:+.2f} to {ends[1]:+.2f})" if ends else ""
        moved.append(f"{name} {one['median']:+.2f}{span}")
    return (
        f"Twice the budget: {_x(more)}, {_error(more)}{_outside(more)}. Twice the examples: "
        f"{_x(learned)}, error {learned['error']:.4f}{_outside(learned)}; "
        f"1 % more examples, % more of {', '.join(moved)}"
    )


def _outside(one: JsonObject) -> str:
    """By how many times each factor lies beyond what was measured, where one does."""
    told = ", ".join(f"{name} by {times:.3g} ×" for name, times in one["beyond"].items())
    return f" (outside what was measured: {told})" if told else ""


def _lm_only(line: JsonObject) -> str:
    if line["same"]:
        return "Counting the language model alone would choose the same"
    times = f"{line['over_budget']:.2f} × the budget"
    really = f"which really costs {scaled(line['flops'])}FLOPs, {times}"
    return f"Counting the language model alone would choose {_x(line)}, {really}"


def _tasks(line: JsonObject) -> str:
    told = ", ".join(f"{name} wants {row['wants']}" for name, row in line["rows"].items())
    return f"By task: {told}"


def _break_even(line: JsonObject) -> str:
    told = f"After {line['videos']:,.0f} videos watching has cost more than fine-tuning did"
    if line["monthly_over_tuning"] is not None:
        told += f"; a month of them costs {line['monthly_over_tuning']:.3g} × as much"
    return told


def _off(found: JsonObject) -> str:
    """How far a fit is off; none where its predictions are no numbers."""
    return "no finite number" if found["percent"] is None else f"{found['percent']:.2f} %"


def _warnings(line: JsonObject) -> str:
    told = [
        f"{name} lie outside what was measured by a factor of {times:.3g}"
        for name, times in line["beyond"].items()
    ]
    told += [f"{name} did not vary, so nothing is known of it" for name in line["unknown"]]
    if line["few"]:
        few = f"{counted(line['points'], 'run')} for {line['parameters']} parameters are few"
        told.append(few)
    told += line["notes"]
    checks = ", ".join(f"{name} {_off(one)}" for name, one in line["checks"].items())
    told.append(f"the fit is off by: {checks}" if checks else "the fit was not checked")
    near = [
        f"next {place} the budget: {_x(line[name])} at {scaled(line[name]['flops'])}FLOPs"
        for name, place in (("cheaper", "below"), ("dearer", "above"))
        if line[name] is not None
    ]
    return f"To know: {'; '.join([*told, *near])}"
