"""One examination: the evidence that the arguments ask for, and the result of every statement."""

import argparse
import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from selftest.base.app_folder import AppFolder
from selftest.base.cannot_run import CannotRun
from selftest.base.endpoint_url import endpoint_url
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.choice import choose_apps, choose_extensions, claim_names, tenant_id_of
from selftest.tenant.doctor.diagnosis import Diagnosis, diagnose
from selftest.tenant.doctor.evidence.easyauth import EasyAuth
from selftest.tenant.doctor.evidence.resource import host_of, shown_url
from selftest.tenant.doctor.evidence.settings import SettingsRead
from selftest.tenant.doctor.sources.app_reader import NotJudged, has_reader, judge_settings
from selftest.tenant.doctor.sources.endpoint_probe import REQUESTS, probe
from selftest.tenant.doctor.sources.settings_source import find_settings
from selftest.tenant.doctor.sources.tenant_source import Source, read_source
from selftest.tenant.doctor.statements import TENANT_STATEMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was examined, and the diagnosis.

    Attributes:
        about: Lines that say what was examined.
        url: The endpoint's URL without its query, where the endpoint was called.
    """

    diagnosis: Diagnosis
    about: tuple[str, ...]
    url: str | None
    started_at: dt.datetime
    duration_s: float


def examine(args: argparse.Namespace, *, environ: Mapping[str, str], directory: Path) -> Examination:
    """Read the evidence, including the settings files in ``directory``, and try every statement.

    Raises:
        FileError: A file cannot be read or written, or is not what it should be.
        CannotRun: There is nothing to examine, flags contradict each other, or the tenant could not be read.
    """
    started_at, start_s = dt.datetime.now(dt.UTC), time.perf_counter()
    settings = find_settings(file=args.settings, azd_env=args.azd_env, environ=environ, directory=directory)
    source = read_source(args, settings=settings, environ=environ)
    if settings is None and source.tenant is None and args.url is None and args.easyauth is None:
        raise CannotRun(
            "there is nothing to examine: give --file or --tenant, and --settings or --azd-env; --easyauth and --url "
            "add to them, or are examined alone"
        )
    case = _judged(args, make_case(args, settings=settings, source=source), directory)
    case, url = _probed(args, case)
    diagnosis = diagnose(case, TENANT_STATEMENTS.values())
    lines = about(case, source.origin, url)
    if args.easyauth is not None:
        lines += (f"easyauth   {args.easyauth}{'' if case.easyauth is not None else '  (switched off)'}",)
    return Examination(
        diagnosis=diagnosis,
        about=lines,
        url=url,
        started_at=started_at,
        duration_s=time.perf_counter() - start_s,
    )


def make_case(args: argparse.Namespace, *, settings: SettingsRead | None, source: Source) -> Case:
    """Return the evidence as a case, with the part of the tenant that is examined.

    Raises:
        FileError: The file of ``--easyauth`` is not what it should be.
    """
    easyauth = None if settings is None else EasyAuth.of_settings(settings)
    if args.easyauth is not None:
        easyauth = EasyAuth.of_file(args.easyauth, settings)
    tenant = source.tenant
    if tenant is None:
        return Case(settings=settings, easyauth=easyauth, claims=claim_names(args.claims, settings, ()))
    extensions = choose_extensions(
        tenant, extension_id=args.extension, app_id=args.app, settings=settings, host=host_of(args.url)
    )
    validations = source.validations
    if validations is not None:
        validations = {one.id: validations[one.id] for one in extensions if one.id in validations}
    return Case(
        settings=settings,
        tenant=tenant,
        extensions=extensions,
        app_ids=choose_apps(tenant, extensions, args.app),
        app_asked=args.app is not None,
        tenant_id=tenant_id_of(tenant, extensions, source.tenant_id),
        claims=claim_names(args.claims, settings, extensions),
        easyauth=easyauth,
        validations=validations,
        lacks=source.lacks,
    )


def _judged(args: argparse.Namespace, case: Case, directory: Path) -> Case:
    """Return the case with what the app's own code says of the settings, or with the reason why it says nothing."""
    app = AppFolder.at(directory / args.app_dir, args.app_python)
    if case.settings is None or not has_reader(app):
        return replace(case, app_folder=app.directory)
    try:
        return replace(case, verdict=judge_settings(app, case.settings.values))
    except NotJudged as reason:
        return replace(case, lacks={**case.lacks, "reader": str(reason)})


def _probed(args: argparse.Namespace, case: Case) -> tuple[Case, str | None]:
    """Call the endpoint where the user asks for that, and return its URL without the query.

    Raises:
        CannotRun: ``--probe`` without exactly one extension.
    """
    if args.url is not None:
        return replace(case, probe=probe(args.url)), shown_url(args.url).partition("?")[0]
    if not args.probe:
        return case, None
    if len(case.extensions) != 1:
        raise CannotRun(f"--probe needs one extension, there are {len(case.extensions)}: give --extension or --url")
    try:
        url = endpoint_url(case.extensions[0].target_url or "")
    except argparse.ArgumentTypeError:
        return replace(case, lacks={**case.lacks, "probe": "the target URL cannot be called (D21)"}), None
    return replace(case, probe=probe(url)), shown_url(url).partition("?")[0]


def about(case: Case, origin: str, url: str | None) -> tuple[str, ...]:
    """Return lines that say what is examined, and what could not be read and which statements it skips."""
    lines = [f"settings   {'none' if case.settings is None else case.settings.origin}"]
    lines.append(
        f"tenant     {case.tenant_id or 'unknown'}  ({origin})" if case.tenant is not None else "tenant     not read"
    )
    lines += [f"extension  {one.id}  {shown_url(one.target_url)}" for one in case.extensions]
    if case.app_ids:
        lines.append(f"apps       {', '.join(case.app_ids)}")
    unread: dict[str, list[str]] = {}
    lists = case.tenant.unread.items() if case.tenant is not None else ()
    for name, reason in (*lists, *case.lacks.items()):
        unread.setdefault(reason, []).append(name)
    for reason, names in unread.items():
        hit = [one.id for one in TENANT_STATEMENTS.values() if set(one.needs) & set(names)]
        lines.append(f"not read   {', '.join(names)}: {reason}; skipped: {' '.join(hit)}")
    if url is not None:
        lines.append(f"endpoint   {url}  (at most {REQUESTS} requests, none with a token)")
    return tuple(lines)
