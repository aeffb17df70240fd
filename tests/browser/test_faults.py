"""What the tests see of a page with faults."""

from playwright.sync_api import Page

from tests.browser.faults import Eyes

PAGE = """<!doctype html><html lang="en"><head><title>A page</title><style>
    body {{ background: white; color: black }} .box {{ background: #fffffe }} {style}
</style></head><body><main><h1>A page</h1>{content}</main></body></html>"""


def seen(eyes: Eyes, *, content: str, style: str = "") -> list[str]:
    eyes.page.goto("about:blank")
    eyes.page.set_content(PAGE.format(content=content, style=style))
    return eyes.faults_in_each_look()


class TestEyes:
    def test_see_nothing_wrong_where_nothing_is(self, page: Page) -> None:
        assert seen(Eyes(page), content="<p>Good and dark</p>") == []

    def test_see_what_is_pale_once_on_each_ground(self, page: Page) -> None:
        eyes, pale = Eyes(page), '<p class="pale">Pale</p>'
        style = ".pale { color: #bbbbbb } .paler { color: #cccccc }"

        assert len(seen(eyes, style=style, content=pale + f'<div class="box">{pale}</div>')) == 2
        assert seen(eyes, style=style, content=pale) == []
        (found,) = seen(eyes, style=style, content=f'{pale}<p class="paler">Paler</p>')
        assert found == 'light, 1280: color-contrast: <p class="paler" data-text="">Paler</p>'

    def test_see_what_only_the_dark_or_the_narrow_has(self, page: Page) -> None:
        style = """@media (prefers-color-scheme: dark) { .odd { color: #bbbbbb } }
            @media (max-width: 400px) { button { width: 500px } }"""

        found = seen(Eyes(page), style=style, content='<p class="odd">Odd</p><button>Press</button>')

        assert [each.partition(": ")[0] for each in found] == ["dark, 390"] * 3
        assert [word for each in found for word in ("color-contrast", "sideways", "out of reach") if word in each] == [
            "color-contrast", "sideways", "out of reach",
        ]  # fmt: skip

    def test_take_nothing_for_judged_that_could_not_be(self, page: Page) -> None:
        eyes = Eyes(page)
        style = "div { background-image: linear-gradient(white, black) }"

        assert seen(eyes, style=style, content="<div>On many colours</div>") == []
        assert eyes.known.judged
        assert not any("gradient" in text for text in eyes.known.judged)

    def test_see_only_what_words_can_change_where_a_page_is_made_like_one_before(self, page: Page) -> None:
        eyes = Eyes(page)
        assert seen(eyes, content='<label for="name">Name</label><input id="name"><p>Short</p>') == []

        (found,) = seen(eyes, content=f'<label for="name">Name</label><input id="name"><p>{"Long" * 99}</p>')
        assert found.startswith("dark, 390: stands out sideways")

        (found,) = seen(eyes, content='<label for="other">Name</label><input id="name"><p>Short</p>')
        assert found.startswith("light, 1280: label: <input")
