"""The page that says who may do what follows from the code."""

from tests.architecture.guards import GUARDS, guarded, name_of
from tests.architecture.permissions import PAGE, page


def test_every_route_that_names_a_thing_says_who_may_use_it() -> None:
    """`guard_of` tells what to do about a route that is new."""
    assert set(GUARDS) - {name_of(row) for row in guarded()} == set(), "these routes are gone"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make generate`"
