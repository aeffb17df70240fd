"""What is wrong with how a page looks: to axe, and to who has a narrow window."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

TELEPHONE = ViewportSize(width=390, height=900)
# The theme and the window, each once: what is wrong in one look only is wrong with its colours or its width.
LOOKS: list[tuple[Literal["light", "dark"], ViewportSize]] = [
    ("light", ViewportSize(width=1280, height=900)),
    ("dark", TELEPHONE),
]
# What axe asks of a page that it has seen in another look; all else does not depend on colours and width.
BY_LOOK = ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable", "aria-hidden-focus"]

# The contrast of each text is by far what takes longest. Text of the same colours and size, on the same ground, has the
# same contrast; so axe is shown some of each, and nothing of what it was able to judge before.
AXE = f"""{Axe().axe_script}
axe.configure({{rules: [{{id: "color-contrast", selector: "[data-text]"}}]}});"""
LOOK = """async ({rules, judged, within}) => {
    const enough = 3, texts = new Map(), grounds = new Map([[null, ""]]), before = new Set(judged);
    const ground = (each) => {
        if (!grounds.has(each)) {
            const style = getComputedStyle(each);
            const own = [style.backgroundColor, style.backgroundImage, style.opacity, style.position].join(" ");
            const isClear = own === "rgba(0, 0, 0, 0) none 1 static";
            grounds.set(each, isClear ? ground(each.parentElement) : `${own} on ${ground(each.parentElement)}`);
        }
        return grounds.get(each);
    };
    const says = (each) => each.matches("input, select, textarea")
        || [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim().length > 1);
    for (const each of document.body.querySelectorAll("*")) {
        each.removeAttribute("data-text");
        if (!says(each) || !each.checkVisibility() || each.closest(".visually-hidden")) continue;
        const style = getComputedStyle(each), isOff = Boolean(each.closest(":disabled, [aria-disabled=true]"));
        const text = [style.color, style.fontSize, style.fontWeight, style.textShadow, isOff, ground(each)].join("; ");
        if (!texts.has(text)) texts.set(text, []);
        if (!before.has(text) && texts.get(text).push(each) <= enough) each.setAttribute("data-text", "");
    }
    const answer = await axe.run(within ?? document, {
        ...(rules && { runOnly: rules }),
        // WCAG 2.2 AA asks for targets that a finger can hit; axe leaves it out unless it is told.
        rules: { "target-size": { enabled: true } },
        // Of what it does not object to it would tell as much, which takes longer than to look.
        resultTypes: ["violations", "incomplete"],
        selectors: false,
        elementRef: true,
        // What it would fetch before it looks is for sound, and for a rule that it does not apply.
        preload: false,
    });
    const unclear = new Set(answer.incomplete.filter((rule) => rule.id === "color-contrast")
        .flatMap((rule) => rule.nodes.map((node) => node.element)));
    const isJudged = (shown) => shown.slice(0, enough).some((each) => !unclear.has(each));
    return {
        faults: answer.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}`)),
        judged: [...texts].filter(([text, shown]) => isJudged(shown)).map(([text]) => text),
    };
}"""
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

# How a page is made: its elements with all that axe goes by, but for what they say and how often the like of them follows.
# Colours and sizes follow from it, since no page has a style of its own.
MADE = """() => {
    const told = new Set(["class", "role", "type", "tabindex", "aria-hidden", "aria-current", "aria-expanded", "aria-live"]);
    const refers = new Set(["for", "aria-labelledby", "aria-describedby", "aria-controls"]);
    const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
    const isTwice = (id) => ids.indexOf(id) !== ids.lastIndexOf(id);
    const gist = ({ name, value }) => told.has(name) ? value
        : refers.has(name) ? value.split(" ").every((id) => ids.includes(id))
        : name === "id" ? isTwice(value) : Boolean(value.trim());
    const own = (each) => [...each.attributes].map((has) => `${has.name}=${gist(has)}`).sort();
    const says = (each) => [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const isSeen = (each) => !["SCRIPT", "STYLE"].includes(each.tagName);
    const made = (each) => `${each.tagName} ${own(each)} ${says(each)} (${
        [...new Set([...each.children].filter(isSeen).map(made))]})`;
    return made(document.documentElement);
}"""

# A change of the theme would be drawn over some frames, each of them anew; so would what is unfolded. A page's policy forbids
# no sheet that a script makes.
BE_STILL = """() => {
    const still = new CSSStyleSheet();
    still.replaceSync("*, ::before, ::after { transition: none !important }");
    document.adoptedStyleSheets.push(still);
}"""
MOVE = "() => { document.adoptedStyleSheets.pop(); }"
# But for what would lie over the rest.
UNFOLD = "() => { const shut = [...document.querySelectorAll('details:not([open], [data-closes])')]; for (const each of shut) each.open = true; return shut; }"
FOLD = "(shut) => shut.forEach((each) => { each.open = false; })"


@dataclass
class Known:
    """What need not be judged again.

    Attributes:
        judged: the texts whose contrast is known, by their colours, size and ground.
        made: the pages that were looked at, by how they are made.
    """

    judged: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)


@dataclass
class Eyes:
    """Who looks at page after page in one window."""

    page: Page
    known: Known = field(default_factory=Known)

    def faults_in_each_look(self) -> list[str]:
        """What axe objects to and what stands out sideways, with everything that is folded open.

        It is folded again, and the window as wide as before; the theme stays the last one. Of a page that is made like one
        before only the width is looked at, for that is all that its words can change.
        """
        before, found = self.page.viewport_size, []
        self.page.wait_for_load_state()
        looks = list(zip(LOOKS, [None, BY_LOOK], strict=True)) if self._is_new() else [(LOOKS[-1], [])]
        self.page.evaluate(BE_STILL)
        for (theme, size), rules in looks:
            self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            self.page.set_viewport_size(size)
            found += [f"{theme}, {size['width']}: {fault}" for fault in self._unfolded(rules)]
        if before and before != size:
            self.page.set_viewport_size(before)
        self.page.evaluate(MOVE)
        return found

    def faults_within(self, selector: str) -> list[str]:
        """What axe objects to in this part of the page, as it stands now."""
        return self._objections(None, within=selector)

    def _is_new(self) -> bool:
        made = self.page.evaluate(MADE)
        is_new = made not in self.known.made
        self.known.made.add(made)
        return is_new

    def _unfolded(self, rules: list[str] | None) -> list[str]:
        shut = self.page.evaluate_handle(UNFOLD)
        found = [*(self._objections(rules) if rules != [] else []), *out_of_reach(self.page)]
        shut.evaluate(FOLD)
        return found

    def _objections(self, rules: list[str] | None, *, within: str | None = None) -> list[str]:
        if not self.page.evaluate("typeof axe === 'object'"):  # which a page keeps until it is left
            self.page.evaluate(AXE)
        answer: dict[str, list[str]] = self.page.evaluate(
            LOOK, {"rules": rules, "judged": [*self.known.judged], "within": within}
        )
        self.known.judged.update(answer["judged"])
        return answer["faults"]


def out_of_reach(page: Page) -> Iterator[str]:
    """What stands out sideways."""
    page.wait_for_load_state()
    width, needed = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
    if needed > width:
        yield f"stands out sideways: {needed} of {width} pixels"
    yield from (f"out of reach: {html}" for html in page.evaluate(OUT_OF_REACH))
