from __future__ import annotations

from dataclasses import replace

import pytest

from core.worktable_rows import RULES, codes, entry, fields, good, read, row
from reportbus.core.intake import DestinationRule, IntakeRules
from reportbus.core.model import Mail, Target, TargetType


def targets(*items: object) -> dict[str, object]:
    """A DISTRIBUTION_CONFIG that asks for these targets."""
    return {"targets": list(items)}


# -- in the column


def test_targets_are_numbered_in_the_order_they_are_written() -> None:
    request = good(row(config=targets({"type": "SFTP", "path": "in"}, {"type": "NAS", "path": "out/x"})))

    assert request.targets == (
        Target(1, TargetType.SFTP, "acme", "in", "Monthly_R-1.pdf"),
        Target(2, TargetType.NAS, "archive", "out/x", "Monthly_R-1.pdf"),
    )


def test_a_list_of_targets_is_short_for_an_object_with_them() -> None:
    assert good(row(config=[{"type": "NAS", "path": "in"}])).targets[0].path == "in"


def test_a_target_names_its_destination_or_goes_to_the_default_of_its_type() -> None:
    named = good(row(config=targets({"type": "SMB", "destination": "share"})))

    assert named.targets[0].destination == "share"
    assert codes(row(config=targets({"type": "SMB"}))) == ["CFG_DESTINATION"]


def test_the_types_of_the_specification_stand_for_their_variants() -> None:
    request = good(
        row(
            config=targets(
                {"type": "FTP", "destination": "partner"},
                {"type": "FTP", "path": "default"},
                {"type": "NAS", "destination": "share"},
            )
        )
    )

    assert [target.type for target in request.targets] == [TargetType.FTPS, TargetType.SFTP, TargetType.SMB]


def test_a_variant_does_not_stand_for_another_one() -> None:
    """Who asks for SFTP does not get plain FTP."""
    rules = replace(RULES, destinations={"plain": DestinationRule(TargetType.FTP, default=True)})

    assert codes(row(config=targets({"type": "SFTP", "destination": "plain"})), rules) == ["CFG_DESTINATION"]
    assert codes(row(config=targets({"type": "SFTP"})), rules) == ["CFG_DESTINATION"]


@pytest.mark.parametrize("written", ["sftp", " Sftp "])
def test_a_target_type_is_known_in_any_case(written: str) -> None:
    assert good(row(config=targets({"type": written}))).targets[0].type is TargetType.SFTP


@pytest.mark.parametrize(
    ("written", "type_"), [("NFS", TargetType.NAS), ("smtp", TargetType.EMAIL), ("SES", TargetType.EMAIL)]
)
def test_a_protocol_is_taken_for_the_type_that_uses_it(written: str, type_: TargetType) -> None:
    target: object = {"type": written} | ({"to": "a@corp.com"} if type_ is TargetType.EMAIL else {})

    assert good(row(config=targets(target))).targets[0].type is type_


@pytest.mark.parametrize("written", ["SCP", "", None, 5, ["SFTP"], "FILE", "SFTP\n\nx"])
def test_an_unknown_target_type_is_refused(written: object) -> None:
    assert codes(row(config=targets({"type": written}))) == ["CFG_TARGET_TYPE"]
    assert codes(row(entry(written), config=targets())) == ["CFG_TARGET_TYPE"]


@pytest.mark.parametrize("value", [5, "SFTP", {"type": "NAS"}, True, "NONE"])
def test_targets_are_a_list_or_none(value: object) -> None:
    assert codes(row(config={"targets": value})) == ["CFG_TYPE"]


@pytest.mark.parametrize("value", [5, "NAS", ["NAS"], None, True])
def test_a_target_is_an_object(value: object) -> None:
    assert codes(row(config=targets(value))) == ["CFG_TYPE"]


@pytest.mark.parametrize("value", [5, "x", True])
def test_the_column_is_an_object(value: object) -> None:
    assert "CFG_TYPE" in codes(row(config=value))


