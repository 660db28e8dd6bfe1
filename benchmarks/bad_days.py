"""x."""
from benchmarks.table import Part
async def measure() -> Part: raise NotImplementedError
