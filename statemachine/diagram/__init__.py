"""Pictures of a machine, drawn from its code, so that they cannot be out of date."""

from statemachine.diagram.machine import Move, Node, Picture, UnknownState, picture_of
from statemachine.diagram.svg import svg
from statemachine.diagram.text import dot, markdown, mermaid

__all__ = ["Move", "Node", "Picture", "UnknownState", "dot", "markdown", "mermaid", "picture_of", "svg"]
