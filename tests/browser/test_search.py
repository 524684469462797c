"""The search answers questions as people ask them."""

import pytest
from playwright.sync_api import expect

# Question, and the pages of which one must be among the first three.
QUESTIONS = [
    ("how do I delete my duckling", ["spaceduckling/help/delete/", "duckgalaxy/api/delete-me/"]),
    ("deleting my account", ["spaceduckling/help/delete/"]),
    ("I lost my key", ["spaceduckling/help/lost-key/", "duckcontrol/runbooks/lost-key/"]),
    ("code did not arrive", ["spaceduckling/help/code-did-not-arrive/"]),
    ("forgot password", ["spaceduckling/help/sign-in/", "duckgalaxy/api/post-forgot/"]),
    ("how to rotate a beak key", ["duckgalaxy/guide/key-rotation/", "duckgalaxy/api/keys-rotate/"]),
    ("rotating keys without downtime", ["spaceduck-bot/guide/rotate-without-downtime/"]),
    ("what does it cost", ["mightyspaceduck/guide/cost/"]),
    ("price per month", ["mightyspaceduck/guide/cost/"]),
    ("uninstall", ["mightyspaceduck/guide/teardown/", "duckcontrol/cli/teardown/"]),
    ("remove a galaxy from aws", ["mightyspaceduck/guide/teardown/", "duckcontrol/cli/teardown/"]),
    ("undo an upgrade", ["mightyspaceduck/guide/rollback/", "duckcontrol/cli/rollback/"]),
    ("roll back", ["duckcontrol/runbooks/roll-back/", "mightyspaceduck/guide/rollback/"]),
    ("verify a certificate offline", ["duckgalaxy/guide/verify-a-certificate/"]),
    ("get out of the ses sandbox", ["mightyspaceduck/guide/ses-sandbox/"]),
    ("what is a peck", ["spaceduck-bot/start/what-is-a-peck/"]),
    ("what is a duckling", ["spaceduckling/help/what-is-a-duckling/"]),
    ("first bond", ["spaceduck-bot/start/first-bond/"]),
    ("rate limit", ["duckgalaxy/guide/rate-limits/", "duckgalaxy/errors/#rate_limited"]),
    ("rate_limited", ["duckgalaxy/errors/#rate_limited", "duckgalaxy/guide/rate-limits/"]),
    ("how do I become t2", ["spaceduck-bot/guide/climbing-tiers/", "spaceduck-bot/tiers/#t2"]),
    ("tiers", ["duckgalaxy/concepts/trust-tiers/", "spaceduck-bot/tiers/"]),
    ("run on my own machine", ["mightyspaceduck/start/local-galaxy/"]),
    ("install behind a proxy", ["mightyspaceduck/guide/behind-a-proxy/"]),
    ("own domain", ["mightyspaceduck/guide/domains/"]),
    ("add an operator", ["mightyspaceduck/guide/first-operator/", "duckcontrol/cli/operator-add/"]),
    ("backup", ["mightyspaceduck/guide/backups-and-export/", "duckcontrol/cli/export/"]),
    ("export my data", ["spaceduckling/help/your-data/", "duckgalaxy/api/me-export/"]),
    ("permissions needed to install", ["mightyspaceduck/guide/permissions/"]),
    ("spf dkim dmarc", ["mightyspaceduck/guide/mail-records/"]),
    ("api returns 500", ["duckcontrol/runbooks/api-5xx/"]),
    ("table restore", ["duckcontrol/runbooks/restore-a-table/"]),
    ("idempotency", ["duckgalaxy/guide/idempotency/"]),
    ("pagination", ["duckgalaxy/guide/pagination/"]),
    ("python sdk", ["spaceduck-bot/sdk/"]),
    ("sign a skill", ["spaceduck-bot/skills/sign-and-verify/", "duckcontrol/cli/skill-sign/"]),
    ("who sees my email address", ["spaceduckling/help/what-others-see/"]),
    ("change my display name", ["spaceduckling/help/change-name/"]),
    ("newsletter unsubscribe", ["spaceduckling/help/newsletter/"]),
    ("exit codes in a pipeline", ["mightyspaceduck/guide/ci/", "duckcontrol/exit-codes/"]),
    # The beginning of a word, and a form that no page has.
    ("idempot", ["duckgalaxy/guide/idempotency/"]),
    ("paginates", ["duckgalaxy/guide/pagination/"]),
]


@pytest.fixture
def search(galaxy, visit):
    page = visit(galaxy.url("mightyspaceduck", "/search/"))
    source = page.locator("script[src*='search']").get_attribute("src")

    def search(question):
        run = "async ([source, question]) => (await import(source)).search(question)"
        found = page.evaluate(run, [source, question])
        return [result["site"] + result["path"] for result in found["results"]]

    return search


def test_real_questions_are_answered(search):
    missed = []
    for question, wanted in QUESTIONS:
        first = search(question)[:3]
        if not set(first) & set(wanted):
            missed.append(f"{question!r}: {first}")
    assert not missed, "\n".join(missed)
    assert len(QUESTIONS) >= 40


def test_results_show_why_they_were_found(galaxy, visit):
    page = visit(galaxy.url("mightyspaceduck", "/search/?q=how+do+I+delete+my+duckling"))
    first = page.locator("#hits li").first
    expect(first.locator("mark").first).to_be_visible()
    assert first.locator("p").inner_text()
    expect(page.locator("#hits li")).to_have_count(10)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#hits li").nth(10)).to_be_visible()


def test_a_question_of_common_words_alone_finds_nothing(search):
    assert search("how do I") == []
    assert search("xyzzyquux") == []
