"""A person at a real browser: Debian's Chromium, driven by what a person sees and does."""

import json
from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, TypeVar
from urllib.request import Request, urlopen

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.canary import keep_secret

CHROMIUM: Final = "/usr/bin/chromium"
DRIVER: Final = "/usr/bin/chromedriver"
FLAGS: Final = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-extensions", "--disable-default-apps", "--lang=en",
)  # fmt: skip
AUTOPLAY: Final = "--autoplay-policy=no-user-gesture-required"
PASSWORD: Final = keep_secret("correct horse battery")
WAIT_S: Final = 20.0
POLL_S: Final = 0.05

T = TypeVar("T")


class NotYet(Exception):
    """What is waited for cannot be looked at yet."""


def eventually(look: Callable[[], T], what: str, within_s: float = WAIT_S) -> T:
    """The first answer of `look` that is true. AssertionError if none comes in time."""
    patience = WebDriverWait(  # type: ignore[type-var]
        look, within_s, POLL_S, (StaleElementReferenceException, NotYet)
    )
    try:
        return patience.until(lambda _: look())
    except TimeoutException as error:
        raise AssertionError(f"not within {within_s} s: {what}") from error


def signed_in(address: str, how: str, said: dict[str, object]) -> dict[str, str]:
    """Sign in by REST as the page does; the cookie's name and value."""
    request = Request(
        f"{address}/api/auth/{how}",
        json.dumps({**said, "cookie": True}).encode(),
        {"Content-Type": "application/json", "Origin": address},
    )
    with urlopen(request, timeout=WAIT_S) as answer:
        (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    return {"name": cookie.key, "value": cookie.value}


class Browser:
    """One Chromium with its own profile, and the words for what a person does on the page."""

    def __init__(
        self,
        address: str,
        *,
        autoplay: bool = True,
        environment: dict[str, str] | None = None,
        program: str = CHROMIUM,
    ) -> None:
        options = ChromeOptions()
        options.binary_location = program
        for flag in (*FLAGS, *((AUTOPLAY,) if autoplay else ())):
            options.add_argument(flag)
        options.add_argument("--window-size=1200,900")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.address = address
        self.username = ""
        self.driver = Chrome(options, Service(DRIVER, env=environment))
        self.driver.set_script_timeout(WAIT_S)

    def close(self) -> None:
        self.driver.quit()

    def js(self, script: str, *arguments: object) -> Any:
        """What a script of the page answers."""
        return self.driver.execute_script(script, *arguments)

    def complaints(self) -> list[str]:
        """What the browser's console reported as an error, a broken policy too, since last asked.

        That nobody is signed in yet is no error of the page, but Chromium writes it down as one.
        """
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")  # type: ignore[no-untyped-call]
            if entry["level"] == "SEVERE" and "/api/auth/me" not in entry["message"]
        ]

    def find(self, css: str) -> WebElement:
        """The element, as soon as it can be seen."""

        def look() -> list[WebElement]:
            found = self.driver.find_elements(By.CSS_SELECTOR, css)[:1]
            return [element for element in found if element.is_displayed()]

        return eventually(look, f"{css} is shown")[0]

    def click(self, css: str) -> None:
        """Click as soon as it can be; what lies over it for a moment is waited for."""

        def act() -> bool:
            element = self.find(css)
            try:
                if element.is_enabled():
                    element.click()
                    return True
            except ElementClickInterceptedException as error:
                raise NotYet from error
            return False

        eventually(act, f"{css} can be clicked")

    def fill(self, css: str, text: str) -> None:
        field = self.find(css)
        field.clear()
        field.send_keys(text)

    def type(self, css: str, text: str) -> None:
        """Type behind what is there."""
        self.find(css).send_keys(text)

    def choose(self, css: str, value: str) -> None:
        """Choose from a list by its value."""
        Select(self.find(css)).select_by_value(value)

    def count(self, css: str) -> int:
        """How many such elements can be seen or are behind a menu that can."""
        return int(
            self.js(
                "return [...document.querySelectorAll(arguments[0])].filter((node) =>"
                " (node.closest('.sheet')?.parentElement ?? node).checkVisibility()).length",
                css,
            )
        )

    def row(self, display_name: str) -> str:
        """The selector of somebody's row among the people."""
        user_id = self.js(
            """
            const rows = [...document.querySelectorAll('#people .person')];
            return rows.find((row) => row.querySelector('bdi').innerText === arguments[0])
              ?.dataset.user ?? 'nobody';
            """,
            display_name,
        )
        return f"#people [data-user='{user_id}']"

    def does_to(self, display_name: str, act: str) -> None:
        """Open somebody's menu and choose from it."""

        def look() -> bool:
            return self.count(f"{self.row(display_name)} [data-act='{act}']") == 1

        eventually(look, f"{act} is offered for {display_name}")
        row = self.row(display_name)
        self.click(f"{row} .menu summary")
        self.click(f"{row} [data-act='{act}']")

    def press(self, title: str, act: str) -> None:
        """Press a button of the entry with this title."""
        labels = {"up": "Up", "down": "Down", "next": "Play next", "remove": "Remove"}
        self.click(f"#queue [aria-label='{labels[act]}: {title}']")

    def text(self, css: str) -> str:
        return str(self.js("return document.querySelector(arguments[0])?.innerText ?? ''", css))

    def shows(self, css: str, text: str, within_s: float = WAIT_S) -> None:
        """Wait until `text` can be read in an element."""
        eventually(lambda: text in self.text(css), f"{text!r} in {css}", within_s)

    def come_in(self, name: str, path: str = "/") -> None:
        """Open the page as somebody new, and say a name."""
        self.driver.get(self.address + path)
        self.fill("#guest-form input", name)
        self.click("#guest-form button")

    def make_room(self, name: str) -> str:
        """Make a room and stand in it. The path of its link."""
        self.fill("#make-room input[name=name]", name)
        self.click("#make-room button")
        self.find("#playback")
        return str(self.js("return location.pathname"))

    def make_account(self) -> None:
        """Answer the dialog that asks for an account."""
        self.username = f"u{token_hex(5)}"
        self.fill("#account-form input[name=username]", self.username)
        self.fill("#account-form input[name=email]", f"{self.username}@example.org")
        self.fill("#account-form input[name=password]", PASSWORD)
        self.click("#account-form button.main")

    def arrive(self, display_name: str, path: str = "/", *, account: bool = True) -> None:
        """Open the page as somebody who is signed in already, with an account or as a guest."""
        said: dict[str, object] = {"display_name": display_name}
        if account:
            self.username = f"u{token_hex(5)}"
            email = f"{self.username}@example.org"
            said |= {"username": self.username, "email": email, "password": PASSWORD}
        cookie = signed_in(self.address, "register" if account else "guest", said)
        self.driver.execute_cdp_cmd(
            "Network.setCookie", {"url": self.address, "httpOnly": True, **cookie}
        )
        self.driver.get(self.address + path)

    def upload(self, file: Path) -> None:
        self.find("#file").send_keys(str(file))

    def say(self, text: str) -> None:
        self.fill("#say", text)
        self.find("#say").submit()

    def seek(self, position_ms: float) -> None:
        """Drag the position to a place and let go."""
        self.js(
            """
            const seek = document.querySelector('#seek');
            seek.value = arguments[0];
            seek.dispatchEvent(new Event('input'));
            seek.dispatchEvent(new Event('change'));
            """,
            position_ms,
        )

    def titles(self) -> list[str]:
        """What waits, in order."""
        titles = self.js(
            "return [...document.querySelectorAll('#queue li .block')].map((e) => e.innerText)"
        )
        return [str(title) for title in titles]

    def shown(self) -> tuple[float, float]:
        """When (ms of this machine's clock) the page drew a position, and which, ms."""
        at, where = self.js(
            """
            const where = document.querySelector('#where'); // '#seek' knows tenths of seconds only
            let [before, lookedAt] = [where.value, performance.now()];
            return new Promise((resolve) => {
              const look = () => {
                const now = performance.now();
                // It was drawn since the last look: where that is long ago, the next one tells.
                if (where.value !== before && now - lookedAt < 20) {
                  resolve([performance.timeOrigin + now, where.value]);
                  return;
                }
                [before, lookedAt] = [where.value, now];
                setTimeout(look, 1);
              };
              look();
            });
            """
        )
        return float(at), float(where)

    def position_ms(self) -> float:
        """Where in the track the page says the music is; drawn every 250 ms."""
        return float(self.js("return Number(document.querySelector('#seek').value)"))

    def moves(self) -> bool:
        """Does the position go on?"""
        before = self.position_ms()
        eventually(lambda: self.position_ms() > before, "the position moves", 5)
        return True

    def screenshot(self, file: Path) -> None:
        self.driver.save_screenshot(str(file))


def report(title: str, figures: Mapping[str, object]) -> None:
    """Print figures, to be read with `-s` or in a failed run."""
    print(f"\n{title}: {json.dumps(figures)}")