def test_an_unknown_field_is_refused_with_the_nearest_known_name() -> None:
    reading = read(row(config={"fromat": "CSV", "targets": [{"type": "NAS", "paht": "x"}]}))

    assert [problem.code for problem in reading.problems] == ["CFG_UNKNOWN_FIELD"] * 2
    assert "did you mean 'format'?" in reading.problems[0].text
    assert "did you mean 'path'?" in reading.problems[1].text
    assert reading.problems[1].field == "DISTRIBUTION_CONFIG.targets[0]"


def test_a_file_target_has_no_recipients_and_a_mail_has_no_path() -> None:
    file_target: object = {"type": "NAS", "to": ["a@corp.com"]}
    mail: object = {"type": "EMAIL", "to": ["a@corp.com"], "path": "x"}

    assert codes(row(config=targets(file_target, mail))) == ["CFG_UNKNOWN_FIELD"] * 2


@pytest.mark.parametrize("name", ["acmee", "ACME", 5, ["acme"], "archive"])
def test_a_destination_that_is_not_there_or_takes_something_else_is_refused(name: object) -> None:
    assert codes(row(config=targets({"type": "SFTP", "destination": name}))) == ["CFG_DESTINATION"]


def test_a_slip_in_a_destination_gets_a_hint() -> None:
    reading = read(row(config=targets({"type": "SFTP", "destination": "acne"})))

    assert reading.problems[0].text == "there is no destination 'acne'; did you mean 'acme'?; have acme"


def test_a_destination_that_is_not_there_is_refused_with_those_that_take_such_a_target() -> None:
    (problem,) = read(row(config=targets({"type": "NAS", "destination": "b"}))).problems
    (no_name,) = read(row(config=targets({"type": "NAS", "destination": ""}))).problems
    (none,) = read(row(config=targets({"type": "FTPS", "destination": "b"})), WITHOUT_FTPS).problems

    assert problem.text == "there is no destination 'b'; have archive, share"
    assert no_name.text == "the destination's name is empty; have archive, share"
    assert none.text == "there is no destination 'b'; none takes FTPS"


def test_a_destination_that_is_switched_off_is_told_from_one_that_is_not_there() -> None:
    rules = replace(RULES, switched_off=frozenset({"off"}))
    (problem,) = read(row(entry("NAS", "nas://off/in"), DISTRIBUTION_CONFIG=None), rules).problems

    assert problem.code == "CFG_DESTINATION"
    assert problem.text == "the destination 'off' is switched off; have archive, share"


WITHOUT_FTPS = replace(
    RULES, destinations={name: rule for name, rule in RULES.destinations.items() if name != "partner"}
)

LOGINS = [
    "sftp://user:Hunter2SecretPw@sftp.example.com/in",
    "sftp://user:Hunter2/Secret Pw@sftp.example.com/in",
    "sftp://user:Hunter2'Secret\"?Pw@acme/in",
    "sftp://user:Hunter2@SecretPw@acme",
    "https://user:Hunter2SecretPw@acme/in",
    "sftp:/user:Hunter2SecretPw@acme/in",
    "user:Hunter2SecretPw@sftp.example.com/in",
    "user:Hunter2SecretPw@acme",
    "in/user:Hunter2SecretPw@acme",
]


@pytest.mark.parametrize("type_", ["SFTP", "NAS", "S3"])
@pytest.mark.parametrize("written", LOGINS)
def test_a_password_in_a_place_is_refused_as_such_and_nothing_of_it_is_told(type_: str, written: str) -> None:
    for raw in (
        row(entry(type_, written), DISTRIBUTION_CONFIG=None),
        row(config=targets({"type": type_, "destination": written})),
        row(config=targets({"type": type_, "path": written})),
    ):
        problems = read(raw).problems

        assert "SEC_INLINE_SECRET" in [problem.code for problem in problems]
        for part in ("Hunter2", "Secret", "Pw"):
            assert part not in str(problems)


