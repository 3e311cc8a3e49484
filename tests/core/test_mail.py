from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportbus.core.errors import Problem
from reportbus.core.mail import (
    MAX_SUBJECT,
    Attachment,
    check_subject,
    compose,
    parse_address,
    parse_recipients,
    plain_header,
)

AT = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(), max_size=120)
ODD_TEXT = ANY_TEXT | st.lists(
    st.sampled_from(
        ["=?utf-8?q?", "=?utf-8?b?", "?=", "=0ABcc:", "YQpC", " ", "\r\n", "\n", "é", "x" * 70, "a@b.c", "="]
    ),
    max_size=8,
).map("".join)


def letter(
    *,
    sender: str = "reports@example.com",
    to: tuple[str, ...] = ("cfo@example.com",),
    cc: tuple[str, ...] = (),
    subject: str = "Monthly",
    text: str = "Hello\n",
    message_id: str = "<A-1.2.7@reportbus>",
    attachments: tuple[Attachment, ...] = (),
) -> bytes:
    return compose(
        sender=sender, to=to, cc=cc, subject=subject, text=text, message_id=message_id, date=AT,
        attachments=attachments,
    ).as_bytes()  # fmt: skip


def read(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


# -- addresses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("cfo@example.com", "cfo@example.com"),
        (" cfo@example.com ", "cfo@example.com"),
        ("C.F-O+tag_1='x'&y~@Mail.EXAMPLE.com", "C.F-O+tag_1='x'&y~@mail.example.com"),
        ("a@b.co", "a@b.co"),
        ("a@xn--mnchen-3ya.de", "a@xn--mnchen-3ya.de"),
        ("a@1.2.example", "a@1.2.example"),
        ("x" * 64 + "@example.com", "x" * 64 + "@example.com"),
        ("a@" + "b" * 63 + ".com", "a@" + "b" * 63 + ".com"),
    ],
)
def test_an_addr_spec_is_taken_with_its_domain_in_small_letters(raw: str, address: str) -> None:
    assert parse_address(raw, field="to") == address


@pytest.mark.parametrize(
    "raw",
    [
        "", " ", "cfo", "@example.com", "cfo@", "cfo@@example.com", "alice@corp.com)bob@evil.com",
        "a@corp.com,evil@x.com",
        "a@corp.com;b@corp.com", "a@corp.com b@corp.com", '"a@corp.com" <evil@x.com>', "Ops <ops@x.com>",
        "<ops@x.com>",
        "a@corp.com>", "(c)a@corp.com", "a(c)@corp.com", '"a b"@corp.com', "a..b@corp.com", ".a@corp.com",
        "a.@corp.com",
        "-rf@corp.com", "a|b@corp.com", "a`id`@corp.com", "a%evil.com@corp.com", "evil.com!a@corp.com",
        "a/b@corp.com",
        "a@localhost", "a@corp.com.", "a@.com", "a@corp..com", "a@-corp.com", "a@corp-.com", "a@corp_x.com",
        "a@[127.0.0.1]",
        "a@127.0.0.1", "a@corp.123", "a@corp.com:25", "a@corp.com/x", "a@corp.com?subject=x",
        "a@corp.com#@evil.com",
        "a@corp.com\\@evil.com", "mailto:a@corp.com", "é@corp.com", "a@ⓔxample.com", "a@exämple.com",
        "a@corp。com",
        "x" * 65 + "@corp.com", "a@" + "b" * 64 + ".com", "a@" + "b." * 126 + "com", "a\u200b@corp.com",
        "a\ud800@corp.com",
        "a\u00a0@corp.com", None, 7, True, ["a@corp.com"], {"email": "a@corp.com"}, b"a@corp.com",
    ],
)  # fmt: skip
def test_what_is_not_one_plain_address_is_refused(raw: object) -> None:
    problem = parse_address(raw, field="to")

    assert isinstance(problem, Problem)
    assert (problem.code, problem.field) == ("VAL_EMAIL", "to")
    problem.text.encode()


@pytest.mark.parametrize(
    "raw",
    [
        "a@x.com\r\nBcc: evil@y.com", "a@x.com>\r\nRCPT TO:<evil@y.com", "a@x.com\n", "\na@x.com",
        "a@x.com\r", "a\0@x.com",
        "a\t@x.com", "a@x.com\u2028", "a@x.com\x85", "a@x.com\x0b",
    ],
)  # fmt: skip
def test_an_address_with_a_line_break_is_an_attack(raw: str) -> None:
    problem = parse_address(raw, field="to")

    assert isinstance(problem, Problem)
    assert problem.code == "SEC_HEADER_INJECTION"
    assert "\n" not in problem.text


