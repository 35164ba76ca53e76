"""Whatever a body and its arguments are, decoding raises errors of ours."""

from __future__ import annotations

from inspect import signature

import pytest
from strange_values import strange_values

from persona_cases import PersonaError
from persona_cases.models.decoding.decode import decode_case, decode_page


@pytest.mark.parametrize("call", [decode_case, decode_page])
def test_what_leaves_decoding_is_an_error_of_ours(call):
    """Each argument, with each strange value."""
    for name in signature(call).parameters:
        for number, value in enumerate(strange_values()):
            hidden = None
            try:
                call(**{"body": b"{}", name: value})
            except PersonaError as error:
                hidden = error.__context__
            except Exception as error:
                error.add_note(f"{name}=strange_values()[{number}]")
                raise
            # An error of the encoder holds the text that it could not encode.
            assert not isinstance(hidden, UnicodeError)
