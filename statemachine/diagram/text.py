"""A machine as text: Mermaid, Graphviz, and a page of documentation."""

from collections.abc import Iterable

from statemachine.diagram.machine import Move, Node, Picture


def mermaid(picture: Picture) -> str:
    """The machine for a Markdown page; dashed lines do not exist in Mermaid, so who moves stands in brackets."""
    lines = ["stateDiagram-v2", f"    [*] --> {picture.initial}"]
    lines += [f"    {node.name} : {node.label}" for node in picture.nodes]
    lines += [f"    {source} --> {move.target} : {_caption(move)}" for move in picture.moves for source in move.sources]
    lines += ["    classDef working stroke-width:3px", "    classDef marked fill:#fde68a,stroke:#b45309"]
    lines += [f"    class {node.name} working" for node in picture.nodes if node.is_working]
    lines += [f"    class {node.name} marked" for node in picture.nodes if node.is_marked]
    return "\n".join(lines) + "\n"


def dot(picture: Picture) -> str:
    """The machine for Graphviz."""
    lines = [f"digraph {_quoted(picture.label)} {{", "    rankdir=LR;", "    node [shape=box, style=rounded];"]
    lines += ["    start [shape=point];", f"    start -> {_quoted(picture.initial)};"]
    lines += [f"    {_quoted(node.name)} [label={_quoted(node.label)}{_dot_style(node)}];" for node in picture.nodes]
    lines += [
        f"    {_quoted(source)} -> {_quoted(move.target)} [label={_quoted(move.name)}"
        f"{'' if move.button else ', style=dashed'}];"
        for move in picture.moves
        for source in move.sources
    ]
    return "\n".join([*lines, "}"]) + "\n"


def markdown(picture: Picture) -> str:
    """The page of documentation: the picture, every state, every transition."""
    states = _table(
        ("State", "Shown as", "Work owed"),
        ((f"`{node.name}`", node.label, node.work or ("yes" if node.is_working else "—")) for node in picture.nodes),
    )
    transitions = _table(
        ("Transition", "Button", "From", "To", "Taken by", "Meaning"),
        (
            (
                f"`{move.name}`",
                move.button or "—",
                ", ".join(f"`{source}`" for source in move.sources),
                f"`{move.target}`",
                move.taken_by,
                move.meaning or "—",
            )
            for move in picture.moves
        ),
    )
    return (
        f"# The states of a {picture.name}\n\n"
        f"Drawn from the code by `manage.py state_diagram {picture.label} --format markdown`; a test compares. States "
        f"with a thick border owe work. A new {picture.name} is `{picture.initial}`.\n\n"
        f"```mermaid\n{mermaid(picture)}```\n\n## States\n\n{states}\n## Transitions\n\n{transitions}"
    )


def _caption(move: Move) -> str:
    return f"{move.name} ({'operator' if move.button else 'worker'})"


def _dot_style(node: Node) -> str:
    return (", penwidth=3" if node.is_working else "") + (
        ', style="rounded,filled", fillcolor="#fde68a"' if node.is_marked else ""
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
