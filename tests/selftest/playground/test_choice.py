"""The form: what is on offer is taken, everything else refused by name."""

import pytest

from selftest.playground.choice import ChoiceError, ChoiceOptions
from selftest.signin.tenant.directory import Directory


def offer(sample: Directory, *, local: bool = True) -> ChoiceOptions:
    """Return what a local app offers, or an endpoint elsewhere."""
    return ChoiceOptions(
        directory=sample,
        providers=("profile_api", "sample") if local else (),
        provider="sample" if local else None,
        on_failure="fail",
        local=local,
    )


def test_an_empty_form_is_the_first_of_everything(sample: Directory) -> None:
    """The default is a successful sign-in."""
    first = offer(sample).first()
    assert (first.person.key, first.app.key, first.api) == ("ada", "portal", None)
    assert (first.fault.id, first.provider, first.on_failure) == ("none", "sample", "fail")


def test_the_registration_of_the_endpoint_is_no_app_to_sign_in_to(sample: Directory) -> None:
    """It represents the endpoint; the API of the sample can be the target of an access token."""
    given = offer(sample)
    assert "claims-api" not in [app.key for app in given.apps]
    assert [app.key for app in given.apis] == ["orders"]


@pytest.mark.parametrize("field", ["user", "app", "fault", "api", "provider", "on_failure"])
def test_what_is_not_on_offer_is_refused_by_name(sample: Directory, field: str) -> None:
    """The message names the field and what was given."""
    with pytest.raises(ChoiceError, match=f"{field}: .*'nobody'"):
        offer(sample).read({field: "nobody"})


def test_a_fault_of_the_downstream_needs_the_provider_that_asks_it(sample: Directory) -> None:
    """It answers, and what was asked for is still in the form afterwards."""
    choice = offer(sample).read({"fault": "downstream:hang", "provider": "sample"})
    assert (choice.provider, choice.preferred) == ("profile_api", "sample")


def test_an_endpoint_elsewhere_has_no_downstream_of_ours(sample: Directory) -> None:
    """A fault there is refused; a bad reply is not, because it is not the endpoint's."""
    elsewhere = offer(sample, local=False)
    with pytest.raises(ChoiceError, match="cannot be made to fail"):
        elsewhere.read({"fault": "downstream:hang"})
    with pytest.raises(ChoiceError, match="provider"):
        elsewhere.read({"provider": "sample"})
    assert elsewhere.read({"fault": "reply:1003007"}).provider is None


def test_the_scope_names_the_api(sample: Directory) -> None:
    """Without one there is the app's own token alone."""
    assert offer(sample).first().scope == "openid profile email"
    assert offer(sample).read({"api": "orders"}).scope.endswith(" api://orders.sample.example/.default")
