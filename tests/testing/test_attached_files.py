import base64
import io
import json

import pytest

from persona_cases.testing import ManualClock

PDF = {"data": base64.b64encode(b"%PDF-1.7").decode(), "filename": "letter.pdf"}
SIX_HOURS = 6 * 60 * 60


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def api(simulate, clock):
    return await simulate(cases=40, seed=3, clock=clock)


def url_in(answered):
    return answered.attributes["attachments"][0]["url"]


async def status(api, url):
    async with api.session.get(url) as response:
        return response.status


async def test_links_expire_and_a_look_at_the_case_brings_new_ones(api, clock):
    case_id = next(case.id for case in api.sim.store.cases.values() if case.attachments)
    old = url_in(await api.get(f"/cases/{case_id}"))
    clock.advance(SIX_HOURS - 1)
    assert await status(api, old) == 200
    clock.advance(1)
    assert await status(api, old) == 403
    new = url_in(await api.get(f"/cases/{case_id}"))
    assert new != old
    assert await status(api, new) == 200


async def test_the_lifetime_can_be_chosen(simulate, clock):
    api = await simulate(cases=0, file_token_lifetime=10, clock=clock)
    case_id = (await api.create()).case["id"]
    url = url_in(await api.patch(case_id, {"attachments": [PDF]}))
    clock.advance(9.5)
    assert await status(api, url) == 200
    clock.advance(0.5)
    assert await status(api, url) == 403


async def test_answers_that_follow_each_other_closely_have_the_same_links(api, clock):
    case_id = next(case.id for case in api.sim.store.cases.values() if case.attachments)
    urls = []
    for seconds in (0, 59, 1):
        clock.advance(seconds)
        urls.append(url_in(await api.get(f"/cases/{case_id}")))
    assert urls[0] == urls[1] != urls[2]


async def test_lists_and_searches_have_links_that_work(api):
    for answered in (await api.get("/cases", {"page[size]": "100"}), await api.search({"page": {"size": 100}})):
        urls = [file["url"] for case in answered.document["data"] for file in case["attributes"]["attachments"]]
        assert urls
        assert {await status(api, url) for url in urls} == {200}


async def test_a_link_can_not_be_prolonged_or_moved_to_another_file(api):
    first, second = [file for case in api.sim.store.cases.values() for file in case.attachments][:2]
    case_id = next(case.id for case in api.sim.store.cases.values() if first in case.attachments)
    url = url_in(await api.get(f"/cases/{case_id}"))
    token, expiry, signature = url.partition("access_token=")[2].split(".")
    assert token == first.token
    for forged in (
        f"{token}.{int(expiry) + 1}.{signature}",
        f"{second.token}.{expiry}.{signature}",
        f"{token}.{expiry}.",
        f"{token}.never.{signature}",
        token,
        "",
        "%C3%BC.1.%C3%BC",
    ):
        assert await status(api, f"{url.partition('=')[0]}={forged}") == 403
    assert await status(api, url.partition("?")[0]) == 403


async def test_the_links_of_two_simulators_differ(simulate):
    one, other = await simulate(cases=10, seed=1), await simulate(cases=10, seed=2)
    case_id = next(case.id for case in one.sim.store.cases.values() if case.attachments)
    url = url_in(await one.get(f"/cases/{case_id}"))
    assert await status(one, url) == 200
    assert await status(other, url.replace(one.sim.origin, other.sim.origin)) == 403


async def test_files_can_be_attached_to_set_a_scene(api):
    file = api.sim.store.upload("scan.png", b"\x89PNG")
    case = api.sim.store.create_case("KYC", attachments=(file,))
    async with api.session.get(url_in(await api.get(f"/cases/{case.id}"))) as response:
        assert (response.content_type, await response.read()) == ("image/png", b"\x89PNG")


async def test_a_large_file_comes_back_whole(api):
    content = bytes(range(256)) * 40_000
    case_id = (await api.create()).case["id"]
    upload = {"data": base64.b64encode(content).decode(), "filename": "large.pdf"}
    body = json.dumps({"data": {"attributes": {"attachments": [upload]}}}).encode()
    headers = {"Content-Type": "application/json"}
    changed = await api.send("PATCH", f"/cases/{case_id}", data=io.BytesIO(body), headers=headers)
    assert changed.attributes["attachments"][0]["byte-size"] == len(content)
    async with api.session.get(url_in(changed)) as response:
        assert await response.read() == content
