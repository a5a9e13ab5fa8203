"""The product's path, end to end, on two origins (design section 1): from sign-in to another site's page."""

import re
from collections.abc import Callable
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, shoot, sign_in

PLAYED = """video => new Promise(done => {
  const look = () => video.currentTime > 0.5 ? done(true) : setTimeout(look, 50);
  look();
})"""
pytestmark = pytest.mark.browser


def test_from_sign_in_to_photograph_film_sound_and_pdf_in_a_strangers_page(
    page: Page, site: Site, example: Callable[[str, str], None]
) -> None:
    sign_in(page, site)
    page.locator("details.menu > summary").click()
    page.get_by_role("link", name="My account").click()
    page.get_by_role("navigation", name="My account").get_by_role("link", name="Developer").click()
    page.get_by_role("link", name="Create a new application").click()
    page.get_by_label("Name").fill("Harbour Diary")
    page.get_by_label("Description").fill("Shows the museum's pictures beside a diary.")
    page.get_by_label("Website").fill(site.notes)
    page.get_by_label("Callback URL").fill(f"{site.notes}/wrong")
    shoot(page, "path-1-new-application")
    page.get_by_role("button", name="Create the application").click()
    expect(page.get_by_role("heading", name="Harbour Diary")).to_be_visible()

    # The callback is edited in place; Enter saves, and a live region says so.
    page.get_by_role("button", name=re.compile("Edit the callback URL")).click()
    field = page.get_by_role("textbox", name="Callback URL")
    expect(field).to_be_focused()
    field.fill(f"{site.notes}/callback")
    field.press("Enter")
    expect(page.locator("[data-note]")).to_have_text("Saved")
    page.get_by_role("button", name="Reveal Client secret").click()
    client_id = page.locator("#client-id").inner_text()
    secret = page.locator("#client-secret").inner_text()
    assert secret.startswith("vit_cs_")
    expect(page.locator("#authorize")).to_have_text(f"{site.base}/api/oauthv2/authorize")
    expect(page.locator("#token-endpoint")).to_have_text(f"{site.base}/api/oauthv2/token")
    page.get_by_role("button", name="Make a developer token").click()
    token = page.locator("#token-value").inner_text()
    shoot(page, "path-2-settings")
    assert httpx.get(f"{site.base}/api/v1/me/", headers={"Authorization": f"Bearer {token}"}).status_code == 200

    # The signed-out person comes from the application, sees its name before the password, and is asked for consent.
    page.locator("details.menu > summary").click()
    page.get_by_role("button", name="Sign out").click()
    example(client_id, secret)
    page.goto(site.notes)
    page.get_by_role("link", name="Sign in with Vitrine").click()
    expect(page.get_by_role("heading", name="Harbour Diary")).to_be_visible()
    expect(page.get_by_text("Shows the museum's pictures beside a diary.")).to_be_visible()
    shoot(page, "path-3-sign-in")
    page.get_by_label("Login or e-mail").fill(site.demo["user"]["login"])
    page.get_by_label("Password").fill(site.demo["user"]["password"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="would like to use Vitrine in your name")).to_be_visible()
    shoot(page, "path-4-consent")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{site.notes}/")

    page.get_by_role("searchbox").fill("chelsea cat")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Chelsea the cat").click()
    picture = page.frame_locator("iframe").locator("#embed-image")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 300")
    expect(page.locator("iframe")).to_have_attribute("style", re.compile(r"height: \d+px"))
    shoot(page, "path-5-photograph-in-a-strangers-page")

    page.goto(f"{site.notes}/?q=lapin")
    page.get_by_role("link", name="Gros lapin au réveil").click()
    film = page.frame_locator("iframe").locator("video")
    expect(film).to_be_visible()
    film.evaluate("video => { video.muted = true; return video.play(); }")
    film.evaluate(PLAYED)
    assert film.evaluate("video => !video.paused && video.videoWidth > 0")
    shoot(page, "path-6-film-playing-in-a-strangers-page")

    page.goto(f"{site.notes}/?q=bande+sonore")
    page.get_by_role("link", name="Le réveil du lapin, bande sonore").click()
    sound = page.frame_locator("iframe").locator("audio")
    expect(sound).to_be_visible()
    sound.evaluate("audio => { audio.muted = true; return audio.play(); }")
    sound.evaluate(PLAYED)
    assert sound.evaluate("audio => !audio.paused && audio.duration > 1")
    shoot(page, "path-8-sound-in-a-strangers-page")

    page.goto(f"{site.notes}/?q=album")
    page.get_by_role("link", name="Seven photographs and their stories").last.click()
    paper = page.frame_locator("iframe")
    expect(paper.locator(".document-player.is-open .textLayer")).to_contain_text("Seven photographs")
    paper.get_by_role("button", name="Next page").click()
    expect(paper.locator("#said")).to_have_text("Page 2 of 8")
    expect(page.locator("iframe")).to_have_attribute("style", re.compile(r"height: \d+px"))
    shoot(page, "path-9-pdf-in-a-strangers-page")

    # The person revokes the permission: the application's token stops working at once.
    page.goto(f"{site.base}/account/security/applications/")
    page.get_by_role("button", name="Revoke access Harbour Diary").click()
    expect(page.get_by_text("Revoked")).to_be_visible()
    page.goto(site.notes)
    expect(page.get_by_role("link", name="Sign in with Vitrine")).to_be_visible()
    assert httpx.get(f"{site.base}/api/v1/me/", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_denying_goes_back_without_a_code(page: Page, site: Site) -> None:
    application = site.demo["web_app"]
    sign_in(page, site)
    # Other tests may have allowed it before: the order of the tests is random.
    query = {"client_id": application["client_id"], "response_type": "code", "state": "k3", "prompt": "consent"}
    page.route("http://127.0.0.1:8001/**", lambda route: route.fulfill(body="back"))
    page.goto(f"{site.base}/api/oauthv2/authorize?{urlencode(query)}")
    page.get_by_role("button", name="Deny").click()
    page.wait_for_url("http://127.0.0.1:8001/**")
    assert page.url.startswith(f"{application['redirect_uri']}?state=k3&error=access_denied&iss=")


def test_a_desktop_application_gets_its_code_on_a_page(page: Page, site: Site) -> None:
    application = site.demo["desktop_app"]
    sign_in(page, site)
    query = {"client_id": application["client_id"], "response_type": "code", "prompt": "consent"}
    page.goto(f"{site.base}/api/oauthv2/authorize?{urlencode(query)}")
    page.get_by_role("button", name="Allow").click()
    code = page.locator("input[name=authorize_token]").input_value()
    shoot(page, "path-7-desktop-code")
    form = {
        "grant_type": "authorization_code",
        "client_id": application["client_id"],
        "code": code,
        "redirect_uri": application["redirect_uri"],
    }
    answer = httpx.post(f"{site.base}/api/oauthv2/token", data=form)
    assert answer.status_code == 200
    assert answer.json()["access_token"].startswith("vit_at_")