@pytest.mark.parametrize("written", [*LOGINS[:5], "smtp://user:Hunter2,SecretPw@mail.example.com"])
def test_a_password_among_mail_addresses_is_refused_as_such(written: str) -> None:
    (problem,) = read(row(entry("EMAIL", written), DISTRIBUTION_CONFIG=None)).problems

    assert problem.code == "SEC_INLINE_SECRET"
    assert "Hunter2" not in problem.text


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("someone@sftp.example.com", "'sftp.example.com' is no configured destination"),
        ("someone:@sftp.example.com:22", "'sftp.example.com' is no configured destination"),
        ("someone@acme", "says more than the name of the destination 'acme'"),
        ("acme:22", "says more than the name of the destination 'acme'"),
        ("acme?sig=Hunter2", "says more than the name of the destination 'acme'"),
        ("b.example.com?X-Amz-Signature=Hunter2", "'b.example.com' is no configured destination"),
        ("Hunter2 Hunter2", "is no configured destination"),
        ("SHVudGVyMlNlY3JldFB3SHVudGVyMlNlY3JldFB3SHVudGVyMlNlY3JldFB3SHVudGVyMlNlY3JldFB3", ""),
    ],
)
def test_of_an_address_only_the_host_is_told(written: str, said: str) -> None:
    (problem,) = read(row(config=targets({"type": "SFTP", "destination": written}))).problems

    assert problem.code == "SEC_TARGET_FORBIDDEN"
    assert (
        problem.text
        == f"{said or 'is no configured destination'}; users, hosts and ports cannot be asked for"
    )


HOSTS = [
    "allowed.com@evil",
    "allowed.com\\@evil",
    "allowed.com#@evil",
    "allowed.com.evil.com",
    "ⓔxample.com",
    "acme.",
    "acme:0",
    "acme:22",
    "acme:99999",
    "127.0.0.1",
    "[::1]",
    "acme ",
    "acme\n",
    "x" * 65,
]


@pytest.mark.parametrize("host", HOSTS)
def test_hosts_and_ports_cannot_be_asked_for(host: str) -> None:
    column = row(config=targets({"type": "SFTP", "destination": host}))
    table = row(entry("SFTP", f"sftp://{host}/in"), config=targets())

    assert codes(column) == ["SEC_TARGET_FORBIDDEN"]
    assert "SEC_TARGET_FORBIDDEN" in codes(table)


@pytest.mark.parametrize(
    "bucket", ["My_Bucket.x", "127.0.0.1", "arn:aws:s3:::other", "arn:aws:s3:eu:1:accesspoint/x"]
)
def test_a_bucket_that_is_not_configured_is_refused(bucket: str) -> None:
    assert codes(row(config=targets({"type": "S3", "destination": bucket}))) == ["SEC_TARGET_FORBIDDEN"]


PATHS = [
    ("../../etc", "SEC_PATH"),
    ("/etc", "SEC_PATH"),
    ("%2e%2e%2fetc", "SEC_PATH"),
    ("\uff0e\uff0e\uff0fetc", "SEC_PATH"),
    ("..;/x", "SEC_PATH"),
    ("....//x", "SEC_PATH"),
    ("a\x00b", "SEC_PATH"),
    ("a\nb", "SEC_PATH"),
    ("a\tb", "SEC_PATH"),
    ("a\x7fb", "SEC_PATH"),
    ("a\u2028b", "SEC_PATH"),
    ("\\\\evil\\share\\x", "SEC_PATH"),
    ("\\\\?\\C:\\x", "SEC_PATH"),
    ("a:stream", "SEC_PATH"),
    ("CON", "CFG_SMB_NAME"),
    ("in/nul.txt", "CFG_SMB_NAME"),
    ("a.", "CFG_SMB_NAME"),
    ("a ", "CFG_SMB_NAME"),
    ("a<b>", "CFG_SMB_NAME"),
    ("é" * 200, "CFG_PATH_TOO_LONG"),
    ("x/" * 300 + "x", "CFG_PATH_TOO_LONG"),
    (5, "CFG_TYPE"),
    (["in"], "CFG_TYPE"),
]


@pytest.mark.parametrize("char", ["\\u0000", "\\u007f"])
def test_a_control_character_in_a_path_is_refused_as_a_path_in_json_too(char: str) -> None:
    listed = f'[{{"type":"NAS","path":"a{char}b"}}]'

    assert codes(row(DISTRIBUTION_CONFIG=f'{{"targets":{listed}}}')) == ["SEC_PATH"]
    assert codes(row(DISTRIBUTION_CONFIG=listed)) == ["SEC_PATH"]
    assert codes(row(DISTRIBUTION_CONFIG=listed.replace("path", "file_name"))) == ["VAL_CONTROL_CHAR"]


