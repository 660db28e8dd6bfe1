"""What a copy is asked for."""

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.starter.answers import Answers, ask, name_from

GUID = "0A0A0A0A-1111-4111-8111-0123456789AB"


def test_answers_are_validated_together() -> None:
    """One message has every problem."""
    given = {"name": "Contoso", "tenant": "contoso.example", "audience": "0" * 36, "provider": "ldap"}
    with pytest.raises(CannotRun) as raised:
        Answers.read(given)
    lines = str(raised.value).splitlines()
    assert [line.split()[0] for line in lines] == ["--name", "--tenant", "--audience", "--provider"]


@pytest.mark.parametrize(
    "name", ["", "ab", "-abc", "abc-", "a--b", "9abc", "a" * 41, "a_b", "a.b", "graph", "profile-api"]
)
def test_name_becomes_a_module(name: str) -> None:
    """A name that is no module's, or that of a provider that is there, is refused."""
    with pytest.raises(CannotRun, match="--name"):
        Answers.read({"name": name})


def test_answers_in_every_form() -> None:
    """GUIDs are compared in lower case; module and class are named after the project."""
    answers = Answers.read({"name": "contoso-hr2", "tenant": GUID, "audience": None})
    assert answers.tenant == GUID.lower()
    assert (answers.module, answers.class_prefix, answers.audience) == ("contoso_hr2", "ContosoHr2", "")
    assert Answers.read(answers.as_json()) == answers


def test_questions_are_asked_until_the_answer_is_valid() -> None:
    """A flag is not asked for; an empty line takes the default; an invalid answer is asked for again."""
    lines = iter(["Contoso", "contoso", "", "graph"])
    prompts: list[str] = []

    def read_line(prompt: str) -> str:
        prompts.append(prompt)
        return next(lines)

    given = {"name": None, "tenant": GUID, "audience": None, "provider": None}
    answers = Answers.read(ask(given, Answers(name="here"), read_line))
    assert (answers.name, answers.audience, answers.provider) == ("contoso", "", "graph")
    assert len(prompts) == 4
    assert "got 'Contoso'" in prompts[1]


def test_folder_names_the_project() -> None:
    """Whatever a folder is called, its name is turned into one that may be valid."""
    assert name_from("Contoso_HR (2)") == "contoso-hr-2"
