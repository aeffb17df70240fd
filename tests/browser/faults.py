"""What is wrong with how a page looks: to axe, and to who has a narrow window."""

from collections.abc import Iterator
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe().axe_script
# Its whole answer is long, and takes its time from the browser to here.
LOOK = "(options) => axe.run(options).then((answer) => answer.violations)"
# WCAG 2.2 AA asks for targets that a finger can hit; axe leaves it out unless it is told.
# Of what it does not object to it would tell as much, which takes longer than to look.
# What it would fetch before it looks is for sound, and for a rule that it does not apply.
OPTIONS = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"], "preload": False}
# Whatever can be pressed, and does not lie in the window's width, nor in a part that scrolls by itself.
OUT_OF_REACH = """() => {
    const scrolls = (each) => each && each !== document.body && each !== document.documentElement
        && (["auto", "scroll"].includes(getComputedStyle(each).overflowX) || scrolls(each.parentElement));
    const reached = "a[href], button, input:not([type=hidden]), select, textarea, summary";
    return [...document.querySelectorAll(reached)].filter((each) => each.checkVisibility({ visibilityProperty: true }))
        .filter((each) => !each.closest(".visually-hidden, .skip-to-content-link") && !scrolls(each.parentElement))
        .filter((each) => { const box = each.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth + 1; })
        .map((each) => each.outerHTML.slice(0, 200));
}"""

# A change of the theme is drawn over some frames, of what was folded as soon as it is unfolded.
SETTLED = """() => Promise.allSettled(
    document.getAnimations().filter((each) => each instanceof CSSTransition).map((each) => each.finished))"""
UNFOLD = "() => { const shut = [...document.querySelectorAll('details:not([open])')]; for (const each of shut) each.open = true; return shut; }"
FOLD = "(shut) => shut.forEach((each) => { each.open = false; })"


def faults(page: Page) -> list[str]:
    """What axe objects to and what stands out sideways, with everything that is folded open; it is folded again."""
    page.wait_for_load_state()
    shut = page.evaluate_handle(UNFOLD)
    page.evaluate(SETTLED)
    found = list(_faults(page))
    shut.evaluate(FOLD)
    return found


def _faults(page: Page) -> Iterator[str]:
    if not page.evaluate("typeof axe === 'object'"):  # which a page keeps until it is left
        page.evaluate(AXE)
    violations: list[dict[str, Any]] = page.evaluate(LOOK, OPTIONS)
    for each in violations:
        yield from (f"{each['id']}: {node['html']}" for node in each["nodes"])
    width, needed = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
    if needed > width:
        yield f"stands out sideways: {needed} of {width} pixels"
    yield from (f"out of reach: {html}" for html in page.evaluate(OUT_OF_REACH))
