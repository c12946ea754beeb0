# SPDX-License-Identifier: Apache-2.0
"""Files of a directive: whom they are served to, and what is never taken in, through the pages that people use."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.builders.directives import LETTER, NOW, door_to_door, enter_letter, issue_letter, person, send_letter
from tests.builders.office import local_today
from tests.letters.pdffiles import pdf_writer, with_launch_action, with_script, written

from bluezone.directory.models import Agency
from bluezone.letters.letter import FileTooLarge
from bluezone.rollout.directives import models
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval, attachments
from bluezone.rollout.directives.models import Directive, DispatchState, StoredFile

PDF = written(pdf_writer("Phụ lục 1"))


@pytest.fixture
def ward(committee):
    return Agency.objects.get(key="ubnd-phuong-song-cau")


@pytest.fixture
def draft(committee, clerk):
    return enter_letter(committee, clerk)


@pytest.fixture
def sent(draft, clerk, signer):
    """An issued letter to one ward alone, with one file."""
    draft.recipients_action, draft.recipients_information, draft.recipients_file = "UBND phường Sông Cầu", "", ""
    draft.save()
    draft.tasks.update(lead_names="UBND phường Sông Cầu", cooperating_names="")
    attachments.add(draft, PDF, "phụ lục.pdf")
    send_letter(draft, clerk, signer)
    return Directive.objects.get(pk=draft.pk)


def stored():
    return {
        name: getattr(models, name).objects.count()
        for name in ("Directive", "StoredFile", "Report", "ExchangeImport", "ExchangedFile")
    }


def fetch(client, who, file):
    client.force_login(who)
    return client.get(reverse("file", args=[file.token]))


@pytest.mark.long
def test_a_clerk_adds_files_to_a_draft_and_takes_one_away(client, draft, clerk):
    client.force_login(clerk)
    page = reverse("directive-attachments", args=[draft.pk])
    for name in ("a.pdf", "b.pdf"):
        assert client.post(page, {"file": SimpleUploadedFile(name, PDF)}).status_code == 302
    token = draft.attachments.first().token
    assert client.post(reverse("directive-attachment-delete", args=[draft.pk]), {"token": token}).status_code == 302

    assert [one.name for one in draft.attachments.all()] == ["b.pdf"]
    assert "b.pdf" in client.get(reverse("directive", args=[draft.pk])).content.decode()


def test_files_together_are_as_large_as_an_exchange_file_holds(draft, monkeypatch):
    monkeypatch.setattr(attachments, "LARGEST_TOGETHER", 2 * len(PDF))
    attachments.add(draft, PDF, "a.pdf")
    attachments.add(draft, PDF, "b.pdf")

    with pytest.raises(FileTooLarge):
        attachments.add(draft, PDF, "c.pdf")
    assert draft.attachments.count() == 2


@pytest.mark.long
def test_files_of_an_approved_letter_stay_as_they_are(client, sent, clerk):
    client.force_login(clerk)
    page = reverse("directive-attachments", args=[sent.pk])
    token = sent.attachments.get().token

    assert client.post(page, {"file": SimpleUploadedFile("c.pdf", PDF)}).status_code == 422
    client.post(reverse("directive-attachment-delete", args=[sent.pk]), {"token": token})
    assert sent.attachments.count() == 1


@pytest.mark.long
def test_a_file_is_served_to_the_parties_of_its_document_and_to_nobody_else(client, sent, clerk, ward):
    file = sent.attachments.get()
    school = Agency.objects.create(
        key="truong-song-cau", name="Trường Tiểu học Sông Cầu", kind="school", unit=ward.unit, path=f"{ward.path}999/"
    )
    other = Agency.objects.get(key="ubnd-phuong-duc-xuan")
    people = {
        "officer": person("officer", "officer", ward),
        "auditor": person("auditor", "auditor"),
        "neighbour": person("neighbour", "officer", other),
        "teacher": person("teacher", "officer", school),
        "admin": person("boss", "admin"),
        "health": person("health", "health_worker"),
    }
    seen = {name: fetch(client, who, file).status_code for name, who in people.items()}
    own = fetch(client, clerk, file)
    dispatch = sent.dispatches.get()
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, people["officer"], NOW)
    approval.dispatch(sent, [(school, "action")], people["officer"], NOW, parent=dispatch)

    assert seen == {"officer": 200, "auditor": 200, "neighbour": 404, "teacher": 404, "admin": 404, "health": 404}
    assert fetch(client, people["teacher"], file).status_code == 200
    assert own.content == PDF
    assert own["Content-Type"] == "application/pdf"
    assert own["X-Content-Type-Options"] == "nosniff"
    assert own["Content-Disposition"].startswith("attachment")
    assert own["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert len(file.token) == 43
    client.logout()
    assert client.get(reverse("file", args=[file.token])).status_code == 302


@pytest.mark.long
def test_a_draft_is_seen_by_its_office_alone(client, draft, clerk, ward):
    file = attachments.add(draft, PDF, "a.pdf")

    assert fetch(client, person("officer", "officer", ward), file).status_code == 404
    assert fetch(client, clerk, file).status_code == 200


@pytest.mark.long
def test_evidence_is_for_the_reporting_agency_and_the_issuer(client, committee, clerk, signer, ward):
    directive = issue_letter(committee, clerk, signer)
    task = door_to_door(directive)
    task.report_from, task.due = local_today(), None
    task.save()
    officer = person("officer", "officer", ward)
    other = person("neighbour", "officer", Agency.objects.get(key="ubnd-phuong-duc-xuan"))
    client.force_login(officer)
    picture = SimpleUploadedFile("a.png", b"\x89PNG\r\n\x1a\n" + bytes(64))
    address = reverse("task-report", args=[task.parties.get(agency=ward).pk])
    assert client.post(address, {"people": "5", "evidence": picture}).status_code == 302
    file = StoredFile.objects.get()

    assert [fetch(client, who, file).status_code for who in (officer, clerk, other)] == [200, 200, 404]


def zipped(**parts):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"), content)
    return target.getvalue()


def embedding():
    writer = pdf_writer(LETTER)
    writer.add_attachment("virus.exe", b"MZ")
    return written(writer)


BAD = {
    "a PDF with a script": (written(with_script(pdf_writer(LETTER))), "mã lệnh"),
    "a PDF that starts a program": (written(with_launch_action(pdf_writer(LETTER))), "mã lệnh"),
    "a PDF with a file in it": (embedding(), "mã lệnh"),
    "a damaged PDF": (b"%PDF-1.7 damaged", "bị hỏng"),
    "a DOCX with macros": (zipped(word__document_xml="<w/>", word__vbaProject_bin="x"), "mã lệnh"),
    "a zip-bomb DOCX": (zipped(word__document_xml=b"0" * 70_000_000), "mã lệnh"),
    "a DOCX of one sign": (zipped(word__document_xml=b"0" * 15_000_000), "mã lệnh"),
    "a web page": (b"<html><script>alert(1)</script>", "Chỉ nhận"),
    "a program": (b"MZ\0\1" + bytes(100), "Chỉ nhận"),
    "XML that grows": (b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>', "Chỉ nhận"),
    "too large a file": (b"a" * (10 * 1024 * 1024 + 1), "10 MB"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_a_sentence_on_every_page_that_takes_one(client, committee, clerk, draft, name):
    content, sentence = BAD[name]
    client.force_login(clerk)
    before = stored()
    pages = {
        "/directives/new/": {"issuer": committee.pk},
        reverse("directive-attachments", args=[draft.pk]): {},
        "/exchange/": {},
    }
    for address, data in pages.items():
        answer = client.post(address, data | {"file": SimpleUploadedFile("tệp", content)})
        assert answer.status_code == 422, address
        said = "không phải tệp edXML" if address == "/exchange/" else sentence
        assert said in answer.content.decode(), address
    assert stored() == before


@pytest.mark.long
def test_bad_evidence_is_refused_and_no_report_is_stored(client, committee, clerk, signer, ward):
    directive = issue_letter(committee, clerk, signer)
    task = door_to_door(directive)
    task.report_from, task.due = local_today(), None
    task.save()
    client.force_login(person("officer", "officer", ward))
    address = reverse("task-report", args=[task.parties.get(agency=ward).pk])
    before = stored()
    for content, _sentence in BAD.values():
        sent = {"people": "5", "evidence": SimpleUploadedFile("tệp", content)}
        assert client.post(address, sent).status_code in (409, 422)

    assert stored() == before
