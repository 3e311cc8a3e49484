"""Every stable code: what it means and what to do about it. `docs/reference/codes.md` is made from this table.

A code is `AREA_REASON`: VAL request, CFG configuration or target, SEC security refusal, TPL template,
ENG engine, STG staging, EVT event, DST delivery, PY Python engine, SYS the platform itself, RUN the
course of a run. The four transient codes are the ones of the retry strategy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """`meaning` says what happened, `remedy` what a person can do about it."""

    meaning: str
    remedy: str


CODES: Final[dict[str, CodeInfo]] = {
    # transient: the retry strategy's four
    "ConnectionTimeout": CodeInfo(
        "The other side did not answer in time.",
        "Check that the host is up and reachable, if it stays so.",
    ),
    "ServiceUnavailable": CodeInfo(
        "The other side is down or refuses work for now.",
        "Check the service, if it stays so.",
    ),
    "ThrottlingException": CodeInfo(
        "The other side asks for fewer calls.",
        "Lower max_concurrency of the engine or destination, if it stays so.",
    ),
    "TemporaryFailure": CodeInfo(
        "A passing fault.", "Look at what the text says has failed, if it stays so."
    ),
    # VAL: the request
    "VAL_REPORT_TYPE": CodeInfo(
        "There is no engine for the report type.", "Use one of the report types listed."
    ),
    "VAL_PARAMETERS_TYPE": CodeInfo(
        "The parameters are no JSON object.",
        'Store an object like {"region": "N"} itself, not a text that holds one.',
    ),
    "VAL_FORMAT": CodeInfo("The report cannot be had in this format.", "Use one of the formats listed."),
    "VAL_PRIORITY": CodeInfo(
        "The priority is no whole number from 1 to 9.", "Write 1 (most urgent) to 9, or nothing for 5."
    ),
    "VAL_REQUESTED_BY": CodeInfo(
        "The requester is missing, too long, or holds a line break or control character.",
        "Write the name or address in one line of at most 100 characters.",
    ),
    "VAL_REQUESTED_AT": CodeInfo(
        "The time of the request is no time, or lies in the future.",
        "Write it like 2026-11-01 06:30:00, in UTC, or leave it out; check the clock of whoever wrote it.",
    ),
    "VAL_DUPLICATE_ID": CodeInfo(
        "Another row asks for the same under the same id.", "Nothing: that row's request stands."
    ),
    "VAL_DUPLICATE_ID_CONFLICT": CodeInfo(
        "Another request has this id.",
        "Leave the first as it is, and submit this one under an id of its own.",
    ),
    "VAL_EXPIRED": CodeInfo(
        "The request is older than the platform takes up.", "Submit it again if it is still wanted."
    ),
    "VAL_NO_TARGETS": CodeInfo(
        "The request has no target that is switched on.",
        'Name a target, or write "targets": "none" to have the report staged only.',
    ),
    "VAL_REQUEST_ID": CodeInfo(
        "The request id is missing or has characters it may not have.",
        "Use 1 to 36 of A-Z a-z 0-9 . _ - and submit again.",
    ),
    "VAL_REPORT_NAME": CodeInfo(
        "The report name is missing, too long, or holds characters nobody can see.",
        "Write the name in at most 255 visible characters.",
    ),
    "VAL_TOO_LARGE": CodeInfo(
        "The input is larger than allowed and was not read.", "Send less; a request takes at most 256 KiB."
    ),
    "VAL_JSON": CodeInfo("A text that should be JSON is not.", "Mend the JSON at the line and column named."),
    "VAL_JSON_DUPLICATE_KEY": CodeInfo("A JSON object has the same key twice.", "Keep one of the two."),
    "VAL_JSON_NUMBER": CodeInfo(
        "A JSON number is NaN, infinite or beyond 64 bits.", "Write null, or the number as text."
    ),
    "VAL_JSON_DEPTH": CodeInfo(
        "JSON objects and arrays are too deep in one another.", "Flatten the input to at most 32 levels."
    ),
    "VAL_CONTROL_CHAR": CodeInfo(
        "A text holds a control character.", "Remove it; tab and line breaks are allowed in values."
    ),
    "VAL_ENCODING": CodeInfo(
        "A text is not UTF-8, or holds half of a surrogate pair.", "Send the text as UTF-8."
    ),
    "VAL_EMAIL": CodeInfo(
        "An address is not one plain e-mail address.",
        "Write one address per item, like name@example.com, without a display name.",
    ),
    "VAL_TOO_MANY_RECIPIENTS": CodeInfo(
        "A message has more recipients than allowed.",
        "Use a mailing list, or several requests; a message takes 50.",
    ),
    "VAL_SUBJECT": CodeInfo("A subject is not text.", "Write the subject as one line of text."),
    "VAL_ENGINE_DISABLED": CodeInfo(
        "The report type has no engine here: it has no adapter yet, is not configured, or is switched off.",
        "Use one of the report types listed. An engine that is off or missing can be set up in engines.yaml; one "
        "without an adapter needs a later version.",
    ),
    "VAL_REPORT_UNKNOWN": CodeInfo(
        "There is no report of this name.",
        "Use one of the names the text suggests.",
    ),
    "VAL_PARAM_MISSING": CodeInfo(
        "A parameter that the report needs is not given.",
        "Give it in PARAMETERS.",
    ),
    "VAL_PARAM_UNKNOWN": CodeInfo(
        "A parameter is given that the report does not have.",
        "Correct its name or leave it out.",
    ),
    "VAL_PARAM_TYPE": CodeInfo(
        "A parameter's value is none of its type.",
        "Give a value as the text describes it; nothing is converted by guess.",
    ),
    "VAL_PARAM_LIMIT": CodeInfo(
        "A parameter's value is outside its limits.",
        "Give a value within the limits of the text.",
    ),
    "VAL_ALREADY_DONE": CodeInfo(
        "The request was published again after it had ended; nothing was done about it.",
        "Nothing; to have the report again, submit it under a new id.",
    ),
    # CFG: configuration and targets
    "CFG_UNKNOWN_FIELD": CodeInfo(
        "A field that nobody would read.",
        "Correct its name or remove it; the nearest known name is in the text.",
    ),
    "CFG_FILE": CodeInfo(
        "A configuration file or folder cannot be read, or is not where it is looked for.",
        "Correct its path or its permissions; the text says what stood in the way.",
    ),
    "CFG_YAML": CodeInfo(
        "A file is not YAML as it is read here: one document of names with values, in UTF-8.",
        "Go to the line that is named; quote texts with : { [ @ in them, and indent with blanks.",
    ),
    "CFG_ENV_FILE": CodeInfo(
        "A line of .env is not NAME=value.", "Correct the line that is named; close its quotes."
    ),
    "CFG_DUPLICATE_KEY": CodeInfo(
        "A name stands twice in one place, so that one of the two would be lost.",
        "Remove one of the two lines that are named.",
    ),
    "CFG_MISSING": CodeInfo(
        "A setting that is needed has no value.",
        "Give it one; the text says of what kind, or which others ask for it.",
    ),
    "CFG_UNSET_VARIABLE": CodeInfo(
        "A file uses ${NAME}, and no such variable is set.",
        "Set the variable in the environment or in .env; write $${ for the characters themselves.",
    ),
    "CFG_RANGE": CodeInfo("A number is too small or too large.", "Use one in the range that the text gives."),
    "CFG_CHOICE": CodeInfo("A value is none of those there are.", "Use one of those the text lists."),
    "CFG_NAME": CodeInfo("A name in the configuration cannot be one.", "Use letters, digits, dots, _ and -."),
    "CFG_PATH": CodeInfo(
        "A path in the configuration cannot be used.", "Write the whole path, without ~ and ?."
    ),
    "CFG_HOST": CodeInfo(
        "A host has no valid name or address.", "Write a name or address, with :port where one is due."
    ),
    "CFG_PORT": CodeInfo("A port is not a number from 1 to 65535.", "Write the number alone."),
    "CFG_EMAIL": CodeInfo(
        "A mail address in the configuration is none.", "Write name@example.com, one address alone."
    ),
    "CFG_BUCKET": CodeInfo(
        "No bucket can have this name.", "Use 3 to 63 small letters, digits, dots and hyphens."
    ),
    "CFG_INCONSISTENT": CodeInfo(
        "Two settings, each fine alone, contradict each other.",
        "Change one of them; the text explains how they depend.",
    ),
    "CFG_LOOP": CodeInfo(
        "Reports would be delivered into the platform's own staging, and from there again and again.",
        "Use another folder or bucket for the target.",
    ),
    "CFG_NO_ADAPTER": CodeInfo(
        "This version knows the type, but cannot reach such a system yet.",
        "Set enabled: false to keep the entry, or use one of the types that the text lists.",
    ),
    "CFG_TARGET_TYPE": CodeInfo(
        "There is no such target type, or a URL of another one.",
        "Use FTP, FTPS, SFTP, NAS, SMB, S3 or EMAIL.",
    ),
    "CFG_TARGET_CONFLICT": CodeInfo(
        "The column and the table DISTRIBUTION_CONFIG say different things about one target.",
        "Say it in one of the two places.",
    ),
    "CFG_TOO_MANY_TARGETS": CodeInfo(
        "The request has more targets than allowed.", "Split it into several requests, or use a mailing list."
    ),
    "CFG_BOOL": CodeInfo("A truth value is neither true nor false.", "Write true or false, not a text."),
    "CFG_URL": CodeInfo(
        "A URL has parts it may not have, or is none.",
        "Write it the way the text says; a target's is scheme://destination/path.",
    ),
    "CFG_KEY": CodeInfo(
        "Path and file name are too long for an object in a bucket.", "Shorten them to 1,024 bytes together."
    ),
    "CFG_LIMIT": CodeInfo(
        "An input is larger or more involved than allowed.",
        "Send or configure less; the limit is in the text.",
    ),
    "CFG_NOTIFY_ON": CodeInfo(
        "A notice does not say when to send it.", "Write COMPLETED, FAILED or both, or nothing for both."
    ),
    "CFG_NAME_COLLISION": CodeInfo(
        "Two files of one delivery would have the same name.", "Give them different names in the template."
    ),
    "CFG_TYPE": CodeInfo(
        "A value has the wrong type.",
        "Write it as the text, number or truth value that is asked for; quote text that looks like something else.",
    ),
    "CFG_PATH_TOO_LONG": CodeInfo(
        "A path or one of its names is longer than file systems store.",
        "Keep paths within 500 characters and each name within 255 bytes.",
    ),
    "CFG_SMB_NAME": CodeInfo(
        "A path holds a name that Windows does not take.",
        'Avoid < > " | ? *, blanks and dots at the ends, and device names such as CON or NUL.',
    ),
    "CFG_DESTINATION": CodeInfo(
        "A target names a destination that is not configured.",
        "Use a configured destination, or add this one to the destinations' configuration and retry.",
    ),
    "CFG_CHANNEL": CodeInfo(
        "A notify rule names a channel that is not configured.",
        "Use a configured channel, or add this one to the configuration.",
    ),
    "CFG_REPORT_SQL": CodeInfo(
        "A report's SQL and its declared parameters do not fit together.",
        "Declare every $name the SQL uses, and no other.",
    ),
    # SEC: security refusals
    "SEC_TLS_REQUIRED": CodeInfo(
        "Something would be sent over the network unencrypted.",
        "Use https://; only in mode: development, or to this machine, is http:// let pass.",
    ),
    "SEC_INLINE_SECRET": CodeInfo(
        "A secret stands, or would stand, in a configuration file, a URL or the place a request names.",
        "In a request, name a destination alone. In a file, keep it with the secrets and name it there, or put it in "
        "with ${VARIABLE}. Change the secret if it was seen.",
    ),
    "SEC_SECRET_EXPOSED": CodeInfo(
        "A file with a secret can be read by others than its owner.",
        "Run chmod 600 on the file, and change the secret if others may have read it.",
    ),
    "SEC_SECRET_FORMAT": CodeInfo(
        "A secret is empty, is no JSON object of texts, or lacks a field.",
        "Store the secret as a JSON object with the fields that the error names.",
    ),
    "SEC_SECRET_NOT_FOUND": CodeInfo(
        "There is no secret of that name.",
        "Check the name in the configuration, and store the secret where the error says it was looked for.",
    ),
    "SEC_SECRET_FORBIDDEN": CodeInfo(
        "A request names credentials that its destination does not use.",
        "Leave CREDENTIALS_SECRET empty; the destination's configuration names the right ones.",
    ),
    "SEC_SYMLINK": CodeInfo(
        "A path of a destination crosses a symbolic link.",
        "Name the real folder in the configuration or the path; links are never followed.",
    ),
    "SEC_PATH": CodeInfo(
        "A path leads, or may lead, out of its root, or is not what it looks like.",
        'Write a relative path of plain folder names joined by "/".',
    ),
    "SEC_HEADER_INJECTION": CodeInfo(
        "A mail address or subject holds a line break or control character.",
        "Remove it; if nobody put it there on purpose, look at where the value came from.",
    ),
    "SEC_TARGET_FORBIDDEN": CodeInfo(
        "The target is not on the list of allowed ones.",
        "Use an allowed target, or ask an administrator to allow this one.",
    ),
    # TPL: templates
    "TPL_SYNTAX": CodeInfo("A template cannot be read.", "Mend it at the line and column named."),
    "TPL_FORBIDDEN": CodeInfo(
        "A template holds more than names and the filters there are.",
        "Use names and filters only; compute values in the report's parameters.",
    ),
    "TPL_LIMIT": CodeInfo(
        "A template, or a value in it, is longer or more involved than allowed.",
        "Shorten it; a template has at most 1,000 characters and no loops or arithmetic.",
    ),
    "TPL_UNKNOWN_NAME": CodeInfo(
        "A template names a value that does not exist.",
        'Use one of the names listed, or give a default: {{ name | default("…") }}.',
    ),
    "TPL_VALUE": CodeInfo(
        "A value has no form a template could write.",
        "Use a plain value or a list of them, a date for the date filter, and a default where a value may be null.",
    ),
    "TPL_BAD_NAME": CodeInfo(
        "A template gives a name that not every target takes.",
        "Change the template or the value so that the name is not empty, hidden, reserved or too long.",
    ),
    "TPL_TZ": CodeInfo("There is no such time zone.", "Write a zone of the IANA list, like Europe/Berlin."),
    "TPL_EXT": CodeInfo(
        "A file name's extension does not fit its format.", "End the name in the format's one extension."
    ),
    # ENG: engines
    "ENG_OUTPUT_TOO_LARGE": CodeInfo(
        "The report grew beyond the limit and was broken off.",
        "Narrow the parameters, or have an administrator raise the limit.",
    ),
    "ENG_BAD_OUTPUT": CodeInfo(
        "The engine answered with something else than a file of the format asked for, such as a log-in or error page.",
        "Ask for the report at the engine itself with the same parameters; the text says what came instead.",
    ),
    "ENG_TRUNCATED": CodeInfo(
        "The file's end is missing; it stands in the text of a TemporaryFailure.",
        "Look for time limits between here and the engine, if it stays so.",
    ),
    "ENG_EMPTY_OUTPUT": CodeInfo(
        "The engine answered with a file without a byte.",
        "Check the report at the engine; an empty file is good only where the engine counted no rows.",
    ),
    # STG: staging
    "STG_MISSING": CodeInfo(
        "A staged file is not there any more, or never was.",
        "Retry the request: the report is made again.",
    ),
    "STG_MISMATCH": CodeInfo(
        "A staged file has other content than was recorded, or than is published under its key now.",
        "Retry the request: the report is made again. Look for whoever writes into the staging store by hand.",
    ),
    # EVT: events
    "EVT_IGNORED": CodeInfo(
        "A message or event that says nothing the platform can trust; nothing was done about it.",
        "Find out who sends or uploads it; requests and reports are not affected.",
    ),
    # DST: deliveries
    "DST_ROOT_MISSING": CodeInfo(
        "The destination's folder does not exist.",
        "Create it or mount it, or correct `root` in the destinations' configuration; then retry the request.",
    ),
    "DST_NO_FOLDER": CodeInfo(
        "A folder of the target's path does not exist, or is a file.",
        "Create the folder, correct the path, or set `mkdirs: true` for the destination; then retry the request.",
    ),
    "DST_PERMISSION": CodeInfo(
        "The destination does not permit an operation.",
        "Give the account of the worker the right that the text names; then retry the request.",
    ),
    "DST_NO_SPACE": CodeInfo(
        "The destination's disk is full; it stands in the text of a TemporaryFailure.",
        "Free some space there; where the request has failed by then, retry it.",
    ),
    "DST_QUOTA": CodeInfo(
        "The quota at the destination is used up.",
        "Free some space there or raise the quota; then retry the request.",
    ),
    "DST_TOO_LARGE": CodeInfo(
        "The file is larger than the destination takes.", "Ask for a smaller report, or deliver it elsewhere."
    ),
    "DST_NAME_TAKEN": CodeInfo(
        "A folder or device stands under the file's final name.",
        "Move it away, or change the target's file name.",
    ),
    "DST_EXISTS": CodeInfo(
        "Another file stands under the final name, and the destination is configured not to replace files.",
        "Move it away, change the file name, or set `replace: true` for the destination; then retry the request.",
    ),
    "DST_CROSS_DEVICE": CodeInfo(
        "The destination's temporary folder lies on another filesystem than the final one.",
        "Configure a `temporary_folder` on the same filesystem, or none.",
    ),
    "DST_VERIFY": CodeInfo(
        "A file does not read back as it was written; it stands in the text of a TemporaryFailure.",
        "Have the destination's storage checked, if it stays so.",
    ),
    "DST_REFUSED": CodeInfo(
        "The destination refused an operation for the reason in the text.",
        "Mend what the text names; then retry the request.",
    ),
    "DST_MAIL_TOO_LARGE": CodeInfo(
        "The mail would be larger than the gateway takes; attachments grow by 37 % when encoded.",
        "Ask for a smaller report or another format, or deliver the file elsewhere.",
    ),
    # PY: the Python engine
    "PY_NOT_REGISTERED": CodeInfo(
        "A report names a script that is not in the scripts' folder, or reaches it by a link.",
        "Put the script into the folder itself, or correct the report's definition.",
    ),
    "PY_HASH_MISMATCH": CodeInfo(
        "The script is not the one that was registered.",
        "Review the change and register its new SHA-256, or restore the script.",
    ),
    "PY_SANDBOX": CodeInfo(
        "Scripts cannot be run here with the isolation asked for.",
        "See the text for the reason, and the how-to on Python scripts for what each degree of isolation needs.",
    ),
    "PY_EXIT": CodeInfo(
        "The script ended with an exit code other than 0.",
        "The text has the end of what it said; mend the script or the parameters.",
    ),
    "PY_NO_OUTPUT": CodeInfo(
        "The script ended well and did not write its output.",
        "Have it write the file named by output in its input.",
    ),
    "PY_BAD_OUTPUT": CodeInfo(
        "The script's output is a link, a pipe or a device, is not alone in its folder, or came with too many files.",
        "Have it write one plain file, the one named by output in its input.",
    ),
    "PY_TIMEOUT": CodeInfo(
        "The script took longer than its limit on time or CPU time.",
        "Make it faster, or raise limits.seconds or limits.cpu_seconds in its definition.",
    ),
    "PY_OUTPUT_TOO_LARGE": CodeInfo(
        "The script wrote more than its limit.",
        "Have it write less, or raise limits.output_mb or limits.disk_mb in its definition.",
    ),
    "PY_MEMORY": CodeInfo(
        "The script needed more memory than its limit.",
        "Have it work in smaller pieces, or raise limits.memory_mb in its definition.",
    ),
    "PY_KILLED": CodeInfo(
        "The script was ended by a signal: it crashed, or something outside ended it.",
        "Run the script by hand with the same parameters; look for a crash in one of its libraries, or for the system having run out of memory.",
    ),
    "PY_SQL": CodeInfo(
        "A report's SQL is not one query.",
        "Write a single SELECT.",
    ),
    "PY_QUERY": CodeInfo(
        "The database refuses a report's query, or the query failed.",
        "Run the report's SQL by hand; the text says what the database said of it.",
    ),
    "PY_CONNECTION": CodeInfo(
        "A source of data cannot be opened as it is configured.",
        "Correct the connection in the Python engine's configuration.",
    ),
    "PY_COLUMN": CodeInfo(
        "A report's definition names a column that its query does not have, or that is of no use there.",
        "Correct `totals` or `chart` in the report's definition.",
    ),
    "PY_COLUMN_TYPE": CodeInfo(
        "A column holds values of different types, or a value that its declared type cannot hold.",
        "Declare its type under `columns`, or make its values alike in the SQL.",
    ),
    "PY_ROW_LIMIT": CodeInfo(
        "The report has more rows than its definition allows.",
        "Ask for less by its parameters, or raise max_rows.",
    ),
    "PY_XLSX_LIMIT": CodeInfo(
        "The report has something that Excel cannot hold.",
        "Ask for CSV or PARQUET, or follow the text's advice.",
    ),
    "PY_PDF_LIMIT": CodeInfo(
        "The report has more pages than a PDF may have.",
        "Ask for XLSX, CSV or PARQUET.",
    ),
    # SYS: the platform
    "SYS_WORKTABLE": CodeInfo(
        "The worktable cannot be used, or cannot hold a value.",
        "Check that the file in the error's text is an SQLite database that the account may write.",
    ),
    "SYS_WORKTABLE_SCHEMA": CodeInfo(
        "The worktable lacks a column, or a row does not fit its columns.",
        "Give REPORT_REQUESTS and DISTRIBUTION_CONFIG the columns of the specification.",
    ),
    "SYS_BUS": CodeInfo(
        "The bus cannot be used.",
        "Check that its file is an SQLite database that the account may write; or stop and remove it: "
        "requests are published again.",
    ),
    "SYS_BUS_SCHEMA": CodeInfo(
        "The file of the bus holds other tables than it should.",
        "Stop, remove the file and start: it is made anew, and requests are published again.",
    ),
    "SYS_MESSAGE": CodeInfo(
        "A message is larger than 256 KiB or is no UTF-8 text.",
        "Report it: the poller makes messages that fit.",
    ),
    "SYS_STAGING": CodeInfo(
        "The staging store cannot be used as it is set up.",
        "Check that the store exists, is one filesystem, and that the worker's account may write to it.",
    ),
    "SYS_LEDGER": CodeInfo(
        "The ledger's database refused a statement, or the log-in; or it cannot be opened at all.",
        "Check the address, the account and its rights, and the database's own log; the text has its first line.",
    ),
    "SYS_CONTENT": CodeInfo(
        "What the ledger has of a request cannot be read: it is damaged, or a newer version wrote it.",
        "Run the version that took the request in, or a newer one, and retry it; or submit it again under a new id.",
    ),
    "SYS_SCHEMA": CodeInfo(
        "The ledger's database does not have the schema that this version works with.",
        "Run reportbus db upgrade, or start the version that fits.",
    ),
    "SYS_CRASH_LOOP": CodeInfo(
        "Several workers died on the same job, or their threads hung in it.",
        "Look at how they died (memory above all) or what hangs (a share, a driver); then retry the request.",
    ),
    "SYS_HANGING": CodeInfo(
        "As many threads of a worker hang as its stage has; its process ended.",
        "Find out what the jobs hang in that the log names as given up (a share that is away, a driver); start anew.",
    ),
    "SYS_NO_LEDGER": CodeInfo(
        "There is no ledger yet where the configuration says it is.",
        "Start the line (reportbus up), which makes it; if there should be one, see where it is looked for: "
        "reportbus config show ledger.",
    ),
    "SYS_USAGE": CodeInfo("The command was called in a way that it does not know.", "Read its --help."),
    "SYS_FILE": CodeInfo(
        "A file or folder of this machine cannot be used.",
        "Check that it is there and that the account may use it.",
    ),
    "SYS_INTERNAL": CodeInfo(
        "A fault of reportbus itself; the error log has the trace.",
        "Report it with the trace; retry the request once it is mended.",
    ),
    # RUN: the course of a run
    "RUN_CANCELLED": CodeInfo("The request was cancelled.", "Nothing; retry it if it is wanted after all."),
    "RUN_EXPIRED": CodeInfo(
        "The request had not ended by its deadline.",
        "Mend what held it up; retry it if it is still wanted.",
    ),
    "RUN_UNKNOWN_REQUEST": CodeInfo(
        "There is no request with this id, neither in the ledger nor in the worktable.",
        "Check the id: reportbus request list shows those there are.",
    ),
    "RUN_NOT_TAKEN_IN": CodeInfo(
        "The request is a row of the worktable, and the ledger does not have it yet.",
        "Ask reportbus request why what it waits for; only rows whose STATUS is PENDING are taken in.",
    ),
    "RUN_ENDED": CodeInfo(
        "The request has ended; there is nothing to cancel.",
        "Nothing.",
    ),
    "RUN_NOT_FAILED": CodeInfo(
        "Only a FAILED request can be retried.",
        "Wait for its end, or submit a new request.",
    ),
    "RUN_NOT_RETRYABLE": CodeInfo(
        "The request was refused at intake; it never had work that could be done again.",
        "Mend what it was refused for and submit it under a new id.",
    ),
    "RUN_NO_DEAD_LETTER": CodeInfo(
        "The request did not fail by a fault.",
        "Use reportbus request why: it tells where the request stands.",
    ),
    "RUN_NOT_ENDED": CodeInfo(
        "Requests that were watched had not ended in time.",
        "Watch on, or ask reportbus request why.",
    ),
}
