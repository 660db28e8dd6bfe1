"""Several instances of the local app behind one address, and the Redis that they share, for their checks."""

import argparse
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from selftest.base.app_folder import AppFolder, app_environment
from selftest.base.cannot_run import CannotRun
from selftest.base.endpoint_url import HEALTH_PATH
from selftest.base.flag_values import whole_number
from selftest.checks.bench.environment import STARTABLE, CheckEnvironment, CheckNeed
from selftest.checks.bench.redis_server import REDIS_SERVER, free_port, has_client, running_redis
from selftest.host.instances import Instances
from selftest.play.target import Target


def add_instances_argument(parser: argparse.ArgumentParser) -> None:
    """Add the flag that asks for the checks of several instances."""
    parser.add_argument(
        "--instances",
        type=whole_number(2, 16, "instances"),
        default=0,
        metavar="N",
        help="without --url: play the checks of several instances, too, with N of them (about a minute)",
    )


async def startable(target: Target, instances: int) -> frozenset[CheckNeed]:
    """Return what can be started for the checks of several instances; nothing if they were not asked for.

    Raises:
        CannotRun: The endpoint runs elsewhere.
    """
    if not instances:
        return frozenset()
    if target.folder is None:
        raise CannotRun("--instances is for the local app: an endpoint at --url has its own instances")
    absent: set[CheckNeed] = set() if REDIS_SERVER else {"redis-server"}
    return STARTABLE - (absent if await has_client(target.folder.python) else absent | {"redis-client"})


@asynccontextmanager
async def several_instances(
    env: CheckEnvironment, folder: AppFolder, settings: Mapping[str, str], count: int
) -> AsyncIterator[CheckEnvironment]:
    """Start the app several times, with a Redis if the variant wants one, and yield the environment of their address.

    Raises:
        CannotRun: An instance or Redis does not start.
    """
    redis, environment = None, {**app_environment(), **settings}
    async with AsyncExitStack() as stack:
        if env.variant is not None and env.variant.shared_cache:
            redis = await stack.enter_async_context(running_redis(free_port()))
            environment["Claims__SharedCache"] = redis.url
        instances = Instances(folder, count, environment, ready_path=HEALTH_PATH, quiet=True)
        await stack.enter_async_context(instances)
        yield replace(env.at(instances.url), instances=instances, redis=redis, startable=STARTABLE)
