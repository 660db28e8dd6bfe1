"""Write the results as JUnit XML, which every CI system shows.

One suite for each level, one case for each check, whose class names level and subject. A failed check that does not
count is in the output of its case, because JUnit has no warnings; a waived one is skipped with the waiver's reason.
"""

from collections.abc import Iterable
from dataclasses import asdict
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from selftest.base.printable import visible
from selftest.base.program import PROGRAM
from selftest.judge.app_cause import explained
from selftest.judge.statement import LEVELS
from selftest.report.check_groups import SUBJECTS
from selftest.report.load_result import LoadResult, LoadThreshold
from selftest.report.results import CheckResult, Results, SignInResult


def junit(results: Results) -> str:
    """Return the document."""
    root = Element("testsuites", name="selftest", time=_seconds(results.duration_s * 1000))
    for level in LEVELS:
        of_level = [check for check in results.checks if check.level == level]
        if of_level:
            _suite(root, level, (_check_case(check, strict=results.strict) for check in of_level))
    if results.load is not None:
        _measured(root, results.load)
    if results.signins:
        _suite(root, "signin", (_signin_case(signin) for signin in results.signins))
    return _document(root)


def junit_could_not_run(command: str, reason: str) -> str:
    """Return the document of a run that could not be made: one case with the reason as its error."""
    root = Element("testsuites", name="selftest")
    case = Element("testcase", classname=f"selftest.{command}", name="the run")
    SubElement(case, "error", message=visible(f"could not run: {reason}"))
    _suite(root, "run", [case])
    return _document(root)


def _document(root: Element) -> str:
    totals = {
        name: sum(int(suite.get(name, "0")) for suite in root) for name in ("tests", "failures", "errors", "skipped")
    }
    for name, total in totals.items():
        root.set(name, str(total))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, name: str, cases: Iterable[Element]) -> None:
    suite = SubElement(root, "testsuite", name=name)
    suite.extend(cases)
    suite.set("tests", str(len(suite)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in suite)))


def _measured(root: Element, load: LoadResult) -> None:
    """Add a load run: its figures as properties, a case for its validity and one for each of the user's thresholds."""
    thresholds = (_threshold_case(each, crossed=each in load.crossed) for each in load.thresholds)
    _suite(root, "load", [_validity_case(load), *thresholds])
    properties = Element("properties")
    root[-1].insert(0, properties)
    values: dict[str, object] = {"valid": str(load.valid).lower(), **asdict(load.counts)}
    if load.latency is not None:
        values |= {"p50_ms": load.latency.p50_ms, "p95_ms": load.latency.p95_ms, "p99_ms": load.latency.p99_ms}
        values |= {"max_ms": load.latency.max_ms}
    for name, value in values.items():
        SubElement(properties, "property", name=name, value=visible(str(value)))


def _validity_case(load: LoadResult) -> Element:
    case = Element("testcase", classname="selftest.load.validity", name="the measurement is valid")
    if not load.valid:
        faults = "; ".join(f"{fault.name} {fault.measured}, wanted {fault.limit}" for fault in load.faults)
        SubElement(case, "skipped", message=visible(f"not valid: {faults}"))
    return case


def _threshold_case(threshold: LoadThreshold, *, crossed: bool) -> Element:
    case = Element("testcase", classname="selftest.load.threshold", name=visible(threshold.expression))
    if not threshold.held:
        SubElement(case, "failure" if crossed else "skipped", message=visible(f"measured {threshold.measured}"))
    return case


def _check_case(check: CheckResult, *, strict: bool) -> Element:
    case = Element(
        "testcase",
        classname=f"selftest.{check.level}.{SUBJECTS.get(check.id[0], check.id[0])}",
        name=f"{check.id} {visible(check.title)}",
        time=_seconds(check.duration_ms),
    )
    match check.status:
        case _ if check.waiver is not None:
            SubElement(case, "skipped", message=visible(f"waived: {check.waiver}"))
        case "skip":
            SubElement(case, "skipped", message=visible(f"not judged, and no finding: {check.actual}"))
        case "error":
            _describe(SubElement(case, "error", message=visible(check.actual)), check)
        case "fail" if check.counts(strict=strict):
            _describe(SubElement(case, "failure", message=visible(check.actual)), check)
        case "fail":
            _describe(SubElement(case, "system-out"), check)
    return case


def _describe(element: Element, check: CheckResult) -> None:
    lines = [f"expected {check.expected}", f"actual   {check.actual}"]
    lines += [f"{label:<8} {text}" for label, text in explained(check.app_lines, fix=False)]
    lines += [f"why      {check.why}", f"fix      {check.fix}"]
    lines += [f"answer   {check.answer}"] if check.answer is not None else []
    lines += [line for line in (check.curl, check.token_of_curl) if line is not None]
    lines.append(f"{PROGRAM} explain {check.id}")
    element.text = visible("\n".join(lines))


def _signin_case(signin: SignInResult) -> Element:
    case = Element(
        "testcase", classname="selftest.play.sign_in", name=visible(signin.title), time=_seconds(signin.latency_ms)
    )
    if not signin.minted:
        failure = SubElement(case, "failure", message=visible(f"{signin.code} {signin.name}"))
        logged = "".join(f"{label:<5} {text}\n" for label, text in explained(signin.app_lines))
        failure.text = visible(f"{signin.reason}\n{logged}{PROGRAM} explain {signin.code}")
    elif signin.by_retry:
        SubElement(case, "system-out").text = visible("\n".join(signin.warnings))
    return case


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3f}"