@pytest.mark.parametrize(("path", "code"), PATHS)
def test_a_path_that_leads_out_or_means_two_things_is_refused(path: object, code: str) -> None:
    table = row(entry("NAS", path), config=targets())

    assert code in codes(table)
    assert fields(table)[0] == "DISTRIBUTION_CONFIG[C-1].TARGET_PATH"
    if not isinstance(path, str) or path.isprintable():  # the others are not even JSON
        column = row(config=targets({"type": "NAS", "path": path}))
        assert code in codes(column)
        assert fields(column)[0] == "DISTRIBUTION_CONFIG.targets[0].path"


def test_an_object_name_has_at_most_1024_bytes() -> None:
    long_name = "ü" * 100
    deep = "/".join([long_name] * 4)
    config = {"file_name": "ü" * 90 + "/" + "ü" * 60 + ".pdf", "targets": [{"type": "S3", "path": deep}]}

    assert codes(row(config=config)) == ["CFG_KEY"]
    assert good(row(config=config | {"targets": [{"type": "NAS", "path": deep}]})).targets[0].path


def test_the_folders_of_a_file_name_count_as_part_of_the_path() -> None:
    long_path = "/".join(["x" * 99] * 5)
    config = {"file_name": "x" * 99 + "/a.pdf", "targets": [{"type": "NAS", "path": long_path}]}

    assert codes(row(config=config)) == ["CFG_PATH_TOO_LONG"]


@pytest.mark.parametrize("raw", ["false", 1, 0, "", [True]])
def test_a_truth_value_in_json_is_true_or_false(raw: object) -> None:
    assert codes(row(config=targets({"type": "NAS", "enabled": raw}))) == ["CFG_BOOL"]


def test_what_is_switched_off_does_nothing_and_may_be_broken() -> None:
    off: list[object] = [
        {"type": "SCP", "enabled": False},
        {"type": "NAS", "path": "../..", "enabled": False},
        {"type": "NAS", "destination": "nowhere", "nonsense": 1, "enabled": False},
    ]
    request = good(row(entry("SCP", ENABLED=False), config=targets(*off, {"type": "NAS", "path": "in"})))

    assert [(target.number, target.path) for target in request.targets] == [(1, "in")]


# -- mails


def test_a_mail_has_its_recipients_each_once() -> None:
    target: object = {
        "type": "EMAIL",
        "to": ["cfo@Example.com", "cfo@example.com"],
        "cc": ["boss@corp.com", "CFO@example.com"],
        "bcc": ["boss@corp.com", "log@corp.com"],
        "subject": "{{ report }} of {{ as_of }}",
        "body": "Hello,\r\nhere is {{ report }}.\nC:\\reports",
    }
    found = good(row(config=targets(target))).targets[0]

    assert found.destination == "mail"
    assert found.path == ""
    assert found.mail == Mail(
        to=("cfo@example.com",),
        cc=("boss@corp.com",),
        bcc=("log@corp.com",),
        subject="Monthly of 2026-10-31",
        body="Hello,\nhere is Monthly.\nC:\\reports",
    )


def test_a_mail_without_subject_has_the_reports_name() -> None:
    mail = good(row(config=targets({"type": "EMAIL", "to": "a@corp.com"}))).targets[0].mail

    assert mail == Mail(("a@corp.com",), "Monthly")


ADDRESSES = [
    ("a@x.com\r\nBcc: evil@y", "SEC_HEADER_INJECTION"),
    ("a@x.com>\r\nRCPT TO:<evil@y", "SEC_HEADER_INJECTION"),
    ("alice@corp.com)bob@evil.com", "VAL_EMAIL"),
    ('"a@corp.com" <evil@x.com>', "VAL_EMAIL"),
    ("a@evil.com", "SEC_TARGET_FORBIDDEN"),
    ("a@corp.com.evil.com", "SEC_TARGET_FORBIDDEN"),
    ("corp.com", "VAL_EMAIL"),
    ("", "VAL_EMAIL"),
]


