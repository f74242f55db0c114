"""Coming in, keeping an account, signing in elsewhere, ending logins, signing out."""

import pytest

from tests.web.conftest import Opener
from tests.web.looks import looks
from tests.web.people import PASSWORD, Browser, eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

NEW_PASSWORD = "a wholly other password"


def sign_in(browser: Browser, username: str, password: str) -> None:
    """Answer the form of who has an account."""
    browser.click("#sign-in")
    browser.fill("#login-form input[name=login]", username)
    browser.fill("#login-form input[name=password]", password)
    browser.click("#login-form button.main")


def test_a_guest_keeps_the_account_and_holds_its_logins(browser: Opener) -> None:
    ann, phone = browser(), browser()
    views = []
    ann.come_in("Ann")
    path = ann.make_room("Kitchen")
    ann.click("#keep")
    views.append(looks(ann))
    ann.make_account()
    ann.find("#sign-out")
    ann.find("#close-room")  # the guest's room is still hers
    ann.shows("#connection", "Connected")

    # The same person on another device; a wrong password is told in the dialog, which stays.
    phone.driver.get(phone.address + path)
    sign_in(phone, ann.username, "not this one")
    phone.shows("#login-form .bad", "wrong")
    phone.fill("#login-form input[name=password]", PASSWORD)
    phone.click("#login-form button.main")
    phone.shows("#me", "Ann")
    phone.find("#close-room")

    ann.click("#places [href='/account']")
    ann.shows("#staying", "Kitchen")
    eventually(lambda: ann.count("#logins li") == 2, "both logins are listed")
    ann.shows("#logins", "Chrome on Linux")
    views.append(looks(ann))
    ann.click("#logins [data-act=end-login]")
    eventually(lambda: ann.count("#logins li") == 1, "one login is left")
    phone.shows("#connection", "You were signed out")
    phone.click("#status-reload")
    sign_in(phone, ann.username, PASSWORD)
    phone.shows("#me", "Ann")

    assert ann.find("#show-history").is_selected()
    ann.click("#show-history")
    ann.shows("#notices", "Only you see what you have listened to")
    ann.driver.refresh()
    assert not ann.find("#show-history").is_selected()

    ann.fill("#profile-form input", "Ann of the Kitchen")
    ann.click("#profile-form button")
    ann.shows("#me", "Ann of the Kitchen")
    ann.click("#change-password")
    ann.fill("#password-change-form [name=current_password]", "not this one")
    ann.fill("#password-change-form [name=new_password]", NEW_PASSWORD)
    ann.click("#password-change-form button.main")
    ann.shows("#password-change-form .bad", "wrong")
    views.append(looks(ann))
    ann.fill("#password-change-form [name=current_password]", PASSWORD)
    ann.click("#password-change-form button.main")
    ann.shows("#notices", "other logins have ended")
    phone.shows("#connection", "You were signed out")
    phone.click("#status-reload")
    sign_in(phone, ann.username, NEW_PASSWORD)
    phone.shows("#me", "Ann of the Kitchen")

    ann.click("#out-everywhere")
    ann.click("#everywhere-form button.main")
    ann.find("#guest-form")
    phone.shows("#connection", "You were signed out")
    phone.click("#status-reload")
    phone.find("#guest-form")
    assert views == [[]] * 3


def test_who_is_new_makes_an_account_and_a_guest_is_warned_before_leaving(browser: Opener) -> None:
    eve = browser()
    eve.driver.get(eve.address)
    eve.click("#sign-up")
    eve.fill("#account-form input[name=display_name]", "Eve")
    eve.make_account()
    eve.shows("#me", "Eve")
    eve.click("#sign-out")
    eve.fill("#guest-form input", "Nobody")
    eve.click("#guest-form button")
    eve.find("#keep")
    eve.click("#places [href='/account']")
    eve.click("#keep-account")
    eve.js("document.querySelector('#account-form').noValidate = true")
    eve.fill("#account-form input[name=username]", eve.username)
    eve.fill("#account-form input[name=email]", "nobody@example.org")
    eve.fill("#account-form input[name=password]", PASSWORD)
    eve.click("#account-form button.main")
    eve.shows("#account-form .bad", "taken")
    eve.type("#account-form input[name=username]", "\ue00c")  # Escape closes the dialog
    eve.click("#leave-guest")
    eve.shows("#leave-form", "no password to come back with")
    eve.click("#leave-form button.main")
    eve.find("#guest-form")
