"""Whether a view can be used by everybody: named controls, in every width and direction."""

from tests.web.people import Browser


def looks(browser: Browser) -> list[str]:
    """What is wrong with the view as it is, in every width and both directions."""
    wrong: list[str] = browser.js(
        """
        const named = (node) => node.ariaLabel || node.textContent.trim() || node.labels?.length;
        const controls = [...document.querySelectorAll('button, input, select, a, progress')];
        return [
          ...controls.filter((node) => !named(node)).map((node) => `no name: ${node.outerHTML}`),
          ...[...document.querySelectorAll('[style]')].map((node) => `inline: ${node.outerHTML}`),
        ];
        """
    )
    for width, direction in ((1280, "ltr"), (1280, "rtl"), (360, "ltr"), (360, "rtl")):
        browser.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False},
        )
        browser.js("document.documentElement.dir = arguments[0]", direction)
        spill = browser.js(
            "const page = document.documentElement; return page.scrollWidth - page.clientWidth"
        )
        if spill > 0:
            wrong.append(f"{spill} px too wide at {width} px, {direction}")
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.js("document.documentElement.dir = 'ltr'")
    return wrong