@pytest.mark.parametrize(("address", "code"), ADDRESSES)
@pytest.mark.parametrize("name", ["to", "cc", "bcc"])
def test_an_address_is_one_plain_address_of_an_allowed_domain(name: str, address: str, code: str) -> None:
    target: object = {"type": "EMAIL", "to": ["a@corp.com"]} | {name: [address]}

    assert codes(row(config=targets(target))) == [code]
    assert fields(row(config=targets(target))) == [f"DISTRIBUTION_CONFIG.targets[0].{name}"]


@pytest.mark.parametrize("address", ["a@corp.com,evil@x", "a@corp.com;evil@x"])
def test_a_list_of_addresses_in_json_is_a_list(address: str) -> None:
    assert codes(row(config=targets({"type": "EMAIL", "to": address}))) == ["VAL_EMAIL"]


@pytest.mark.parametrize("to", [None, [], 5, {"a@corp.com": 1}, [5], [["a@corp.com"]]])
def test_a_mail_needs_at_least_one_address(to: object) -> None:
    assert codes(row(config=targets({"type": "EMAIL", "to": to}))) == ["VAL_EMAIL"]


def test_a_message_takes_fifty_recipients() -> None:
    fifty: list[object] = [f"a{number}@corp.com" for number in range(50)]
    more: list[object] = [f"a{number}@corp.com" for number in range(5_000)]

    assert len(good(row(config=targets({"type": "EMAIL", "to": fifty, "cc": fifty}))).targets) == 1
    for to, cc in ((more, []), (fifty, ["b@corp.com"]), (more[:51], [])):
        assert codes(row(config=targets({"type": "EMAIL", "to": to, "cc": cc}))) == [
            "VAL_TOO_MANY_RECIPIENTS"
        ]


@pytest.mark.parametrize("subject", ["a\nBcc: x", "a\r\nb"])
def test_a_subject_is_one_line(subject: str) -> None:
    target: object = {"type": "EMAIL", "to": "a@corp.com", "subject": subject}

    assert codes(row(config=targets(target))) == ["SEC_HEADER_INJECTION"]


def test_a_parameter_cannot_break_a_subject_either() -> None:
    target: object = {"type": "EMAIL", "to": "a@corp.com", "subject": "{{ region }}"}
    mail = good(row(PARAMETERS='{"region": "N\\nBcc: x"}', config=targets(target))).targets[0].mail

    assert mail is not None
    assert mail.subject == "N\\nBcc: x"


def test_a_long_subject_is_cut_once_it_is_filled_in() -> None:
    target: object = {"type": "EMAIL", "to": "a@corp.com", "subject": "x" * 190 + "{{ report }}" * 4}
    mail = good(row(config=targets(target))).targets[0].mail

    assert mail is not None
    assert len(mail.subject) == 200


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"subject": 5}, "VAL_SUBJECT"),
        ({"subject": "{{ x.y }}"}, "TPL_FORBIDDEN"),
        ({"subject": "{{ nobody }}"}, "TPL_UNKNOWN_NAME"),
        ({"body": 5}, "CFG_TYPE"),
        ({"body": "x" * 10_001}, "TPL_LIMIT"),
        ({"body": "hello\n{{ report"}, "TPL_SYNTAX"),
        ({"body": "{% for i in x %}"}, "TPL_SYNTAX"),
    ],
)
def test_a_mail_is_checked_before_anything_is_made(changed: dict[str, object], code: str) -> None:
    target: object = {"type": "EMAIL", "to": "a@corp.com"} | changed

    assert codes(row(config=targets(target))) == [code]


# -- in the table


def test_a_table_row_is_a_path_below_the_default_destination_of_its_type() -> None:
    request = good(row(entry("NAS", "finance/monthly"), DISTRIBUTION_CONFIG=None))

    assert request.targets == (Target(1, TargetType.NAS, "archive", "finance/monthly", "Monthly_R-1.pdf"),)


def test_a_table_row_without_path_means_the_root() -> None:
    assert good(row(entry("NAS", None), DISTRIBUTION_CONFIG=None)).targets[0].path == ""


