"""The check that a text from outside is an absolute IRI."""

import pytest

from kg.store.iris import absolute_iri


@pytest.mark.parametrize("text", ["http://x.org/é?q=1#x", "urn:x:y", "mailto:", "a+b.c-d:%20"])
def test_an_absolute_iri_passes(text: str) -> None:
    assert absolute_iri(text)


@pytest.mark.parametrize("character", [*'<>"{}|^`\\ \n\r\t', "\x00", "\x1f"])
def test_a_character_that_iriref_excludes_is_refused_wherever_it_stands(character: str) -> None:
    places = [f"{character}http://x/y", f"http://x/{character}y", f"http://x/y{character}"]
    assert not any(absolute_iri(text) for text in places)


@pytest.mark.parametrize("text", ["", "x", "/x", "//x/y", "1a:b", ":x"])
def test_a_text_without_a_scheme_is_refused(text: str) -> None:
    assert not absolute_iri(text)
