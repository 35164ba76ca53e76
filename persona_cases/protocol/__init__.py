"""Pure: the values that cross the wire, and every decision about them. No I/O, no clock, no asyncio."""