@pytest.mark.parametrize(
    ("type_", "url", "expected"),
    [
        ("SFTP", "sftp://acme/in/finance", (TargetType.SFTP, "acme", "in/finance")),
        ("FTP", "sftp://acme/in", (TargetType.SFTP, "acme", "in")),
        ("FTP", "ftps://partner", (TargetType.FTPS, "partner", "")),
        ("NAS", "smb://share/Finanz%C3%BCbersicht/", (TargetType.SMB, "share", "Finanzübersicht")),
        ("S3", "S3://bucket/a/b", (TargetType.S3, "bucket", "a/b")),
        ("NAS", "nfs://archive/a%20b", (TargetType.NAS, "archive", "a b")),
    ],
)
def test_a_url_names_a_destination_and_a_path(
    type_: str, url: str, expected: tuple[TargetType, str, str]
) -> None:
    target = good(row(entry(type_, url), DISTRIBUTION_CONFIG=None)).targets[0]

    assert (target.type, target.destination, target.path) == expected


@pytest.mark.parametrize(
    ("type_", "url", "code"),
    [
        ("SFTP", "ftp://acme/in", "CFG_TARGET_TYPE"),
        ("SFTP", "https://acme/in", "CFG_TARGET_TYPE"),
        ("NAS", "file:///etc/passwd", "CFG_TARGET_TYPE"),
        ("SFTP", "sftp://acme/in?x=1", "CFG_URL"),
        ("SFTP", "sftp://acme/in#x", "CFG_URL"),
        ("SFTP", "sftp://acme/%2e%2e/x", "SEC_PATH"),
        ("SFTP", "sftp://acme/%252e%252e/x", "SEC_PATH"),
        ("SFTP", "sftp://acme/%c0%ae%c0%ae/x", "SEC_PATH"),
        ("SFTP", "sftp://acme//etc", "SEC_PATH"),
        ("SFTP", "sftp://acme/a%0Ab", "SEC_PATH"),
        ("SFTP", "sftp:///in", "CFG_DESTINATION"),
        ("SFTP", "sftp://acmee/in", "CFG_DESTINATION"),
        ("SFTP", "x y://acme/in", "SEC_PATH"),
        ("SFTP", "sftp:/acme/in", "SEC_PATH"),
        ("SFTP", "sftp://acme/\ud800", "SEC_PATH"),
    ],
)
def test_a_url_that_is_anything_else_is_refused(type_: str, url: str, code: str) -> None:
    assert set(codes(row(entry(type_, url), DISTRIBUTION_CONFIG=None))) == {code}


def test_a_table_row_of_mail_has_its_addresses_for_a_path() -> None:
    request = good(row(entry("EMAIL", "a@corp.com; b@corp.com,c@corp.com"), DISTRIBUTION_CONFIG=None))

    assert request.targets[0].mail == Mail(("a@corp.com", "b@corp.com", "c@corp.com"), "Monthly")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        *ADDRESSES,
        ("a@corp.com,evil@x", "VAL_EMAIL"),
        ("a@corp.com,", "VAL_EMAIL"),
        (None, "VAL_EMAIL"),
        (5, "VAL_EMAIL"),
    ],
)
def test_the_addresses_of_a_table_row_are_checked_one_by_one(path: object, code: str) -> None:
    assert codes(row(entry("EMAIL", path), DISTRIBUTION_CONFIG=None)) == [code]


@pytest.mark.parametrize("enabled", [True, 1, None])
def test_a_table_row_is_switched_on_unless_it_says_otherwise(enabled: object) -> None:
    assert len(good(row(entry(ENABLED=enabled), DISTRIBUTION_CONFIG=None)).targets) == 1


@pytest.mark.parametrize("enabled", [False, 0])
def test_a_table_row_that_is_switched_off_is_no_target(enabled: object) -> None:
    assert codes(row(entry(ENABLED=enabled), DISTRIBUTION_CONFIG=None)) == ["VAL_NO_TARGETS"]


@pytest.mark.parametrize("enabled", ["false", "true", "", 2, 1.0, 0.0, [0], {"a": 1}])
def test_a_text_is_no_truth_value(enabled: object) -> None:
    raw = row(entry(ENABLED=enabled), DISTRIBUTION_CONFIG=None)

    assert codes(raw)[0] == "CFG_BOOL"
    assert fields(raw)[0] == "DISTRIBUTION_CONFIG[C-1].ENABLED"


