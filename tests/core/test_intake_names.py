from __future__ import annotations

import pytest

from core.worktable_rows import codes, fields, good, read, row


def named(file_name: object, **config: object) -> dict[str, object]:
    """A DISTRIBUTION_CONFIG with this file name."""
    return {"file_name": file_name, "targets": [{"type": "NAS", "path": "in"}]} | config


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("fixed.pdf", "fixed.pdf"),
        ("{{ report }}.pdf", "Monthly.pdf"),
        ("{{ report | lower }}_{{ as_of }}.pdf", "monthly_2026-10-31.pdf"),
        ('{{ as_of | date("%Y-%m") }}.pdf', "2026-10.pdf"),
        ("{{ request_id }}-{{ report_type }}-{{ requested_by }}.pdf", "R-1-PYTHON-analyst.pdf"),
        ('{{ now | date("%Y%m%d-%H%M") }}.pdf', "20261101-0630.pdf"),
        ("{{ now }}.pdf", "2026-11-01T06_30_00Z.pdf"),
        ("{{ format | lower }}.pdf", "pdf.pdf"),
        ('{{ nothing | default("all") }}.pdf', "all.pdf"),
    ],
)
def test_a_file_name_is_made_from_the_requests_own_values(template: str, expected: str) -> None:
    assert good(row(config=named(template))).file_name == expected


def test_the_requests_own_names_come_before_parameters_of_the_same_name() -> None:
    raw = row(
        PARAMETERS='{"report": "x", "request_id": "y"}', config=named("{{ report }}_{{ request_id }}.pdf")
    )

    assert good(raw).file_name == "Monthly_R-1.pdf"


def test_folders_of_a_file_name_go_below_each_targets_path() -> None:
    request = good(row(config=named("{{ region }}/{{ as_of }}/x.pdf")))

    assert request.file_name == "x.pdf"
    assert request.targets[0].path == "in/N/2026-10-31"
    assert request.targets[0].file_name == "x.pdf"


def test_a_target_may_have_a_file_name_of_its_own() -> None:
    config = named(
        "a.pdf", targets=[{"type": "NAS", "file_name": "b.pdf"}, {"type": "EMAIL", "to": "a@corp.com"}]
    )
    request = good(row(config=config))

    assert request.file_name == "a.pdf"
    assert [target.file_name for target in request.targets] == ["b.pdf", "a.pdf"]


def test_a_value_never_leads_to_another_folder() -> None:
    raw = row(PARAMETERS='{"region": "../../etc/x"}', config=named("out/{{ region }}.pdf"))

    assert good(raw).targets[0].path == "in/out"
    assert "/" not in good(raw).targets[0].file_name


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("{{ cycler.__init__.__globals__.os.popen('id').read() }}.pdf", "TPL_FORBIDDEN"),
        ("{{ ''.__class__ }}.pdf", "TPL_FORBIDDEN"),
        ("{{ report|attr('__class__') }}.pdf", "TPL_FORBIDDEN"),
        ("{% include '/etc/passwd' %}.pdf", "TPL_FORBIDDEN"),
        ("{% for i in range(10**7) %}x{% endfor %}.pdf", "TPL_LIMIT"),
        ("{{ 'a'*10**9 }}.pdf", "TPL_LIMIT"),
        ("{{ 'a'|center(10**9) }}.pdf", "TPL_LIMIT"),
        ("x" * 65_536 + ".pdf", "TPL_LIMIT"),
        ("{{ name }", "TPL_SYNTAX"),
        ('{{ now | date("%Y", "Mars/Base") }}.pdf', "TPL_TZ"),
        ("{{ nothing }}.pdf", "TPL_UNKNOWN_NAME"),
        ("", "TPL_BAD_NAME"),
        ("..", "TPL_BAD_NAME"),
        (".hidden.pdf", "TPL_BAD_NAME"),
        ("CON.pdf", "TPL_BAD_NAME"),
        ("-rf.pdf", "TPL_BAD_NAME"),
        ("/etc/x.pdf", "TPL_BAD_NAME"),
        ("a\\b.pdf", "TPL_BAD_NAME"),
        ("x" * 300 + ".pdf", "TPL_BAD_NAME"),
        ("report.xlsx", "TPL_EXT"),
        ("report", "TPL_EXT"),
        ("report.exe.pdf", "TPL_EXT"),
        (5, "CFG_TYPE"),
        (["x.pdf"], "CFG_TYPE"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_at_intake(template: object, code: str) -> None:
    whole = row(config=named(template))
    one = row(config={"targets": [{"type": "NAS", "file_name": template}]})

    assert code in codes(whole)
    assert fields(whole)[0] == "DISTRIBUTION_CONFIG.file_name"
    assert code in codes(one)
    assert fields(one)[0] == "DISTRIBUTION_CONFIG.targets[0].file_name"


def test_a_bad_template_is_found_even_where_the_values_for_it_are_bad_too() -> None:
    """And no value is called missing that could not be read."""
    assert codes(row(PARAMETERS="[", config=named("{{ x.y }}.pdf"))) == ["VAL_JSON", "TPL_FORBIDDEN"]
    assert codes(row(PARAMETERS="[", config=named("{{ as_of }}.pdf"))) == ["VAL_JSON"]


@pytest.mark.parametrize("region", ["...", "", None, {"a": 1}])
def test_a_value_without_a_text_is_named_by_its_parameter(region: object) -> None:
    raw = row(PARAMETERS={"region": region}, config=named("{{ region }}.pdf"))

    assert codes(raw) in (["TPL_BAD_NAME"], ["TPL_VALUE"])
    assert read(raw).problems[0].field == "DISTRIBUTION_CONFIG.file_name"
