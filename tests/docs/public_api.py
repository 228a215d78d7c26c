"""What `docs/reference/python.md` says of the public API, as the code has it."""

import inspect

from wagtail_member_reset import exceptions, mailings, personal_data, resets

MODULES = {"resets": resets, "mailings": mailings, "personal_data": personal_data}
# Of the last, the rest is for this package.
NAMES = {"resets": resets.__all__, "mailings": mailings.__all__, "personal_data": ["erase", "export"]}


def rows(name):
    """The rows of a table of the page."""
    if name == "errors":
        return [f"| `{error.__name__}` | {first_paragraph(error)} |" for error in errors()]
    module = MODULES[name]
    return [
        f"| `{call(public, getattr(module, public))}` | {first_paragraph(getattr(module, public))} |"
        for public in sorted(NAMES[name], key=str.lower)
    ]


def errors():
    found = [
        each for each in vars(exceptions).values() if inspect.isclass(each) and each.__module__ == exceptions.__name__
    ]
    return [each for each in found if issubclass(each, exceptions.MemberResetError)]


def call(name, item):
    """The call as one writes it: names, and which of them may be left out."""
    if inspect.isclass(item):
        return name
    said, has_star = [], False
    for parameter in inspect.signature(item).parameters.values():
        if parameter.kind == parameter.VAR_KEYWORD:
            said.append(f"**{parameter.name}")
            continue
        if parameter.kind == parameter.KEYWORD_ONLY and not has_star:
            said.append("*")
            has_star = True
        said.append(parameter.name if parameter.default is parameter.empty else f"{parameter.name}=…")
    return f"{name}({', '.join(said)})"


def first_paragraph(item):
    return " ".join(inspect.getdoc(item).split("\n\n")[0].split())
