# SPDX-License-Identifier: Apache-2.0
"""PDFs with electronic signatures of invented people, made once a run."""

import datetime
import functools
import io

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from tests.letters.pdffiles import pdf_writer, written

BEGIN = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
END = datetime.datetime(2040, 1, 1, tzinfo=datetime.UTC)


@functools.cache
def identity(name="Nguyễn Văn Ký", issuer=None, authority=False):
    """Key and certificate of a person; issuer: the name of an authority's identity."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    above = identity(issuer, authority=True) if issuer else None
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above[1].subject if above else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(END)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(True, True, False, False, False, authority, authority, False, False), critical=True
        )
        .sign(above[0] if above else key, hashes.SHA256())
    )
    return key, certificate


def signed(data, who=None, field="Sig1"):
    """The PDF with one more signature, put behind what is there."""
    from asn1crypto import keys
    from asn1crypto import x509 as asn1
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    key, certificate = who or identity()
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signer = signers.SimpleSigner(
        signing_cert=asn1.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
        signing_key=keys.PrivateKeyInfo.load(der),
        cert_registry=SimpleCertificateStore(),
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(data), strict=False)
    made = signers.sign_pdf(writer, signers.PdfSignatureMetadata(field_name=field), signer=signer)
    return made.getvalue()


def with_page_added(data):
    """The PDF with one more page, put behind what is there, as an editor would."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(data), strict=False)
    pages = writer.root["/Pages"]
    page = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Page"),
            generic.pdf_name("/Parent"): writer.root.raw_get("/Pages"),
            generic.pdf_name("/MediaBox"): generic.ArrayObject(generic.NumberObject(n) for n in (0, 0, 612, 842)),
        }
    )
    pages["/Kids"].append(writer.add_object(page))
    pages["/Count"] = generic.NumberObject(int(pages["/Count"]) + 1)
    writer.update_container(pages)
    writer.update_container(pages["/Kids"])
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


@functools.cache
def letter(text="Số: 458/UBND-VP"):
    """An unsigned PDF."""
    return written(pdf_writer(text))
