# SPDX-License-Identifier: Apache-2.0
"""Whoever is woken finds a playbook, and no alert watches a metric that does not exist."""

import re
from pathlib import Path

import pytest
import yaml

from bluezone.server.metrics.exposition import METRICS
from bluezone.server.metrics.meters import REFUSALS, ROUTES, STATUSES, WORKS

DOCS = Path(__file__).parents[2] / "docs"
RULES = [rule for group in yaml.safe_load((DOCS / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
# Values of labels that a rule may ask for.
LABELS = {
    "route": set(ROUTES),
    "status": set(STATUSES),
    "reason": set(REFUSALS),
    "work": set(WORKS),
    "outbox": {"mail", "sms", "push", "exchange"},
    # The name in docs/operating.md.
    "job": {"bluezone"},
}


def kebab(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_has_a_playbook_that_names_it_and_says_when_to_call(rule):
    assert rule["annotations"]["playbook"] == f"docs/playbooks/{kebab(rule['alert'])}.md"
    text = (DOCS.parent / rule["annotations"]["playbook"]).read_text()

    assert f"`{rule['alert']}`" in text
    assert rule["labels"]["severity"] in ("call", "look")
    if rule["alert"] != "SmsCentreDown":  # written before there were alerts, as a table of what the page says
        for heading in ("**You see**", "**What it means**", "**Look here**", "**Do this**", "**When to call**"):
            assert heading in text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_metric_and_label_of_an_alert_exists(rule):
    named = re.findall(r"\bbluezone_(\w+)", rule["expr"])
    assert named or "up{" in rule["expr"]
    for name in named:
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        assert METRICS[family][0] == "histogram" if family != name else name in METRICS, name
    for label, values in re.findall(r'(\w+)=~?"([^"]+)"', rule["expr"]):
        assert set(values.split("|")) <= LABELS[label]


def test_every_metric_is_in_the_reference_with_its_type_and_meaning():
    text = (DOCS / "reference" / "metrics.md").read_text()
    rows = dict(re.findall(r"^\| `bluezone_(\w+)` \| (\w+) \|", text, re.MULTILINE))

    assert rows == {name: kind for name, (kind, _) in METRICS.items()}
    assert all(meaning in text for _, meaning in METRICS.values())


def test_every_event_of_the_log_is_in_the_operators_guide():
    sources = "\n".join(path.read_text() for path in (DOCS.parent / "src").rglob("*.py"))
    said = set(re.findall(r"""\blog_event\(\s*"([a-z_]+)",""", sources))
    said |= set(re.findall(r'\bevent_fields\("([a-z_]+)"', sources))
    said |= set(re.findall(r'\("([a-z_]+)", logging\.', sources)) | {"page_failed", "library_said"}
    guide = (DOCS / "operating.md").read_text()
    listed = set(re.findall(r"^\| `([a-z_]+)` \|", guide.split("## The log")[1], re.MULTILINE))

    assert listed == said


def test_every_log_call_of_the_server_names_its_event():
    bare = []
    for path in (DOCS.parent / "src" / "bluezone").rglob("*.py"):
        if {"handset", "radio", "edge"} & set(path.parts):
            continue
        for call in re.finditer(r"\blog(?:ger)?\.(?:warning|error|exception|info)\(", path.read_text()):
            statement = path.read_text()[call.start() :].split("\n\n")[0]
            if "extra=" not in statement:
                bare.append(f"{path.name}: {statement[:60]}")

    assert bare == []