@pytest.mark.parametrize(
    "secret", ["audit-db", "*", "arn:aws:secretsmanager:eu:1:secret:x", "Acme-key", 5, True]
)
def test_a_request_cannot_name_credentials_that_its_destination_does_not_use(secret: object) -> None:
    raw = row(entry("SFTP", "in", CREDENTIALS_SECRET=secret), DISTRIBUTION_CONFIG=None)

    assert codes(raw) == ["SEC_SECRET_FORBIDDEN"]
    assert str(secret) not in read(raw).problems[0].text
    assert "acme-key" not in read(raw).problems[0].text


@pytest.mark.parametrize("secret", ["acme-key", "", None])
def test_a_request_may_name_the_credentials_its_destination_uses(secret: object) -> None:
    good(row(entry("SFTP", "in", CREDENTIALS_SECRET=secret), DISTRIBUTION_CONFIG=None))
    good(row(config=targets({"type": "SFTP", "credentials_secret": secret})))


def test_problems_name_a_table_row_by_its_id_or_else_by_its_position() -> None:
    bad = row(
        entry("SCP"), entry("SCP", CONFIG_ID=None), entry("SCP", CONFIG_ID="a\nb"), DISTRIBUTION_CONFIG=None
    )

    assert fields(bad) == [
        "DISTRIBUTION_CONFIG[C-1].TARGET_TYPE",
        "DISTRIBUTION_CONFIG[1].TARGET_TYPE",
        "DISTRIBUTION_CONFIG[a\\nb].TARGET_TYPE",
    ]


# -- both together


def test_the_targets_of_column_and_table_count_together() -> None:
    request = good(row(entry("SFTP", "in"), config=targets({"type": "NAS", "path": "out"})))

    assert [(target.number, target.destination) for target in request.targets] == [
        (1, "archive"),
        (2, "acme"),
    ]


def test_the_same_target_in_both_is_one() -> None:
    request = good(
        row(
            entry("SFTP", "sftp://acme/in"),
            entry("EMAIL", "a@corp.com"),
            config=targets({"type": "SFTP", "path": "in"}, {"type": "EMAIL", "to": "a@Corp.com"}),
        )
    )

    assert [target.number for target in request.targets] == [1, 2]


@pytest.mark.parametrize(
    ("named", "table"),
    [
        ({"type": "SFTP", "path": "in", "file_name": "other.pdf"}, entry("SFTP", "in")),
        ({"type": "SFTP", "path": "in"}, entry("SFTP", "in", ENABLED=False)),
        ({"type": "SFTP", "path": "in", "enabled": False}, entry("SFTP", "in")),
        ({"type": "EMAIL", "to": "a@corp.com", "subject": "x"}, entry("EMAIL", "a@corp.com")),
        ({"type": "EMAIL", "to": "a@corp.com", "bcc": "b@corp.com"}, entry("EMAIL", "a@corp.com,b@corp.com")),
    ],
)
def test_the_same_target_in_both_with_other_content_is_a_conflict(
    named: object, table: dict[str, object]
) -> None:
    assert codes(row(table, config=targets(named))) == ["CFG_TARGET_CONFLICT"]


@pytest.mark.parametrize(
    "config", [{}, {"targets": []}, {"targets": None}, [], {"targets": [{"type": "NAS", "enabled": False}]}]
)
def test_a_request_needs_a_target(config: object) -> None:
    assert codes(row(config=config)) == ["VAL_NO_TARGETS"]


def test_a_request_without_any_configuration_needs_a_target() -> None:
    assert codes(row(DISTRIBUTION_CONFIG=None)) == ["VAL_NO_TARGETS"]
    assert codes(row(DISTRIBUTION_CONFIG="null")) == ["VAL_NO_TARGETS"]


def test_a_request_that_says_none_needs_no_target() -> None:
    assert good(row(config={"targets": "none"})).targets == ()
    assert good(row(entry(ENABLED=False), config={"targets": "none"})).targets == ()


def test_a_request_that_says_none_and_has_targets_contradicts_itself() -> None:
    assert codes(row(entry(), config={"targets": "none"})) == ["CFG_TARGET_CONFLICT"]