@given(ODD_TEXT)
def test_an_address_that_is_taken_is_its_own_only_form(raw: str) -> None:
    address = parse_address(raw, field="to")

    assert isinstance(address, Problem) or parse_address(address, field="to") == address


# -- recipients ----------------------------------------------------------------------------------------------


def test_each_recipient_is_taken_once_in_order() -> None:
    raw = ["b@x.com", "A@x.com", "b@X.com", "a@x.com", "c@x.com"]

    assert parse_recipients(raw, field="cc", already=("C@x.com",)) == (("b@x.com", "A@x.com"), [])


def test_every_bad_recipient_is_told_and_the_others_are_kept() -> None:
    found, problems = parse_recipients(["a@x.com", "nobody", None, "b@x.com\nBcc: c@x.com"], field="to")

    assert found == ("a@x.com",)
    assert [problem.code for problem in problems] == ["VAL_EMAIL", "VAL_EMAIL", "SEC_HEADER_INJECTION"]


@pytest.mark.parametrize("address", ["a@evil.com", "a@corp.com.evil.com", "a@sub.corp.com", "a@corp.co"])
def test_only_allowed_domains_get_mail(address: str) -> None:
    found, (problem,) = parse_recipients([address, "a@CORP.com"], field="to", allowed_domains={"corp.com"})

    assert found == ("a@corp.com",)
    assert problem.code == "SEC_TARGET_FORBIDDEN"
    assert "corp.com" in problem.text


def test_no_domain_is_allowed_where_the_list_is_empty() -> None:
    found, (problem,) = parse_recipients(["a@x.com"], field="to", allowed_domains=())

    assert found == ()
    assert problem.text.endswith("allowed domains: none")


def test_a_message_has_so_many_recipients_and_no_more() -> None:
    fifty = [f"a{number}@x.com" for number in range(50)]

    assert parse_recipients([*fifty, *fifty], field="to") == (tuple(fifty), [])
    assert [problem.code for problem in parse_recipients([*fifty, "b@x.com"], field="to")[1]] == [
        "VAL_TOO_MANY_RECIPIENTS"
    ]
    assert [problem.code for problem in parse_recipients(["b@x.com"], field="cc", already=fifty)[1]] == [
        "VAL_TOO_MANY_RECIPIENTS"
    ]
    assert parse_recipients([f"a{number}@x.com" for number in range(5_000)], field="to")[1][
        0
    ].text.startswith("has 5000")


# -- subjects ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        ("Monthly", "Monthly"),
        (" Monthly ", "Monthly"),
        ("", ""),
        ("Übersicht 📈 تقرير", "Übersicht 📈 تقرير"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("a =?utf-8?q?b=0ABcc:_c?= d", "a = ?utf-8?q?b=0ABcc:_c?= d"),
        ("x" * 2_000, "x" * (MAX_SUBJECT - 23) + "…[cut, 2000 characters]"),
    ],
)
def test_a_subject_is_one_line_that_means_what_it_shows(raw: str, subject: str) -> None:
    assert check_subject(raw) == subject


@pytest.mark.parametrize(
    "raw", ["a\nBcc: x@y.com", "a\r\n\r\nbody", "a\rb", "a\0b", "a\tb", "a\u2028b", "a\x85b"]
)
def test_a_subject_with_a_line_break_is_an_attack(raw: str) -> None:
    problem = check_subject(raw, field="targets[0].subject")

    assert isinstance(problem, Problem)
    assert (problem.code, problem.field) == ("SEC_HEADER_INJECTION", "targets[0].subject")


@pytest.mark.parametrize("raw", [None, 7, ["Monthly"]])
def test_a_subject_is_text(raw: object) -> None:
    problem = check_subject(raw)

    assert isinstance(problem, Problem)
    assert problem.code == "VAL_SUBJECT"


# -- messages ------------------------------------------------------------------------------------------------


