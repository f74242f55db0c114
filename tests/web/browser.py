"""A person at a real Chromium."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--window-size=1100,900",
)
PATIENCE_S = 15
T = TypeVar("T")


class Visitor:
    """One browser with a profile of its own. `env` is added to its environment."""

    def __init__(self, env: dict[str, str] | None = None, *flags: str) -> None:
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS, *flags):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(
            options=options, service=Service("/usr/bin/chromedriver", env=env)
        )

    def close(self) -> None:
        self.driver.quit()

    def come(self, url: str, name: str) -> None:
        """Open the page and say who we are."""
        self.driver.get(url)
        self.type("input[name=name]", name)
        self.click("#guest-form button")

    def find(self, css: str) -> WebElement:
        """The element, as soon as it is there."""
        return self.until(lambda: self.driver.find_elements(By.CSS_SELECTOR, css), css)[0]

    def click(self, css: str) -> None:
        self.find(css).click()

    def type(self, css: str, text: str) -> None:
        self.find(css).send_keys(text)

    def text(self, css: str) -> str:
        return self.find(css).text

    def sees(self, css: str, text: str) -> None:
        """Wait until the element says so."""
        self.until(lambda: text in self.find(css).text, f"{text!r} in {css}")

    def run(self, script: str) -> object:
        """What a piece of JavaScript returns."""
        return self.driver.execute_script(f"return {script}")

    def seek_position_ms(self) -> float:
        """Where the page says that the music is."""
        return float(str(self.run("Number(document.querySelector('#playback input').value)")))

    def until(self, condition: Callable[[], T], what: str) -> T:
        """Wait for something true; at most 15 s."""
        wait = WebDriverWait(self.driver, PATIENCE_S, poll_frequency=0.05)
        try:
            return wait.until(lambda _: condition())
        except Exception as error:
            raise AssertionError(f"{what}\n{self.complaints()}\n{self.page_text()}") from error

    def page_text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def picture(self, path: Path) -> None:
        """A screenshot, for a person to look at."""
        self.driver.save_screenshot(str(path))

    def complaints(self) -> list[str]:
        """Errors in the browser's console, but for answers that say "sign in first"."""
        return [
            str(entry["message"])
            for entry in self.driver.get_log("browser")
            if entry["level"] == "SEVERE" and "401" not in entry["message"]
        ]
