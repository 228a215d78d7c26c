"""The tab finds its place in any markup, and takes nothing out of it."""

from datetime import timedelta

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.utils import translation
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wagtail_member_reset.templatetags.member_reset import TEMPLATE, TabParser, in_words, settings_tab

# One piece a word; an underscore stands for a space.
PIECES = """
    <div> </div> <ul> <li> </li> </ul> <p> <br> <input/> <img/> <svg> <path/> </svg> <section> </section> <a_role="tab">
    <div_role="tablist"> <div_role='tabpanel'> <section_role="tabpanel"> <section_role=tabpanel_hidden>
    <!-- --> <!--role="tablist"--> <script> </script> <style> </style> <textarea> </textarea> <title> </title>
    <! <![ <![x[ ]]> <!DOCTYPE <? ?> </ < > & &amp; &#0; &#x110000; " ' = role="tablist" é ß
"""
PIECE = st.sampled_from([piece.replace("_", " ") for piece in PIECES.split()])
LINE_END = st.sampled_from(["\n", "\r\n", "\r", "\u2028", "\x00"])
MARKUP = st.lists(PIECE | LINE_END | st.text(max_size=6)).map("".join)


def tabs(before="", inside_list="", inside_panel="", between="", after=""):
    return (
        f'{before}<div class="w-tabs"><div role="tablist">{inside_list}<a role="tab">Account</a></div>{between}'
        f'<div class="tab-content"><section role="tabpanel">{inside_panel}</section>'
        f'<section role="tabpanel">Roles</section></div></div>{after}'
    )


def places(markup):
    found = TabParser(markup)
    if found.list_end is None or found.panels_end is None:
        return None
    return markup[: found.list_end], markup[found.list_end : found.panels_end], markup[found.panels_end :]


def insertions(is_tab):
    return (
        render_to_string("wagtail_member_reset/staff/tab_nav.html", {}) if is_tab else "",
        render_to_string(TEMPLATE, {"is_tab": is_tab}),
    )


# Any markup


@given(MARKUP)
@example("<![x[ ]]>")
@example("<![")
@example("</div>" * 5)
@settings(max_examples=400, deadline=None)
def test_no_markup_makes_the_parser_fail(markup):
    found = TabParser(markup)

    for place in (found.list_end, found.panels_end):
        assert place is None or markup[place : place + 2] == "</"


@given(st.builds(tabs, before=MARKUP, inside_list=MARKUP, inside_panel=MARKUP, between=MARKUP, after=MARKUP) | MARKUP)
@settings(max_examples=100, deadline=None)
def test_markup_stays_whole_around_what_is_inserted(markup):
    nav, panel = insertions(is_tab=True)
    _, below = insertions(is_tab=False)

    result = settings_tab(Context(), markup)

    if result != markup + below:
        first, first_found, rest = result.partition(nav)
        second, second_found, third = rest.partition(panel)
        assert (first_found, second_found) == (nav, panel)
        assert first + second + third == markup


@given(st.text(alphabet="ab\n\r\t\u2028\x0b\x0c\x85é😀&; ", max_size=40))
@settings(max_examples=100, deadline=None)
def test_text_and_line_ends_do_not_shift_the_places(text):
    markup = tabs(before=text, inside_list=text, inside_panel=text, between=text, after=text)

    first, second, third = places(markup)

    assert first.endswith('<a role="tab">Account</a>')
    assert second.endswith('<section role="tabpanel">Roles</section>')
    assert third == f"</div></div>{text}"


# Markup that sites write


@pytest.mark.parametrize(
    "noise",
    [
        "<br><hr><img src='x'><input name='y'><wbr><link><meta>",
        "<br/><img src='x' /><svg><path d='M0'/><use href='#i'/></svg>",
        "<ul><li>one<li>two</ul>",
        "<p>one<p>two",
        "<table><tr><td>one<td>two</table>",
        "<select><option>one<option>two</select>",
        "</p></li></span>",
        '<!-- <div role="tablist"></div><div role="tabpanel"></div> -->',
        '<script>let x = "<div role=tablist></div><section role=tabpanel></section>";</script>',
        "<script>if (a < b && c > d) { x = '</div' }</script>",
        "<style>a::before { content: '<div>' }</style>",
        "&lt;div role=&quot;tablist&quot;&gt;",
        '<template><div role="note"></div></template>',
        "<DIV><SPAN></SPAN></DIV>",
        "<a title=\"</div>\" data-x='</section>'>a</a>",
        "\r\n\n\r",
    ],
)
def test_places_are_found_around_other_markup(noise):
    markup = tabs(before=noise, inside_list=noise, inside_panel=noise, between=noise, after=noise)

    first, second, third = places(markup)

    assert first.endswith('<a role="tab">Account</a>')
    assert second.endswith('<section role="tabpanel">Roles</section>')
    assert third == f"</div></div>{noise}"


def test_tabs_inside_a_panel_do_not_mislead():
    markup = tabs(inside_panel=tabs())

    first, second, third = places(markup)

    assert first == '<div class="w-tabs"><div role="tablist"><a role="tab">Account</a>'
    assert second.endswith('<section role="tabpanel">Roles</section>')
    assert third == "</div></div>"


@pytest.mark.parametrize(
    "markup",
    [
        "",
        "<ul><li>No tabs</li></ul>",
        '<div role="tablist"></div>',
        '<div><section role="tabpanel"></section></div>',
        '<section role="tabpanel"></section><div role="tablist"></div>',
        '<div role="tablist"><div><section role="tabpanel"></section>',
        '<div><section role="tabpanel"></section></div><div role="tablist"></div>',
        '<!--<div role="tablist"></div><div><section role="tabpanel"></section></div>',
    ],
)
def test_panel_stands_visibly_below_where_there_is_no_place_for_it(markup):
    result = settings_tab(Context(), markup)

    added = result.removeprefix(markup)
    assert result.startswith(markup)
    assert added.count('id="member-reset"') == 1
    assert ('role="tabpanel"' in added, " hidden\n" in added.partition("data-member-reset-target")[0]) == (False, False)


def test_tag_puts_one_tab_and_one_panel_into_the_markup():
    template = Template("{% load member_reset %}{% settings_tab %}{{ markup|safe }}{% endsettings_tab %}")

    result = template.render(Context({"markup": tabs()}))

    assert result.count('id="tab-label-settings"') == 1
    assert result.count('id="tab-settings"') == 1
    assert result.index('id="tab-label-settings"') < result.index("tab-content") < result.index('id="tab-settings"')
    assert result.index("Roles</section>") < result.index('id="tab-settings"')


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        (timedelta(hours=16), "16 hours"),
        (timedelta(hours=8), "8 hours"),
        (timedelta(days=7), "1 week"),
        (timedelta(days=3), "3 days"),
        (timedelta(minutes=90), "1 hour, 30 minutes"),
        (timedelta(minutes=1), "1 minute"),
    ],
)
def test_duration_is_said_in_words(duration, said):
    assert in_words(duration).replace("\xa0", " ") == said


def test_duration_is_said_in_the_readers_language():
    with translation.override("de"):
        assert in_words(timedelta(hours=16)).replace("\xa0", " ") == "16 Stunden"