def test_a_message_says_who_what_when_and_carries_its_files() -> None:
    message = read(
        letter(
            to=("cfo@example.com", "ops@example.com"),
            cc=("audit@example.com",),
            subject="Übersicht 📈",
            text="Grüße\n.\nFrom us\n",
            attachments=(
                Attachment(
                    "Übersicht 日本 eines sehr langen Monats im Jahr 2026.pdf",
                    "application/pdf",
                    b"%PDF-\x00\xff",
                ),
                Attachment('a"b;c.csv', "text/csv", b"a,b\r\n"),
            ),
        )
    )

    assert message["From"] == "reports@example.com"
    assert message["To"] == "cfo@example.com, ops@example.com"
    assert message["Cc"] == "audit@example.com"
    assert message["Subject"] == "Übersicht 📈"
    assert message["Date"].datetime == AT
    assert message["Message-ID"] == "<A-1.2.7@reportbus>"
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_body()
    assert body is not None
    assert body.get_content() == "Grüße\r\n.\r\nFrom us\r\n"
    assert [(part.get_filename(), part.get_content_type()) for part in message.iter_attachments()] == [
        ("Übersicht 日本 eines sehr langen Monats im Jahr 2026.pdf", "application/pdf"),
        ('a"b;c.csv', "text/csv"),
    ]
    assert [part.get_payload(decode=True) for part in message.iter_attachments()] == [
        b"%PDF-\x00\xff",
        b"a,b\r\n",
    ]


def test_the_same_arguments_give_the_same_bytes() -> None:
    files = (Attachment("a.pdf", "application/pdf", b"%PDF-"),)

    assert letter(attachments=files) == letter(attachments=files)
    assert letter(attachments=files) != letter(attachments=files, message_id="<other@reportbus>")


def test_a_message_is_lines_of_ascii_that_no_gateway_rewrites() -> None:
    data = letter(
        subject="Ü" * 200, text="é" * 5_000 + "\r\nline\n", to=tuple(f"a{n}@example.com" for n in range(50))
    )

    assert data.isascii()
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "media_type", ["", "nonsense", "message/rfc822", "multipart/mixed", "a/b; x=y", "a/b\r\nX: y"]
)
def test_a_file_of_an_odd_type_is_sent_as_bytes(media_type: str) -> None:
    (part,) = read(
        letter(attachments=(Attachment("a.bin", media_type, b"Subject: x\n\ny"),))
    ).iter_attachments()

    assert part.get_content_type() == "application/octet-stream"
    assert part.get_payload(decode=True) == b"Subject: x\n\ny"


@pytest.mark.parametrize(
    "bad", ["a@x.com\r\nBcc: b@x.com", "a@x.com\nX", "=?utf-8?q?a=0ABcc:_b@x.com?= <a@x.com>", "a\0@x.com"]
)
def test_an_address_or_id_that_would_break_its_header_is_never_sent(bad: str) -> None:
    for parts in ({"sender": bad}, {"to": ("a@x.com", bad)}, {"cc": (bad,)}, {"message_id": bad}):
        with pytest.raises(ValueError, match="cannot stand in a header"):
            letter(**parts)


def test_a_boundary_cannot_be_forged_from_inside() -> None:
    files = (Attachment("a.csv", "text/csv", b"a"),)
    boundary = read(letter(attachments=files)).get_boundary()
    forged = f"before\n--{boundary}\nContent-Type: text/evil\n\n--{boundary}--\n"
    message = read(letter(attachments=files, text=forged))

    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "text/plain",
        "text/csv",
    ]


@settings(max_examples=200, deadline=None)
@given(ODD_TEXT, ODD_TEXT, ODD_TEXT)
def test_no_subject_text_or_file_name_adds_a_header_or_a_part(
    subject: str, text: str, file_name: str
) -> None:
    message = read(
        letter(subject=subject, text=text, attachments=(Attachment(file_name, "application/pdf", b"x"),))
    )

    assert message.keys() == [
        "From",
        "To",
        "Message-ID",
        "Subject",
        "Date",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ]
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "text/plain",
        "application/pdf",
    ]
    (attached,) = message.iter_attachments()
    assert attached.keys() == [
        "Content-Type",
        "Content-Transfer-Encoding",
        "Content-Disposition",
        "MIME-Version",
    ]


@given(ODD_TEXT)
def test_a_plain_header_reads_as_no_encoded_word(text: str) -> None:
    assert "=?" not in plain_header(text)
    assert len(plain_header(text).splitlines()) <= 1
