"""What is made, in which order, and that the second run makes nothing."""

from tests.infra.entra.bench import entra


async def test_everything_is_made_in_the_documented_order() -> None:
    """App registration first, listener last; nothing that sign-ins depend on before Entra's validation is clean."""
    async with entra() as desk:
        await desk.apply()
        assert [what for _, what, _ in desk.told] == [
            "app registration",
            "service principal",
            "Entra's caller",
            "consent",
            "identifier URI",
            "validation",
            "extension",
            "mapping policy",
            "mapped claims",
            "other policy",
            "assignment",
            "listener",
        ]
        print(desk.told, desk.lines)


async def test_the_second_run_writes_nothing() -> None:
    async with entra() as desk:
        await desk.apply()
        writes = len(desk.server.writes)
        await desk.apply()
        assert len(desk.server.writes) == writes
        assert set(desk.states) == {"exists", "clean"}