def test_two_files_of_the_same_name_in_the_same_place_collide() -> None:
    """Upper and lower case are the same on some targets."""
    twice = targets({"type": "NAS", "path": "in"}, {"type": "NAS", "destination": "archive", "path": "IN/"})

    assert codes(row(config=twice)) == ["CFG_NAME_COLLISION"]
    assert codes(row(entry("NAS", "in"), entry("NAS", "in"), DISTRIBUTION_CONFIG=None)) == [
        "CFG_NAME_COLLISION"
    ]


def test_two_files_of_other_names_in_the_same_place_do_not_collide() -> None:
    config = targets({"type": "NAS"}, {"type": "NAS", "file_name": "other.pdf"})

    assert [target.file_name for target in good(row(config=config)).targets] == [
        "Monthly_R-1.pdf",
        "other.pdf",
    ]


def test_the_same_mail_twice_is_a_slip_and_another_mail_to_the_same_people_is_not() -> None:
    mail: dict[str, object] = {"type": "EMAIL", "to": "a@corp.com"}

    assert codes(row(config=targets(mail, mail))) == ["CFG_NAME_COLLISION"]
    assert len(good(row(config=targets(mail, mail | {"subject": "other"}))).targets) == 2


def test_a_request_has_at_most_fifty_targets() -> None:
    fifty: list[object] = [{"type": "NAS", "path": f"in/{number}"} for number in range(50)]

    assert len(good(row(config=targets(*fifty))).targets) == 50
    assert codes(row(entry("NAS", "other"), config=targets(*fifty))) == ["CFG_TOO_MANY_TARGETS"]
    assert codes(row(config=targets(*(fifty * 20)))) == ["CFG_TOO_MANY_TARGETS"]
    assert codes(row(*[entry("NAS", str(n)) for n in range(1_000)], config=[])) == ["CFG_TOO_MANY_TARGETS"]


def test_fifty_targets_that_both_places_name_are_fifty() -> None:
    fifty: list[object] = [{"type": "NAS", "path": f"in/{number}"} for number in range(50)]
    table = [entry("NAS", f"in/{number}") for number in range(50)]

    assert len(good(row(*table, config=targets(*fifty))).targets) == 50


def test_a_type_has_one_default_and_only_where_it_is_marked() -> None:
    rules = IntakeRules(
        engines={},
        destinations={
            "one": DestinationRule(TargetType.NAS),
            "two": DestinationRule(TargetType.NAS, default=True),
        },
    )

    assert rules.defaults[TargetType.NAS] == "two"
    assert rules.defaults[TargetType.S3] == ""


@pytest.mark.parametrize(
    ("type_", "said"),
    [
        ("NAS", "no destination is named, and none is the default of NAS; name one: have one, share, two"),
        (
            "FTP",
            "no destination is named, and none is the default of FTP; name one: have plain, safe, second",
        ),
        ("S3", "no destination takes S3; have FTP, NAS, SFTP, SMB"),
    ],
)
def test_a_target_without_destination_is_told_what_it_may_choose_from(type_: str, said: str) -> None:
    """Also where the only default is one of another variant."""
    rules = replace(
        RULES,
        destinations={
            "one": DestinationRule(TargetType.NAS),
            "two": DestinationRule(TargetType.NAS),
            "share": DestinationRule(TargetType.SMB, default=True),
            "plain": DestinationRule(TargetType.FTP),
            "second": DestinationRule(TargetType.FTP),
            "safe": DestinationRule(TargetType.SFTP, default=True),
        },
    )
    (in_column,) = read(row(config=targets({"type": type_})), rules).problems
    (in_table,) = read(row(entry(type_, "in"), DISTRIBUTION_CONFIG=None), rules).problems
    at_fault = {"S3": ("type", "TARGET_TYPE")}.get(type_, ("destination", "TARGET_PATH"))

    assert {in_column.code, in_table.code} == {"CFG_DESTINATION"}
    assert {in_column.text, in_table.text} == {said}
    assert in_column.field == f"DISTRIBUTION_CONFIG.targets[0].{at_fault[0]}"
    assert in_table.field == f"DISTRIBUTION_CONFIG[C-1].{at_fault[1]}"
